"""The label scheme, and the files that hold labels."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.errors import DataError, wrong_rows
from pipeline.files import json_object, read_table_text
from pipeline.sentences import normalise, sentence_key

if TYPE_CHECKING:
    import pandas as pd

LABELS = ("strength", "weakness", "commitment")
NONE = "none"
# The pool of sentences that were drawn at random: scores on them are unbiased.
NATURAL = "natural"
LABEL_COLUMNS = (
    "report",
    "report_id",
    "doc_type",
    "provider",
    "published",
    "section",
    "kind",
    "paragraph",
    "position",
    "before",
    "text",
    "key",
    "loose_key",
    "labels",
    "annotator",
    "annotated",
    "pool",
)
RESERVED_KEYS = Path("data/reserved-keys.txt")
LABEL_SUFFIXES = (".jsonl", ".csv")
# Below the folder of label files: the answers of reviewers, which are events and no label rows.
REVIEWED_FOLDER = "reviewed"
_TEXT_COLUMNS = ("text", "key", "loose_key", "report", "report_id")
_LETTERS = {"S": "strength", "W": "weakness", "C": "commitment"}
_KEY = re.compile(r"[0-9a-f]{64}")
_PARAGRAPH_NUMBER = re.compile(r"^\s*\d{1,3}[.)]?\s*(?=\S)")
_HELP = "docs/labels.md describes the format"


def parse_labels(value: str) -> tuple[bool, ...]:
    """Read a set of labels from words ("strength; weakness", "none") or letters ("SW", "N").

    Args:
        value: Labels in any order; upper and lower case are equal.

    Returns:
        One truth value a label, in the order of `LABELS`.

    Raises:
        ValueError: A part is no label, or "none" stands beside a label.

    Example:
        >>> parse_labels("SW")
        (True, True, False)
    """
    cleaned = value.strip()
    if cleaned and set(cleaned) <= {*_LETTERS, "N"}:
        parts = {_LETTERS.get(letter, NONE) for letter in cleaned}
    else:
        parts = {part.strip().lower() for part in cleaned.replace(",", ";").split(";")}
    if parts == {NONE}:
        return (False,) * len(LABELS)
    unknown = sorted(parts - set(LABELS))
    if unknown:
        found = ", ".join(repr(part) for part in unknown)
        raise ValueError(f'found label {found}; accepted: {", ".join(LABELS)}, joined by "; ", or "{NONE}" alone')
    return tuple(label in parts for label in LABELS)


def format_labels(mask: Sequence[Any] | npt.NDArray[np.bool_]) -> str:
    """Write a set of labels in canonical order.

    Args:
        mask: One truth value a label, in the order of `LABELS`.

    Returns:
        Names joined by "; ", or "none".

    Example:
        >>> format_labels([True, False, True])
        'strength; commitment'
    """
    return "; ".join(label for label, on in zip(LABELS, mask, strict=True) if on) or NONE


def label_matrix(table: "pd.DataFrame") -> npt.NDArray[np.bool_]:
    """Take the label columns of a table.

    Args:
        table: A table with one boolean column a label.

    Returns:
        Array of shape (rows, labels).
    """
    return table[list(LABELS)].to_numpy(dtype=bool)


def loose_key(text: str) -> str:
    """Return a hash that stays the same where reading differs in hyphens, spaces or a paragraph number in front.

    Whether "multi-" at the end of a line goes on as "multi-agency" or "multiagency" is for the reader to judge, and
    another reader may judge otherwise; its letters are the same.

    Args:
        text: The sentence.

    Returns:
        First 16 hex digits of the SHA-256 of its letters and digits, without a leading number of up to three digits.

    Example:
        >>> loose_key("12. A well-kept plan.") == loose_key("A wellkept plan")
        True
    """
    return sha256(normalise(_PARAGRAPH_NUMBER.sub("", text, count=1)).replace(" ", "").encode()).hexdigest()[:16]


def read_reserved(path: Path) -> set[str]:
    """Read the keys of sentences that are reserved for a benchmark: they never teach.

    Args:
        path: One key a line; lines that begin with # are remarks. Need not exist.

    Returns:
        The keys.

    Raises:
        DataError: A line is no key.
    """
    if not path.is_file():
        return set()
    lines = [line.strip() for line in read_table_text(path).splitlines()]
    keys = {line for line in lines if line and not line.startswith("#")}
    for key in keys:
        if not _KEY.fullmatch(key):
            raise DataError(f"{path}: found {key[:80]!r}, expected a key (64 hex digits) a line; {_HELP}.")
    return keys


def find_label_files(folder: Path) -> list[Path]:
    """List the label files under a folder.

    Args:
        folder: Searched recursively for .jsonl and .csv.

    Returns:
        The files, sorted by path, without the answers of reviewers (`reviewed/*.jsonl`).

    Raises:
        DataError: There is no file with labels of either kind.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix in LABEL_SUFFIXES and path.is_file())
    if not found:
        raise DataError(f"{folder}: no label file (.jsonl or .csv) found; {_HELP}.")
    return [path for path in found if path.suffix != ".jsonl" or path.parent != folder / REVIEWED_FOLDER]


def read_labels(paths: Iterable[Path], *, need_report: bool = True) -> "pd.DataFrame":
    """Read label files and check every row.

    Args:
        paths: .jsonl or .csv files with the columns `labels` and `text` or `key`, and any other of `LABEL_COLUMNS`;
            columns of other names are ignored.
        need_report: Whether each row must name its document, as training needs it.

    Returns:
        `LABEL_COLUMNS`, one boolean column a label, `source` (file) and `line`; rows in the order of the files.

    Raises:
        DataError: A file cannot be read, a column is missing, a row is wrong, or one text has two answers; the message
            lists every such row with its file and line.
    """
    import pandas as pd

    problems: list[str] = []
    rows: list[dict[str, Any]] = []
    for path in paths:
        for line, raw in _read_rows(path, problems):
            row = _check_row(raw, path, line, need_report, problems)
            if row is not None:
                rows.append(row)
    problems.extend(_conflicts(rows))
    if problems:
        raise wrong_rows("label files", problems, _HELP)
    table = pd.DataFrame(rows, columns=[*LABEL_COLUMNS, *LABELS, "source", "line"])
    return table.astype(dict.fromkeys(LABELS, bool))


def _read_rows(path: Path, problems: list[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (line number, row) of one file; note what cannot be parsed."""
    text = read_table_text(path)
    if path.suffix == ".csv":
        reader = csv.DictReader(text.splitlines(keepends=True))
        columns = list(reader.fieldnames or [])
        missing = _missing_columns(columns)
        if missing:
            raise DataError(f"{path}: no column {missing}; found {', '.join(columns) or 'nothing'}; {_HELP}.")
        for row in reader:
            yield reader.line_num, dict(row)
    elif path.suffix == ".jsonl":
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                value = json_object(line)
            except ValueError as error:
                problems.append(f"{path}:{number}: {error}")
                continue
            missing = _missing_columns(list(value))
            if missing:
                problems.append(f"{path}:{number}: no column {missing}")
                continue
            yield number, value
    else:
        raise DataError(f"{path}: unknown label file format {path.suffix!r}; accepted: .jsonl, .csv.")


def _missing_columns(columns: list[str]) -> str:
    """Name what a row of these columns lacks, or return an empty string."""
    if "labels" not in columns:
        return "'labels'"
    if "text" not in columns and "key" not in columns:
        return "'text' (or 'key')"
    return ""


def _check_row(
    raw: dict[str, Any], path: Path, line: int, need_report: bool, problems: list[str]
) -> dict[str, Any] | None:
    """Check one row and complete its key and label columns; note what is wrong and return None."""
    row = {name: raw.get(name) or None for name in LABEL_COLUMNS}
    place = f"{path}:{line}"
    if not isinstance(row["labels"], str):
        problems.append(f"{place}: 'labels' is empty; write \"{NONE}\" for a sentence without a label")
        return None
    try:
        mask = parse_labels(row["labels"])
    except ValueError as error:
        problems.append(f"{place}: {error}")
        return None
    if not (row["text"] or row["key"]):
        problems.append(f"{place}: neither 'text' nor 'key' is given")
        return None
    if not all(isinstance(row[name], str | None) for name in _TEXT_COLUMNS):
        problems.append(f"{place}: {', '.join(map(repr, _TEXT_COLUMNS))} must be strings")
        return None
    if need_report and not (row["report"] or row["report_id"]):
        problems.append(f"{place}: neither 'report' nor 'report_id' names the document")
        return None
    if row["text"]:
        row["key"] = sentence_key(row["text"])
    return {**row, **dict(zip(LABELS, mask, strict=True)), "source": path.as_posix(), "line": line}


def _conflicts(rows: list[dict[str, Any]]) -> list[str]:
    """Describe each text that has two different answers, with every place where it stands.

    A label by key answers for its own document alone: the same words may be a heading in one document and a sentence in
    another, and without the text nobody could tell which.
    """
    answers: dict[tuple[str | None, str], dict[str, list[str]]] = {}
    for row in rows:
        mask = format_labels([row[label] for label in LABELS])
        document = row["report_id"] or row["report"]
        for scope in dict.fromkeys([None, document] if row["text"] else [document]):
            places = answers.setdefault((scope, row["key"]), {}).setdefault(mask, [])
            places.append(f"{row['source']}:{row['line']}")
    found = (
        "one text, two answers: " + " but ".join(f"{mask} at {', '.join(places)}" for mask, places in given.items())
        for given in answers.values()
        if len(given) > 1
    )
    return list(dict.fromkeys(found))
