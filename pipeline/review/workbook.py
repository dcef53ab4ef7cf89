"""Review files as an Excel workbook with drop-downs."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import DataError
from pipeline.labels import LABELS
from pipeline.review.items import NO, YES
from pipeline.spreadsheet import save_timeless

SHEET = "review"
_WIDTHS = {"text": 80, "before": 40, "section": 28, "report": 28, "comment": 28, "why": 40, "model_labels": 20}
_WRAPPED = ("text", "before", "section", "report", "comment", "why")
_ILLEGAL = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_HOW = (
    "For each sentence, choose yes or no for strength, weakness and commitment.",
    "If one is yes, the others may stay empty: they count as no.",
    "A sentence that states none of the three gets no three times. An empty row counts as not answered.",
    "Judge what the sentence says. The sentence before may only settle what a word such as 'they' means.",
    "Strength: something about the service or people's outcomes is judged as working well, or as better than before.",
    "Weakness: something is judged as not good enough, missing, late or inconsistent, or must improve.",
    "Commitment: the council or its partners undertake, plan or intend something whose result still lies ahead.",
    "Leave the columns id and text as they are. Rows may be sorted, filtered and removed.",
)


def save_workbook(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows to a sheet with drop-downs in the label columns, and how to answer to a second one.

    Text is never a formula, whatever it begins with, and stays so when its cell is edited. Equal rows make equal bytes.

    Args:
        path: The file.
        columns: Names of the columns.
        rows: Values by column: text, numbers or None.
    """
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    workbook = Workbook()
    sheet: Any = workbook.active
    sheet.title = SHEET
    wrapped = Alignment(wrap_text=True, vertical="top")
    for place, name in enumerate(columns, start=1):
        sheet.column_dimensions[get_column_letter(place)].width = _WIDTHS.get(name, 13)
        cell = sheet.cell(1, place, name)
        cell.font = Font(bold=True)
        for rank, row in enumerate(rows, start=2):
            _fill(sheet.cell(rank, place), row[name], link=name == "link")
            if name in _WRAPPED:
                sheet.cell(rank, place).alignment = wrapped
    choices = DataValidation("list", formula1=f'"{YES},{NO}"', allow_blank=True, showErrorMessage=True)
    choices.error, choices.errorTitle = f"Choose {YES} or {NO}, or leave the cell empty.", "Not an answer"
    for label in LABELS:
        letter = get_column_letter(columns.index(label) + 1)
        choices.add(f"{letter}2:{letter}{max(len(rows), 1) + 1}")
    sheet.add_data_validation(choices)
    sheet.freeze_panes = "C2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(columns))}{len(rows) + 1}"
    help_sheet: Any = workbook.create_sheet("how to answer")
    help_sheet.column_dimensions["A"].width = 120
    for line in _HOW:
        help_sheet.append([line])
    save_timeless(workbook, path)


def read_workbook(
    path: Path, check_columns: Callable[[Path, Sequence[str]], None]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Read the rows of a workbook that `save_workbook` wrote and somebody filled in.

    Args:
        path: The file.
        check_columns: Raises if the header is wrong.

    Yields:
        ("row 5", values by column) of each row that is not empty.

    Raises:
        DataError: It is no workbook, lacks the sheet, or has merged cells.
    """
    from openpyxl import load_workbook

    try:
        workbook = load_workbook(path)
    except Exception as error:  # whatever the parser meets in bytes that are no workbook
        reason = str(error).strip("'\"") or type(error).__name__
        raise DataError(f"{path}: not a readable workbook ({reason}); save it as .xlsx without a password.") from None
    if SHEET not in workbook.sheetnames:
        found = ", ".join(workbook.sheetnames)
        raise DataError(f"{path}: no sheet {SHEET!r}; found {found}. Call the sheet with the answers {SHEET!r} again.")
    sheet: Any = workbook[SHEET]
    merged = sorted(str(cells) for cells in sheet.merged_cells.ranges)
    if merged:
        raise DataError(
            f"{path}: cells {', '.join(merged[:5])} are merged, so that one answer stands for several rows; unmerge "
            "them and fill in every row."
        )
    lines = sheet.iter_rows(values_only=True)
    names = [str(value).strip() if value is not None else "" for value in next(lines, ())]
    check_columns(path, names)
    for number, values in enumerate(lines, start=2):
        if any(value not in (None, "") for value in values):
            yield f"row {number}", dict(zip(names, values, strict=True))


def _fill(cell: Any, value: Any, *, link: bool) -> None:  # noqa: ANN401
    if not isinstance(value, str):
        cell.value = value
        return
    text = _ILLEGAL.sub("", value)
    if not text:
        return
    cell.value = text
    cell.data_type = "s"
    # What the apostrophe does that a person types: the cell stays text when it is edited.
    cell.quotePrefix = text[0] in "=+-@"
    if link:
        cell.hyperlink = text
        cell.style = "Hyperlink"
