"""Findings as Parquet, CSV, JSON lines and XLSX."""

import csv
import json

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline import spreadsheet
from pipeline.errors import FindingsError
from pipeline.formats import Format
from pipeline.outputs import findings_schema, open_writers, write_failures
from pipeline.section_counts import WIDE_COLUMNS

FORMULA = '=HYPERLINK("http://example.invalid";"x")'


def findings(texts, report="a.pdf", report_id="0" * 16, sections=None):
    """Make findings by hand: the first sentence is a strength and a weakness, the others have no label."""
    rows = []
    for rank, text in enumerate(texts, start=1):
        first = rank == 1
        sentence = {"report": report, "report_id": report_id, "kind": "paragraph", "paragraph": 1, "text": text}
        sentence["section"] = sections[rank - 1] if sections else None
        labels = {"strength": first, "weakness": first, "commitment": False}
        scores = {"p_strength": 0.9, "p_weakness": 0.5, "p_commitment": 0.000002, "uncertain": not first}
        summary = {"labels": "strength; weakness" if first else "none", "model_version": "abc"}
        rows.append({"position": rank, **sentence, **labels, **scores, **summary})
    return pa.Table.from_pylist(rows, schema=findings_schema())


def write(folder, formats, *tables):
    with open_writers(folder, [Format(name) for name in formats], findings_schema()) as writers:
        for table in tables:
            for _, writer in writers:
                writer.write(table)
    return [path for path, _ in writers]


def rows_of(sheet):
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_all_formats_hold_the_same_rows(tmp_path):
    texts = ["“Good”, but <slow> & late.", FORMULA, "Line one\nline two", ""]
    paths = write(tmp_path, [*Format], findings(texts[:2]), findings(texts[2:], "b.pdf"))
    assert [path.name for path in paths] == [f"findings.{format}" for format in Format]
    table = parquet.read_table(tmp_path / "findings.parquet")
    assert table.schema == findings_schema()
    assert table["text"].to_pylist() == texts
    lines = (tmp_path / "findings.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == table.to_pylist()
    raw = (tmp_path / "findings.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbfreport,")
    assert b"\r" not in raw
    cells = list(csv.DictReader(raw.decode("utf-8-sig").splitlines(keepends=True)))
    assert [row["text"] for row in cells] == [texts[0], "'" + FORMULA, *texts[2:]]
    assert cells[0]["strength"] == "true"
    assert cells[0]["page"] == ""
    book = openpyxl.load_workbook(tmp_path / "findings.xlsx")
    values = rows_of(book["findings"])
    assert [row[values[0].index("text")] or "" for row in values[1:]] == texts


def test_equal_findings_make_equal_bytes(tmp_path):
    contents = []
    for name in ("one", "two"):
        paths = write(tmp_path / name, [*Format], findings(["A.", "B."]))
        contents.append([path.read_bytes() for path in paths])
    assert contents[0] == contents[1]


def test_the_workbook_is_ready_to_use(tmp_path):
    sections = ["Leaders", "Leaders", "=Help", "Leaders"]
    first = findings(["A.", FORMULA, "#N/A", "bell \x07 rings"], sections=sections)
    write(tmp_path, ["xlsx"], first, findings(["C."], "b.pdf", "1" * 16, sections=["Leaders"]))
    book = openpyxl.load_workbook(tmp_path / "findings.xlsx")
    assert book.sheetnames == ["findings", "counts"]
    sheet = book["findings"]
    assert (sheet.freeze_panes, sheet["A1"].font.bold) == ("A2", True)
    assert sheet.auto_filter.ref == "A1:W6"
    text = next(column for column in sheet.iter_cols() if column[0].value == "text")
    assert sheet.column_dimensions[text[0].column_letter].width == 90
    assert [(cell.value, cell.data_type) for cell in text[2:5]] == [
        (FORMULA, "s"),
        ("#N/A", "s"),
        ("bell  rings", "s"),
    ]
    counts = rows_of(book["counts"])
    assert counts[0] == list(WIDE_COLUMNS)
    rows = [dict(zip(counts[0], row, strict=True)) for row in counts[1:]]
    assert [(row["report"], row["section"], row["sentences"]) for row in rows] == [
        ("a.pdf", "Leaders", 3),
        ("a.pdf", "=Help", 1),
        ("b.pdf", "Leaders", 1),
    ]
    assert (rows[0]["strength"], rows[0]["share_strength"], rows[0]["share_none"]) == (1, 0.3333, 0.6667)
    assert book["counts"]["G3"].data_type == "s"
    assert (book["counts"].freeze_panes, book["counts"].auto_filter.ref) == ("A2", "A1:T4")


def test_what_does_not_fit_one_sheet_goes_on_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 3)
    write(tmp_path, ["xlsx"], findings(["1.", "2."]), findings(["3.", "4.", "5.", "6.", "7."]))
    book = openpyxl.load_workbook(tmp_path / "findings.xlsx")
    assert book.sheetnames == ["findings", "findings 2", "findings 3", "counts"]
    assert [sheet.max_row - 1 for sheet in book.worksheets[:3]] == [3, 3, 1]
    assert [sheet.auto_filter.ref for sheet in book.worksheets[:3]] == ["A1:W4", "A1:W4", "A1:W2"]


def test_counts_that_do_not_fit_one_sheet_go_on_in_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(spreadsheet, "MAX_ROWS", 3)
    write(tmp_path, ["xlsx"], findings(["1.", "2.", "3.", "4."], sections=["A", "B", "C", "D"]))
    book = openpyxl.load_workbook(tmp_path / "findings.xlsx")
    assert book.sheetnames == ["findings", "findings 2", "counts", "counts 2"]


def test_parquet_says_which_version_of_the_columns_it_has(tmp_path):
    write(tmp_path, ["parquet"], findings(["A."]))
    assert parquet.read_schema(tmp_path / "findings.parquet").metadata[b"findings_format"] == b"1"


def test_names_of_columns_never_run_as_formulas(tmp_path):
    schema = findings_schema(pa.schema([("text", pa.string()), (FORMULA, pa.string())]))
    table = findings(["A."]).append_column(FORMULA, pa.array(["x"])).select(schema.names)
    with open_writers(tmp_path, [Format.CSV, Format.XLSX], schema) as writers:
        for _, writer in writers:
            writer.write(table)
    with (tmp_path / "findings.csv").open(encoding="utf-8-sig", newline="") as file:
        assert next(csv.reader(file))[1] == "'" + FORMULA
    assert openpyxl.load_workbook(tmp_path / "findings.xlsx")["findings"]["B1"].data_type == "s"


def test_row_groups_do_not_follow_the_documents(tmp_path):
    write(tmp_path, ["parquet"], *(findings([f"{i}."]) for i in range(50)))
    assert parquet.ParquetFile(tmp_path / "findings.parquet").num_row_groups == 1


def test_nothing_stands_under_the_name_before_all_is_written(tmp_path):
    with (
        pytest.raises(RuntimeError),
        open_writers(tmp_path, [*Format], findings_schema()) as writers,
    ):
        writers[0][1].write(findings(["A."]))
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_no_findings_are_files_with_a_header(tmp_path):
    write(tmp_path, [*Format])
    assert parquet.read_table(tmp_path / "findings.parquet").num_rows == 0
    assert len((tmp_path / "findings.csv").read_text(encoding="utf-8-sig").splitlines()) == 1
    assert openpyxl.load_workbook(tmp_path / "findings.xlsx")["findings"].max_row == 1


def test_failures_always_have_a_header(tmp_path):
    write_failures(tmp_path / "f.csv", [])
    assert (tmp_path / "f.csv").read_text(encoding="utf-8-sig") == "file,reason\n"
    write_failures(tmp_path / "f.csv", [("=x.pdf", "empty, file")])
    assert (tmp_path / "f.csv").read_text(encoding="utf-8-sig").splitlines()[1] == '\'=x.pdf,"empty, file"'


def test_an_unwritable_place_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(FindingsError, match="cannot be written"):
        write(tmp_path / "file", ["csv"], findings(["A."]))


def test_many_small_tables_are_gathered(tmp_path):
    schema = pa.schema([("text", pa.string())])
    rows = [pa.table({"text": [str(number)]}, schema=schema) for number in range(2_500)]
    with open_writers(tmp_path, [Format.PARQUET], schema) as [(path, writer)]:
        for row in rows:
            writer.write(row)
            assert len(writer._waiting) <= 1_000
    file = parquet.ParquetFile(path)
    assert file.num_row_groups == 1
    assert file.read()["text"].to_pylist() == [str(number) for number in range(2_500)]
