"""Cells of CSV files as spreadsheets take them."""

import csv
import math

import pytest

from pipeline.csv_tables import safe_cell, write_csv

FORMULA = '=HYPERLINK("http://example.invalid";"x")'


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (FORMULA, "'" + FORMULA),
        ("+1 more", "'+1 more"),
        ("-1+2", "'-1+2"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\tx", "'\tx"),
        ("\rx", "'\rx"),
        ("- a bullet", "'- a bullet"),
        ("-5", "-5"),
        ("+3.5%", "+3.5%"),
        ("plain", "plain"),
        (None, ""),
        (math.nan, ""),
        (True, "true"),
        (0.25, "0.25"),
        ([1, "é"], '[1, "é"]'),
    ],
)
def test_cells_never_run_as_formulas(value, cell):
    assert safe_cell(value) == cell


def test_headers_and_cells_are_made_safe_alike(tmp_path):
    write_csv(tmp_path / "t.csv", ("a", "@b"), [("=1", 1), ("x, y", None)])
    raw = (tmp_path / "t.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(raw.decode("utf-8-sig").splitlines())) == [["a", "'@b"], ["'=1", "1"], ["x, y", ""]]
