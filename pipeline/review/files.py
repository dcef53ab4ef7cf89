"""Review files: items out as CSV, JSON lines, a workbook or Label Studio tasks, and answers back in."""

import csv
import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from pipeline.csv_tables import safe_cell
from pipeline.errors import DataError, UsageError, wrong_rows
from pipeline.files import json_object, replace_file
from pipeline.labels import LABELS
from pipeline.review.items import ANSWER_COLUMNS, COMMENT, Answer, Item, columns_of, one_line, parse_answer

SUFFIXES = (".xlsx", ".csv", ".jsonl", ".json")
_NEEDED = ("id", "text", *ANSWER_COLUMNS)
_HELP = "nothing was imported, and docs/review.md describes the formats"
Rows = Iterable[tuple[str, Mapping[str, Any]]]


def check_suffix(path: Path) -> None:
    """Check that a path names a review file.

    Args:
        path: The file.

    Raises:
        UsageError: Its suffix is none of `SUFFIXES`.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"{path}: found {path.suffix!r}; accepted: .xlsx, .csv, .jsonl, or .json (of Label Studio).")


def write_items(path: Path, items: Sequence[Item], *, blind: bool) -> list[Path]:
    """Write a review file.

    Args:
        path: The file; its suffix says which format.
        items: What to judge; answers that they have are filled in.
        blind: Whether to hide the model's view.

    Returns:
        The files written: with Label Studio tasks (.json) comes the labelling config (.xml).

    Raises:
        UsageError: The suffix is none of `SUFFIXES`.
        FindingsError: The file cannot be written.
    """
    from pipeline.review.label_studio import render_config, render_tasks
    from pipeline.review.workbook import save_workbook

    check_suffix(path)
    suffix, columns = path.suffix.lower(), columns_of(blind=blind)
    rows = [item.row(blind=blind) for item in items]
    written = [path]
    with replace_file(path) as temporary:
        if suffix == ".csv":
            # The byte order mark is what tells Excel that quotes and dashes are UTF-8.
            with temporary.open("w", encoding="utf-8-sig", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows([guard_cell(value) for value in row.values()] for row in rows)
        elif suffix == ".jsonl":
            lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
            temporary.write_text("".join(lines), encoding="utf-8", newline="\n")
        elif suffix == ".xlsx":
            save_workbook(temporary, columns, rows)
        else:
            temporary.write_bytes(render_tasks(items, blind=blind))
    if suffix == ".json":
        written.append(path.with_suffix(".xml"))
        with replace_file(written[1]) as temporary:
            temporary.write_text(render_config(blind=blind), encoding="utf-8", newline="\n")
    return written


def read_answers(path: Path, problems: list[str] | None = None) -> tuple[list[Answer], list[str]]:
    """Read the answers of a review file.

    Args:
        path: A review file as it was written, with answers, or a JSON export of Label Studio.
        problems: Gets what is wrong with single rows, for a caller that has more to check; by default it is an error.

    Returns:
        The answers, without the sentences that nobody answered; and notes for the reader.

    Raises:
        UsageError: The suffix is none of `SUFFIXES`.
        DataError: The file cannot be read or lacks a column; or, without `problems`, a row is wrong: the message lists
            every such row.
    """
    from pipeline.review.label_studio import parse_export
    from pipeline.review.workbook import read_workbook

    check_suffix(path)
    notes: list[str] = []
    wrong: list[str] = [] if problems is None else problems
    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        answers = _answers(read_workbook(path, check_columns), notes, wrong)
    elif suffix == ".csv":
        answers = _answers(_csv_rows(path, _decode(path, notes)), notes, wrong)
    elif suffix == ".jsonl":
        answers = _answers(_json_rows(path, _decode(path, notes), wrong), notes, wrong)
    else:
        answers = parse_export(path, _decode(path, notes), notes, wrong)
    if wrong and problems is None:
        raise wrong_rows(str(path), wrong, _HELP)
    return answers, notes


def guard_cell(value: object) -> str:
    """Write a value as a CSV cell that no spreadsheet runs as a formula, so that `restore_cell` gives it back exactly.

    Args:
        value: Text, a number or None.

    Returns:
        The cell.
    """
    if isinstance(value, str) and _runs(value):
        return "'" + value
    return safe_cell(value)


def restore_cell(cell: str) -> str:
    """Take back what `guard_cell` did.

    Args:
        cell: The cell.

    Returns:
        The text.
    """
    return cell[1:] if cell.startswith("'") and _runs(cell) else cell


def check_columns(path: Path, names: Sequence[str]) -> None:
    """Check the header of a review file.

    Args:
        path: The file.
        names: The names of its columns.

    Raises:
        DataError: One that is needed is missing, or stands there twice.
    """
    for name in _NEEDED:
        if names.count(name) > 1:
            raise DataError(f"{path}: column {name!r} stands there twice; remove one of them. {_HELP.capitalize()}.")
        if name not in names:
            others = [other for other in names if other and other not in columns_of(blind=False)]
            near = difflib.get_close_matches(name, others, n=1)
            hint = f"; was {near[0]!r} renamed? Call it {name!r} again" if near else ""
            found = ", ".join(filter(None, names)) or "nothing"
            raise DataError(f"{path}: no column {name!r}; found {found}{hint}. {_HELP.capitalize()}.")


def _runs(text: str) -> bool:
    """Tell whether a spreadsheet would run a text, apostrophes in front aside."""
    core = text.lstrip("'")
    return safe_cell(core) != core


def _decode(path: Path, notes: list[str]) -> str:
    """Read text in UTF-8, or as Excel writes it: UTF-16 with its mark, or Windows-1252."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error}).") from None
    encoding = "utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        where = error.start
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        raise DataError(f"{path}: not UTF-8 (byte {where}); save it as CSV UTF-8. {_HELP.capitalize()}.") from None
    if path.suffix.lower() != ".csv":
        raise DataError(
            f"{path}: not UTF-8 (byte {where}); was it edited and saved? Export it anew, or save it as UTF-8."
        )
    notes.append("the file is not UTF-8 and was read as Windows-1252; in Excel, save as CSV UTF-8")
    return text


def _csv_rows(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    header = text.split("\n", 1)[0]
    # Excel writes the separator of the country it is set up for.
    separator = max(",;\t", key=header.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        check_columns(path, names)
        before = reader.line_num
        for cells in reader:
            # What stands in the way of a line is a quote that nobody closed; a row is named by the line it begins on.
            place, before = f"line {before + 1}", reader.line_num
            if any(cell.strip() for cell in cells):
                values = [*map(restore_cell, cells), *[""] * (len(names) - len(cells))]
                if len(cells) > len(names):
                    raise DataError(f"{path}: {place} has {len(cells)} cells, the header has {len(names)}. {_HELP}.")
                yield place, dict(zip(names, values, strict=True))
    except csv.Error as error:
        raise DataError(
            f"{path}: line {reader.line_num}: not readable as CSV ({error}). {_HELP.capitalize()}."
        ) from None


def _json_rows(path: Path, text: str, problems: list[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"line {number}"
        try:
            row = json_object(line)
        except ValueError as error:
            problems.append(f"{place}: {error}")
            continue
        missing = [name for name in _NEEDED if name not in row]
        if missing:
            problems.append(f"{place}: no {', '.join(missing)}")
            continue
        yield place, row


def _answers(rows: Rows, notes: list[str], problems: list[str]) -> list[Answer]:
    """Read rows of columns; note what is wrong with them."""
    answers = []
    remarks = 0
    for place, row in rows:
        identifier, comment = one_line(row["id"]), one_line(row[COMMENT])
        try:
            labels = parse_answer(row[label] for label in LABELS)
        except ValueError as error:
            problems.append(f"{place}: {error}")
            continue
        if labels is None:
            remarks += bool(comment)
        elif not identifier:
            problems.append(f"{place}: answered, but its 'id' is empty; copy it from the exported file")
        else:
            version = one_line(row.get("model_version"))
            answers.append(Answer(place, identifier, str(row["text"] or ""), labels, comment, version))
    if remarks:
        notes.append(f"{remarks} comment(s) on sentences without an answer are not kept")
    return answers
