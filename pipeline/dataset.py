"""The dataset: labels joined to sentences, divided into a training and a test side by document."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import DataError
from pipeline.extract import load_manifest, load_sentences
from pipeline.files import replace_folder
from pipeline.labels import LABELS, find_label_files, read_labels
from pipeline.params import Params

SIDES = ("train", "test")
SUMMARY_FILE = "summary.json"
DATASET_COLUMNS = ("document", "report", "doc_type", "provider", "published", "section", "kind", "text", "key")
_CONTEXT = ("doc_type", "provider", "published", "section", "kind")


@dataclass(frozen=True)
class DatasetReport:
    """What the dataset stage did.

    Attributes:
        train: Sentences and documents of the training side.
        test: The same of the test side.
        joined: Labels without text that met a sentence of `data/sentences`.
        unmatched: Labels without text that met none.
        left_out: Training sentences left out because their text stands in a test document as well.
    """

    train: dict[str, Any]
    test: dict[str, Any]
    joined: int
    unmatched: int
    left_out: int


def side_of(document: str, test_share: float) -> str:
    """Tell on which side a document stands; it never changes as documents are added.

    Args:
        document: Document id.
        test_share: Share of documents on the test side, between 0 and 1.

    Returns:
        "train" or "test".
    """
    # The first 32 bits of a SHA-256 are as good as a uniform draw.
    return "test" if int(sha256(document.encode()).hexdigest()[:8], 16) / 2**32 < test_share else "train"


def build_dataset(params: Params, labels: Path, sentences: Path, output: Path) -> DatasetReport:
    """Join labels and sentences, divide them by document, and write both sides.

    Args:
        params: All settings.
        labels: Folder of label files.
        sentences: Folder that the extract stage wrote.
        output: Folder for train.parquet, test.parquet and summary.json.

    Returns:
        Counts.

    Raises:
        DataError: A label file is wrong, or a side has no sentence.
    """
    rows = read_labels(find_label_files(labels))
    rows, joined, unmatched = _join(rows, sentences)
    # The same text labelled twice in one document tells nothing new.
    rows = rows.drop_duplicates(["document", "key"]).reset_index(drop=True)
    sides = rows["document"].map(lambda name: side_of(name, params.dataset.test_share))
    test = rows[sides == "test"]
    train = rows[sides == "train"]
    # A text that stands in a test document never trains: its score would be memory.
    seen = train["key"].isin(set(test["key"]))
    tables = {"train": train[~seen], "test": test}
    for side, table in tables.items():
        if table.empty:
            raise DataError(
                f"{labels}: no labelled sentence falls on the {side} side; label more documents, or change "
                "dataset.test_share in params.yaml."
            )
    summary: dict[str, Any] = {side: _summary(table) for side, table in tables.items()}
    report = DatasetReport(summary["train"], summary["test"], joined, unmatched, int(seen.sum()))
    with replace_folder(output) as folder:
        for side, table in tables.items():
            table.reset_index(drop=True).to_parquet(folder / f"{side}.parquet", index=False)
        summary |= {"joined": joined, "unmatched": unmatched, "left_out": report.left_out}
        (folder / SUMMARY_FILE).write_bytes((json.dumps(summary, indent=2) + "\n").encode())
    return report


def load_side(folder: Path, side: str) -> pd.DataFrame:
    """Read one side of the dataset.

    Args:
        folder: Folder that the dataset stage wrote.
        side: "train" or "test".

    Returns:
        `DATASET_COLUMNS`, one boolean column a label, and `source`, the label file.

    Raises:
        DataError: There is no such file, or it cannot be read.
    """
    path = folder / f"{side}.parquet"
    try:
        return pd.read_parquet(path)
    except FileNotFoundError:
        raise DataError(f"{path}: not there; run `dvc repro dataset` first.") from None
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: cannot be read ({error}); run `dvc repro --force dataset`.") from None


def load_summary(folder: Path) -> dict[str, Any]:
    """Read the dataset's counts and hashes.

    Args:
        folder: Folder that the dataset stage wrote.

    Returns:
        The content of summary.json.

    Raises:
        DataError: There is no such file, or it is damaged.
    """
    path = folder / SUMMARY_FILE
    try:
        summary: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{path}: missing or damaged; run `dvc repro --force dataset`.") from None
    return summary


def _join(rows: pd.DataFrame, sentences: Path) -> tuple[pd.DataFrame, int, int]:
    """Give every label row its document id, and text and context to those that came as a key alone."""
    id_of = {entry["report"]: entry["report_id"] for entry in load_manifest(sentences)["reports"]}
    # A document goes by the hash of its content where that is known, so that all its labels share one side.
    rows["document"] = rows["report_id"].fillna(rows["report"].map(id_of)).fillna(rows["report"])
    keyed = rows["text"].isna()
    if keyed.any():
        known = load_sentences(sentences).drop_duplicates(["report_id", "key"]).set_index(["report_id", "key"])
        places = pd.MultiIndex.from_arrays([rows.loc[keyed, "document"], rows.loc[keyed, "key"]])
        found = known.reindex(places)
        for name in ("text", "report", *_CONTEXT):
            rows.loc[keyed, name] = found[name].to_numpy()
    unmatched = rows["text"].isna()
    rows = rows[~unmatched]
    table = rows[[*DATASET_COLUMNS, *LABELS, "source"]].astype(dict.fromkeys(DATASET_COLUMNS, "str"))
    return table, int(keyed.sum() - unmatched.sum()), int(unmatched.sum())


def _summary(table: pd.DataFrame) -> dict[str, Any]:
    """Count and hash one side; the hash depends on what is trained or tested on, not on the file format."""
    digest = sha256()
    for row in table[["document", "text", *LABELS]].itertuples(index=False):
        digest.update(json.dumps(list(row), ensure_ascii=False).encode())
    return {
        "sha256": digest.hexdigest(),
        "sentences": len(table),
        "documents": int(table["document"].nunique()),
        "labels": {label: int(table[label].sum()) for label in LABELS},
        "none": int((~table[list(LABELS)].any(axis=1)).sum()),
        "doc_types": {str(name): int(n) for name, n in table["doc_type"].value_counts().sort_index().items()},
        "sources": {str(name): int(n) for name, n in table["source"].value_counts().sort_index().items()},
    }
