"""The dataset: labels joined to sentences, divided into a training and a test side by document."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy.typing as npt
import pandas as pd

from pipeline.errors import DataError
from pipeline.extract import load_manifest, load_sentences
from pipeline.files import json_bytes, replace_folder
from pipeline.labels import LABELS, RESERVED_KEYS, find_label_files, loose_key, read_labels, read_reserved
from pipeline.params import Params
from pipeline.review.events import reviewed_labels

SIDES = ("train", "test")
SUMMARY_FILE = "summary.json"
DATASET_COLUMNS = (
    "document",
    "report",
    "doc_type",
    "provider",
    "published",
    "page",
    "section",
    "kind",
    "before",
    "text",
    "key",
    "pool",
)
_CONTEXT = ("doc_type", "provider", "published", "section", "kind")


@dataclass(frozen=True)
class DatasetReport:
    """What the dataset stage did.

    Attributes:
        train: Sentences and documents of the training side.
        test: The same of the test side.
        joined: Labels without text that met a sentence of `data/sentences`.
        unmatched: Labels without text whose document is there, but none of its sentences.
        absent: Labels without text whose document is not there.
        absent_documents: How many documents those are.
        left_out: Training sentences left out because their text stands in a test document or a benchmark as well.
        reviewed: Sentences with an answer of reviewers, which replaces any other label of the same sentence.
        held_back: Sentences left out because reviewers disagree.
    """

    train: dict[str, Any]
    test: dict[str, Any]
    joined: int
    unmatched: int
    absent: int
    absent_documents: int
    left_out: int
    reviewed: int
    held_back: int

    def summary(self) -> str:
        """Say in a few lines what the dataset holds, and what was left out of it."""
        lines = []
        for side, counts in (("train", self.train), ("test", self.test)):
            labels = ", ".join(f"{count:,} {label}" for label, count in counts["labels"].items())
            lines.append(f"{side}: {counts['sentences']:,} sentences of {counts['documents']} documents ({labels})")
        if self.joined or self.unmatched:
            lines.append(f"labels by key: {self.joined:,} met their sentence, {self.unmatched:,} did not")
        if self.absent:
            lines.append(
                f"labels by key: {self.absent:,} wait for {self.absent_documents} reports that are not in data/reports "
                "(`findings fetch` brings them)"
            )
        if self.reviewed or self.held_back:
            lines.append(
                f"reviewed: {self.reviewed:,} sentences; {self.held_back:,} held back (`findings review conflicts`)"
            )
        lines.append(f"{self.left_out} training sentences left out: a test document or a benchmark has the same text")
        return "\n".join(lines)


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


def build_dataset(
    params: Params, labels: Path, sentences: Path, output: Path, reserved: Path = RESERVED_KEYS
) -> DatasetReport:
    """Join labels and sentences, divide them by document, and write both sides.

    Args:
        params: All settings.
        labels: Folder of label files.
        sentences: Folder that the extract stage wrote.
        output: Folder for train.parquet, test.parquet and summary.json.
        reserved: Keys of benchmark sentences, one a line, which never train; need not exist.

    Returns:
        Counts.

    Raises:
        DataError: A label file is wrong, or a side has no sentence.
    """
    given = read_labels(find_label_files(labels)).assign(reviewed=False, held=False)
    answers = reviewed_labels(labels).assign(reviewed=True)
    rows = _join(pd.concat([given, answers], ignore_index=True) if len(answers) else given, sentences)
    rows, held_back = _prefer_reviewed(rows)
    keyed = {str(name): _count_keyed(part) for name, part in rows[rows["met"] != ""].groupby("source")}
    counts = {name: sum(part[name] for part in keyed.values()) for name in ("joined", "unmatched", "absent")}
    absent = int(rows.loc[rows["met"] == "absent", "document"].nunique())
    rows = rows[rows["text"].notna()].drop(columns="met")
    reviewed = int(rows.pop("reviewed").sum())
    # The same text labelled twice in one document tells nothing new.
    rows = rows.drop_duplicates(["document", "key"]).reset_index(drop=True)
    sides = rows["document"].map(lambda name: side_of(name, params.dataset.test_share))
    test = rows[sides == "test"]
    train = rows[sides == "train"]
    # A text that stands in a test document never trains: its score would be memory.
    seen = train["key"].isin(set(test["key"]) | read_reserved(reserved))
    tables = {"train": train[~seen], "test": test}
    for side, table in tables.items():
        if table.empty:
            raise DataError(
                f"{labels}: no labelled sentence falls on the {side} side; label more documents, or change "
                "dataset.test_share in params.yaml."
            )
    summary: dict[str, Any] = {side: _summary(table) for side, table in tables.items()}
    report = DatasetReport(
        summary["train"],
        summary["test"],
        **counts,
        absent_documents=absent,
        left_out=int(seen.sum()),
        reviewed=reviewed,
        held_back=held_back,
    )
    with replace_folder(output) as folder:
        for side, table in tables.items():
            table.reset_index(drop=True).to_parquet(folder / f"{side}.parquet", index=False)
        summary |= {**counts, "keyed": keyed, "left_out": report.left_out}
        summary |= {"reviewed": reviewed, "held_back": held_back}
        (folder / SUMMARY_FILE).write_bytes(json_bytes(summary))
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


def groups_of(table: pd.DataFrame) -> npt.NDArray[Any]:
    """Name the group of each row; a group is never in two folds.

    Args:
        table: A side of the dataset.

    Returns:
        The provider, or where there is none the document: what is said of a place in one report is often said again.
    """
    return table["provider"].fillna(table["document"]).to_numpy()


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


def _join(rows: pd.DataFrame, sentences: Path) -> pd.DataFrame:
    """Give every label row its document id and the sentence before, and text and context to those by key.

    Returns:
        `DATASET_COLUMNS`, one boolean column a label, `source`, `reviewed`, `held`, and `met`: for a label by key
        "exact", "loose", "unmatched" or "absent", for any other an empty string. `text` is null where nothing was met.
    """
    id_of = {entry["report"]: entry["report_id"] for entry in load_manifest(sentences)["reports"]}
    # A document goes by the hash of its content where that is known, so that all its labels share one side.
    rows["document"] = rows["report_id"].fillna(rows["report"].map(id_of)).fillna(rows["report"])
    rows["before"] = rows["before"].fillna(pd.Series(_texts_before(rows), index=rows.index, dtype="str"))
    keyed = rows["text"].isna()
    rows["met"] = keyed.map({True: "absent", False: ""})
    rows["page"] = pd.Series(pd.NA, index=rows.index, dtype="str")
    here = rows["document"].isin(set(id_of.values()))
    if here.any():
        store = load_sentences(sentences)
        store = store[store["report_id"].isin(set(rows.loc[here, "document"]))]
        store = store.assign(before=store.groupby("report_id")["text"].shift())
        # A sentence that stands twice in a document is met where it stands first.
        known = store.drop_duplicates(["report_id", "key"]).set_index(["report_id", "key"])
        by_loose_key = _match_loosely(rows[keyed & here], known)
        rows.loc[by_loose_key.index, "key"] = by_loose_key
        found = known.reindex(pd.MultiIndex.from_frame(rows[["document", "key"]])).set_index(rows.index)
        met = found["text"].notna()
        rows.loc[keyed & here, "met"] = met.map({True: "exact", False: "unmatched"})
        rows.loc[by_loose_key.index, "met"] = "loose"
        for name in ("text", "report", *_CONTEXT):
            rows.loc[keyed & met, name] = found[name]
        rows.loc[met, "page"] = found["page"].astype("str")
        # The document knows better than the label file, which may hold only some of its sentences.
        rows.loc[met, "before"] = found["before"]
    wanted = [*DATASET_COLUMNS, *LABELS, "source", "met", "reviewed", "held"]
    return rows[wanted].astype(dict.fromkeys(DATASET_COLUMNS, "str"))


def _prefer_reviewed(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Drop labels of sentences that reviewers answered, and sentences on which reviewers disagree.

    Returns:
        What is left, and the number of sentences held back.
    """
    places = pd.MultiIndex.from_frame(rows[["document", "key"]])
    replaced = ~rows["reviewed"] & places.isin(places[rows["reviewed"]])
    # Whoever disagrees may be right: until it is settled, an older label is no safer than either answer.
    kept = rows[~replaced & ~rows["held"]].drop(columns="held")
    return kept.reset_index(drop=True), int(rows["held"].sum())


def _match_loosely(rows: pd.DataFrame, known: pd.DataFrame) -> "pd.Series[str]":
    """Find the sentences of those labels whose exact key meets none.

    Args:
        rows: Labels by key.
        known: Sentences by (report_id, key).

    Returns:
        The key of the sentence that is met, by index of the label row; nothing for a loose key that two different
        sentences of the document share.
    """
    places = pd.MultiIndex.from_frame(rows[["document", "key"]])
    exact = places.isin(known.index)
    missed = rows[~exact & rows["loose_key"].notna()]
    # A sentence with a label of its own takes no second one.
    free = known.index[~known.index.isin(places) & known.index.isin(set(missed["document"]), level=0)]
    loose = [(report_id, loose_key(text)) for (report_id, _), text in known.loc[free, "text"].items()]
    keys = pd.Series(free.get_level_values("key"), index=pd.MultiIndex.from_tuples(loose, names=[0, 1]), dtype="str")
    keys = keys[~keys.index.duplicated(keep=False)]
    found = keys.reindex(pd.MultiIndex.from_frame(missed[["document", "loose_key"]])).set_axis(missed.index)
    return found.dropna()


def _texts_before(rows: pd.DataFrame) -> list[str | None]:
    """Return the text before each row in its own label file's document, as far as the file tells.

    Loose sentences have `position` (their rank in a group) but stand in no paragraph; nothing goes before them.
    """
    positions = pd.to_numeric(rows["position"], errors="coerce")
    placed = positions.notna() & (pd.to_numeric(rows["paragraph"], errors="coerce") > 0) & rows["text"].notna()
    places = list(zip(rows["source"], rows["document"], positions, strict=True))
    texts = {place: text for place, text, on in zip(places, rows["text"], placed, strict=True) if on}
    return [
        texts.get((source, document, position - 1)) if on else None
        for (source, document, position), on in zip(places, placed, strict=True)
    ]


def _count_keyed(rows: pd.DataFrame) -> dict[str, int]:
    """Count what the labels by key of one file met."""
    counts = {name: int((rows["met"] == name).sum()) for name in ("exact", "loose", "unmatched", "absent")}
    return {"labels": len(rows), "joined": counts["exact"] + counts["loose"], **counts}


def _summary(table: pd.DataFrame) -> dict[str, Any]:
    """Count and hash one side; the hash depends on what is trained or tested on, not on the file format."""
    digest = sha256()
    for row in table[["document", "section", "kind", "before", "text", *LABELS]].itertuples(index=False):
        digest.update(json.dumps([None if pd.isna(value) else value for value in row], ensure_ascii=False).encode())
    return {
        "sha256": digest.hexdigest(),
        "sentences": len(table),
        "documents": int(table["document"].nunique()),
        "labels": {label: int(table[label].sum()) for label in LABELS},
        "none": int((~table[list(LABELS)].any(axis=1)).sum()),
        "doc_types": {str(name): int(n) for name, n in table["doc_type"].value_counts().sort_index().items()},
        "sources": {str(name): int(n) for name, n in table["source"].value_counts().sort_index().items()},
    }
