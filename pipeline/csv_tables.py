"""CSV tables that people open in a spreadsheet: UTF-8 that Excel knows as such, and no cell that runs as a formula."""

import csv
import json
import re
from collections.abc import Iterable
from pathlib import Path

from pipeline.files import replace_file

# A spreadsheet takes a cell that begins so for a formula.
_FORMULA = frozenset("=+-@\t\r")
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)*%?")


def write_csv(path: Path, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a small table for spreadsheets.

    Args:
        path: The CSV file; UTF-8 with byte order mark.
        header: Names of the columns.
        rows: The values; none of them is ever run as a formula.
    """
    with replace_file(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(safe_cell, header))
        writer.writerows(map(safe_cell, row) for row in rows)


def safe_cell(value: object) -> str:
    """Write a value as a CSV cell that no spreadsheet runs as a formula.

    Args:
        value: Any value of a findings table.

    Returns:
        Text; a string that begins with = + - @, a tab or a carriage return, and is no plain number, gets an apostrophe
        in front.
    """
    if isinstance(value, str):
        return f"'{value}" if value[:1] in _FORMULA and not _NUMBER.fullmatch(value) else value
    if value is None or value != value:  # NaN alone differs from itself
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
