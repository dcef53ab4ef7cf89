import pytest
from openpyxl import Workbook, load_workbook

from pipeline.errors import DataError
from pipeline.review.files import read_answers, write_items
from pipeline.review.items import Item
from pipeline.review.workbook import SHEET


@pytest.fixture
def book(tmp_path):
    """A workbook of two sentences; changed by a function of its sheet and saved."""
    items = [
        Item(f"s{number:015}", text, "", "", "r", 3, "reports/0.html#s3", "w", "none", (0.1, 0.1, 0.1), "v")
        for number, text in enumerate(("=1+1 is no formula.", "Plans are clear."))
    ]
    path = tmp_path / "queue.xlsx"
    write_items(path, items, blind=False)

    def change(by):
        workbook = load_workbook(path)
        by(workbook[SHEET])
        workbook.save(path)
        return path

    return change


def column(sheet, name):
    return next(cell.column for cell in sheet[1] if cell.value == name)


def test_drop_downs_links_and_text_that_stays_text(book):
    sheet = load_workbook(book(lambda sheet: None))[SHEET]
    (choices,) = sheet.data_validations.dataValidation
    assert (choices.formula1, choices.type) == ('"yes,no"', "list")
    letters = [sheet.cell(1, column(sheet, name)).column_letter for name in ("strength", "weakness", "commitment")]
    assert str(choices.sqref) == " ".join(f"{letter}2:{letter}3" for letter in letters)
    cell = sheet.cell(2, column(sheet, "text"))
    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=1+1 is no formula.", "s", True)
    assert sheet.cell(2, column(sheet, "link")).hyperlink.target == "reports/0.html#s3"


def test_answers_are_read_by_row(book):
    def fill(sheet):
        sheet.cell(3, column(sheet, "strength")).value = "Yes"
        sheet.cell(3, column(sheet, "comment")).value = 5

    (answer,), _ = read_answers(book(fill))
    assert (answer.place, answer.labels, answer.comment) == ("row 3", (True, False, False), "5")


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (
            lambda sheet: sheet.merge_cells("C2:C3"),
            "cells C2:C3 are merged, so that one answer stands for several rows",
        ),
        (
            lambda sheet: setattr(sheet.cell(1, 3), "value", "Strengths"),
            "no column 'strength'.*was 'Strengths' renamed",
        ),
        (lambda sheet: setattr(sheet.cell(2, 3), "value", "=B2"), "row 2: strength: found '=B2'; accepted: yes"),
        (lambda sheet: setattr(sheet, "title", "Sheet1"), "no sheet 'review'; found Sheet1, how to answer"),
    ],
)
def test_edited_workbooks(book, by, message):
    with pytest.raises(DataError, match=message):
        read_answers(book(by))


def test_bytes_that_are_no_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"PK")
    with pytest.raises(DataError, match="not a readable workbook"):
        read_answers(path)
    Workbook().save(path)
    with pytest.raises(DataError, match="no sheet 'review'; found Sheet"):
        read_answers(path)
