"""What there is to label: documents, folders, tables and stores."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.errors import DataError, UsageError
from pipeline.inputs import find_documents, find_inputs
from pipeline.tables import read_table


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "in"
    for name in ("b.txt", "a/z.pdf", "a/b/c.HTML", "a.txt", ".hidden.txt", ".git/d.txt", "out/old.html", "x.xlsx"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text(f"content of {name}")
    return place


def reports(inputs):
    return [item.report for item in inputs.items]


def test_a_folder_is_searched_in_order_of_names_without_hidden_files_and_output(folder):
    found = find_inputs([folder], skip=folder / "out")
    assert reports(found) == ["a/b/c.HTML", "a/z.pdf", "a.txt", "b.txt"]
    assert found.ignored == 1
    assert "1 file(s) of other kinds ignored" in found.notes()[-1]
    assert [path.name for path in find_documents(folder, skip=folder / "out")] == ["c.HTML", "z.pdf", "a.txt", "b.txt"]


def test_a_single_file_goes_by_its_name_and_its_hash(folder):
    item = find_inputs([folder / "a" / "z.pdf"]).items[0]
    assert (item.kind, item.report, len(item.report_id)) == ("document", "z.pdf", 16)


def test_links_that_lead_back_are_harmless(folder):
    (folder / "a" / "loop").symlink_to(folder)
    (folder / "broken.txt").symlink_to(folder / "nothing")
    assert reports(find_inputs([folder], skip=folder / "out")) == ["a/b/c.HTML", "a/z.pdf", "a.txt", "b.txt"]


def test_equal_content_is_labelled_once_and_said(folder):
    (folder / "copy.txt").write_text("content of a.txt")
    found = find_inputs([folder], skip=folder / "out")
    assert "copy.txt" not in reports(found)
    assert found.notes()[0] == "copy.txt: same content as a.txt; read once"
    assert len(find_inputs([folder, folder, folder / "a.txt"]).items) == len(find_inputs([folder]).items)
    assert find_inputs([folder, folder]).copies == find_inputs([folder]).copies


def test_names_that_are_not_utf8_are_readable_in_the_report(tmp_path):
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("x")
    assert reports(find_inputs([tmp_path])) == ["caf\ufffd.txt"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("missing", "no such file or folder; check the spelling"),
        ("x.xlsx", "unknown format .xlsx; accepted: documents ("),
        ("plain", "unknown format (no suffix)"),
        ("empty", "nothing to label in this folder (it is empty)"),
        ("tables", "nothing to label in this folder (1 file(s) of other kinds); "),
    ],
)
def test_unusable_paths_are_told_with_the_remedy(folder, name, message):
    (folder / "plain").write_text("x")
    (folder / "empty").mkdir()
    (folder / "tables").mkdir()
    (folder / "tables" / "a.csv").write_text("text\nx\n")
    with pytest.raises(UsageError) as caught:
        find_inputs([folder / name])
    assert f"{folder / name}: {message}" in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_folder_that_may_not_be_searched_is_told(folder, monkeypatch):
    def refuse(place):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    for search in (lambda: find_inputs([folder]), lambda: find_documents(folder)):
        with pytest.raises(UsageError, match=r"cannot be searched \(Permission denied\); mend its permissions"):
            search()


def test_tables_and_documents_do_not_mix(folder):
    (folder / "t.csv").write_text("text\nx\n")
    with pytest.raises(UsageError, match=r"t\.csv: tables and documents have different columns"):
        find_inputs([folder / "t.csv", folder / "a.txt"])


def test_a_store_gives_its_reports_in_order_and_its_failures(tmp_path):
    parquet.write_table(pa.table({"text": ["x"]}), tmp_path / "b.parquet")
    entries = [{"report_id": "b", "report": "north/b.pdf", "file": "b.parquet", "sentences": 1, "details": {}}]
    manifest = {"format": 2, "reports": entries, "failures": [{"file": "bad.pdf", "reason": "empty file"}]}
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    found = find_inputs([tmp_path])
    assert [(item.kind, item.report, item.report_id) for item in found.items] == [("sentences", "north/b.pdf", "b")]
    assert found.carried == (("bad.pdf", "empty file"),)
    (tmp_path / "b.parquet").unlink()
    with pytest.raises(UsageError, match=r"b\.parquet: listed in manifest\.json but missing"):
        find_inputs([tmp_path])


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"format": 9, "reports": []}, "found store format 9, accepted: 2"),
        ({"format": 2, "reports": []}, "this store holds no report"),
        ({"format": 2, "reports": [{}]}, "damaged"),
    ],
)
def test_a_store_that_cannot_be_used_is_told(tmp_path, manifest, message):
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match=message):
        find_inputs([tmp_path])


def test_a_manifest_of_something_else_means_nothing(tmp_path):
    (tmp_path / "manifest.json").write_text('{"name": "a web site"}')
    (tmp_path / "a.txt").write_text("x")
    assert reports(find_inputs([tmp_path])) == ["a.txt"]


def test_csv_keeps_every_cell_as_it_stands(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes('\ufeffid,text,labels,note\n007,"One, two\nthree",SW,\n008,,N,=1\n'.encode())
    table = read_table(path)
    assert table.to_pylist() == [
        {"id": "007", "text": "One, two\nthree", "labels_input": "SW", "note": ""},
        {"id": "008", "text": "", "labels_input": "N", "note": "=1"},
    ]


def test_json_lines_keep_types_and_fold_what_is_mixed(tmp_path):
    path = tmp_path / "t.jsonl"
    path.write_text('{"text": "A.", "n": 1, "x": 1, "l": [1]}\n\n{"text": null, "n": 2.5, "x": "y", "ok": true}\n')
    assert read_table(path).to_pylist() == [
        {"text": "A.", "n": 1.0, "x": "1", "l": "[1]", "ok": None},
        {"text": "", "n": 2.5, "x": '"y"', "l": None, "ok": True},
    ]


def test_parquet_keeps_its_types(tmp_path):
    path = tmp_path / "t.parquet"
    parquet.write_table(pa.table({"n": pa.array([1], pa.int8()), "text": pa.array(["A."]).dictionary_encode()}), path)
    table = read_table(path)
    assert table.schema.types == [pa.int8(), pa.string()]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"sentence,id\nx,1\n", "no column 'text'; found sentence, id"),
        ("t.csv", b"", "not a readable .csv table"),
        ("t.csv", b"text,a\nx,1,2\n", "not a readable .csv table"),
        ("t.csv", b"text\ncaf\xe9\n", "not a readable .csv table"),
        ("t.csv", b"text,text\nx,y\n", "column text stands there twice"),
        ("t.csv", b"text,labels,labels_input\nx,y,z\n", "columns labels_input would stand twice"),
        ("t.jsonl", b'{"text": "x"}\nnonsense\n', "t.jsonl:2: not valid JSON"),
        ("t.jsonl", b"[1]\n", "t.jsonl:1: found list, expected one JSON object a line"),
        ("t.jsonl", b'{"text": 1}\n', "'text' is int, expected text"),
        ("t.jsonl", b"", "no column 'text'; found none"),
        ("t.parquet", b"PAR1 no", "not a readable .parquet table"),
    ],
)
def test_tables_that_are_not_as_documented_are_told(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / name)
    assert message in str(caught.value)
    assert str(tmp_path / name) in str(caught.value)


def test_findings_of_an_older_product_are_a_table_like_any_other(tmp_path):
    old = pa.table({"text": ["A."], "strength": [True], "report": ["a.pdf"]})
    parquet.write_table(old, tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").column_names == ["text", "strength_input", "report"]
    parquet.write_table(old.replace_schema_metadata({"findings_format": "1"}), tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").column_names == ["text", "strength_input", "report"]


@pytest.mark.parametrize("written", ["2", "x"])
def test_findings_of_a_newer_product_are_refused(tmp_path, written):
    new = pa.table({"text": ["A."]}).replace_schema_metadata({"findings_format": written})
    parquet.write_table(new, tmp_path / "t.parquet")
    with pytest.raises(
        DataError, match=rf"t\.parquet: found findings of format {written}, accepted: up to 1; .*install"
    ):
        read_table(tmp_path / "t.parquet")


def test_a_text_column_of_numbers_is_told(tmp_path):
    parquet.write_table(pa.table({"text": [1, 2]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match="column 'text' holds int64, expected text"):
        read_table(tmp_path / "t.parquet")
