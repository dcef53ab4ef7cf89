"""The findings as a review sees them: every sentence with its document, the sentence before, and what labels it."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.classifier import PREDICTION_COLUMNS, PROBABILITY_COLUMNS
from pipeline.errors import DataError
from pipeline.labels import LABELS, find_label_files, format_labels, label_matrix, loose_key, read_labels
from pipeline.review.events import Place, Resolution
from pipeline.review.items import POOLS, Item, item_id
from pipeline.sentences import sentence_key

CONTEXT = ("report", "report_id", "doc_type", "provider", "published", "section", "kind")
_SUFFIX_OF_INPUT = "_input"
_TRUE = {"true": True, "false": False}


def load_findings(path: Path) -> pd.DataFrame:
    """Read a findings table.

    Args:
        path: .parquet, .csv or .jsonl, as `findings classify` writes it.

    Returns:
        One row a sentence: the context columns (null where the table has none), `document`, `key`, `text`, `before`,
        `page`, `position`, one boolean column a label, `labels`, the probabilities (0 to 1) and `model_version`.

    Raises:
        DataError: There is no such table, or it holds no findings of documents.
    """
    from pipeline.tables import read_table

    if not path.is_file():
        raise DataError(
            f"{path}: not there; run `findings classify` (or `dvc repro`) first, or name it with --findings."
        )
    if path.suffix.lower() not in (".parquet", ".csv", ".jsonl"):
        raise DataError(f"{path}: found {path.suffix!r}; accepted are findings as .parquet, .csv or .jsonl.")
    raw = read_table(path)
    # A reader of sentences to label sets predictions aside; here they are what is wanted.
    names = [name.removesuffix(_SUFFIX_OF_INPUT) for name in raw.column_names]
    table: pd.DataFrame = raw.rename_columns(
        [name if name in PREDICTION_COLUMNS else old for name, old in zip(names, raw.column_names, strict=True)]
    ).to_pandas()
    missing = [name for name in (*LABELS, *PROBABILITY_COLUMNS, "model_version") if name not in table]
    if missing:
        raise DataError(
            f"{path}: no column {', '.join(missing)}; this is no table of findings. Run `findings classify`."
        )
    for name in (*CONTEXT, "page"):
        if name not in table:
            table[name] = None
    document = table["report_id"].fillna(table["report"])
    if document.isna().any() or (document == "").any():
        raise DataError(
            f"{path}: rows without 'report_id' and 'report', but a label belongs to a document; add such a column."
        )
    return _complete(table.assign(document=document.astype(str)), path)


def _complete(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Give every column its type, and add what can be derived."""
    if path.suffix.lower() == ".csv":
        table = table.replace({"": None})
        table["text"] = [_restored(text or "") for text in table["text"]]
    try:
        for label in LABELS:
            table[label] = table[label].map(lambda value: _TRUE.get(value, value)).astype(bool)
        for name in PROBABILITY_COLUMNS:
            table[name] = pd.to_numeric(table[name])
        table["page"] = pd.to_numeric(table["page"]).astype("Int64")
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: not as `findings classify` writes it ({error}); write it anew.") from None
    by_document = table.groupby("document", sort=False)
    if "position" in table:
        table["position"] = pd.to_numeric(table["position"])
    else:
        table["position"] = by_document.cumcount() + 1
    if "key" not in table:
        table["key"] = [sentence_key(text) for text in table["text"]]
    masks = label_matrix(table)
    names = {mask: format_labels(mask) for mask in set(map(tuple, masks.tolist()))}
    return table.assign(
        before=by_document["text"].shift(), labels=[names[tuple(mask)] for mask in masks.tolist()]
    ).reset_index(drop=True)


def _restored(text: str) -> str:
    """Take back the apostrophe that keeps a spreadsheet from running a cell."""
    return text[1:] if text[:1] == "'" and text[1:2] in "=+-@\t\r" and text[1:2] else text


def given_labels(findings: pd.DataFrame, labels: Path) -> "pd.Series[str]":
    """Tell which sentences have a label in the label files, those of reviewers aside.

    Args:
        findings: What `load_findings` gave.
        labels: Folder of label files; it need not be there.

    Returns:
        Labels as words by row of the findings; null where there is none. A label with text counts for its text
        anywhere, a label by key for its own document.

    Raises:
        DataError: A label file is wrong.
    """
    nothing = pd.Series([None] * len(findings), index=findings.index, dtype="str")
    if not labels.is_dir() or (not any(labels.rglob("*.jsonl")) and not any(labels.rglob("*.csv"))):
        return nothing
    rows = read_labels(find_label_files(labels))
    rows["words"] = [format_labels(mask) for mask in label_matrix(rows)]
    # In the findings a document goes by its id; a label file may name it by its file instead.
    id_of = dict(zip(findings["report"], findings["document"], strict=True))
    rows["document"] = rows["report_id"].fillna(rows["report"].map(id_of)).fillna(rows["report"])
    with_text = rows[rows["text"].notna()].drop_duplicates("key").set_index("key")["words"]
    found = findings["key"].map(with_text).astype("str")
    keyed = rows[rows["text"].isna() & rows["document"].isin(set(findings["document"]))]
    found = found.fillna(_look_up(findings["document"], findings["key"], keyed, "key"))
    waiting = found.isna() & findings["document"].isin(set(keyed.loc[keyed["loose_key"].notna(), "document"]))
    loose = findings.loc[waiting, "text"].map(loose_key)
    return found.fillna(_look_up(findings.loc[waiting, "document"], loose, keyed, "loose_key"))


def _look_up(documents: "pd.Series[str]", keys: "pd.Series[str]", rows: pd.DataFrame, name: str) -> "pd.Series[str]":
    known = rows[rows[name].notna()].drop_duplicates(["document", name]).set_index(["document", name])["words"]
    places = pd.MultiIndex.from_arrays([documents, keys])
    return pd.Series(known.reindex(places).to_numpy(), index=documents.index, dtype="str")


def reviewed_rows(findings: pd.DataFrame, answered: dict[Place, Resolution]) -> npt.NDArray[np.bool_]:
    """Tell which sentences reviewers have answered, or the same text in another document.

    Args:
        findings: What `load_findings` gave.
        answered: What `pipeline.review.events.resolve` gave.

    Returns:
        One truth value a row.
    """
    texts = {event.key for one in answered.values() for event in one.events() if event.text is not None}
    places = pd.MultiIndex.from_frame(findings[["document", "key"]])
    result: npt.NDArray[np.bool_] = findings["key"].isin(texts).to_numpy() | places.isin(list(answered))
    return result


def rows_by_id(findings: pd.DataFrame) -> dict[str, tuple[int, str]]:
    """Give every identifier that a review file may hold.

    Args:
        findings: What `load_findings` gave.

    Returns:
        `Item.id` → (row of the sentence where it stands first, pool).
    """
    first = findings.drop_duplicates(["document", "key"])
    return {
        item_id(document, key, pool): (row, pool)
        for row, document, key in zip(first.index, first["document"], first["key"], strict=True)
        for pool in POOLS
    }


def make_items(
    findings: pd.DataFrame, whys: Sequence[str], pools: Sequence[str], output: Path, pages: Path
) -> list[Item]:
    """Describe sentences for a review file.

    Args:
        findings: The rows to describe, in order.
        whys: Why each was picked.
        pools: Pool of each.
        output: The file that will hold them, from where links lead.
        pages: Folder of the pages made from the findings.

    Returns:
        One item a row, without answers.
    """
    there = {name: (pages / f"{name}.html").is_file() for name in findings["document"].unique()}
    probabilities = findings[list(PROBABILITY_COLUMNS)].to_numpy(dtype=float)
    return [
        Item(
            id=item_id(row.document, row.key, pool),
            text=row.text,
            before=_words(row.before),
            section=_words(row.section),
            report=_words(row.report) or row.document,
            page=None if pd.isna(row.page) else int(row.page),
            link=_link(pages / f"{row.document}.html", output, row.position) if there[row.document] else "",
            why=why,
            model_labels=row.labels,
            probabilities=tuple(round(float(value), 4) for value in chances),
            model_version=row.model_version,
        )
        for row, why, pool, chances in zip(_records(findings), whys, pools, probabilities, strict=True)
    ]


def _records(findings: pd.DataFrame) -> Iterable["pd.Series[str]"]:
    return (row for _, row in findings.iterrows())


def _words(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value)


def _link(page: Path, output: Path, position: object) -> str:
    try:
        relative = Path(os.path.relpath(page, output.parent)).as_posix()
    except ValueError:  # another drive
        return f"{page.resolve().as_uri()}#s{position}"
    return f"{quote(relative)}#s{position}"
