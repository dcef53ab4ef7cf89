"""Batches: what is written, what fails, what is left after an interruption."""

import csv
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from io import StringIO

import openpyxl
import pyarrow as pa
import pytest
from pyarrow import parquet

from pipeline.batch import Interrupted, classify
from pipeline.cache import CACHE_FOLDER
from pipeline.classifier import PREDICTION_COLUMNS
from pipeline.errors import DataError, FindingsError, ModelError, UsageError
from pipeline.extract import extract_sentences
from pipeline.model_folder import load_model
from pipeline.outputs import findings_schema
from pipeline.parts import read_part
from pipeline.progress import BarReporter, LineReporter, SilentReporter, make_reporter
from pipeline.sentences import SENTENCE_COLUMNS

TEXT = "Ferndale children's services\n\n{}\n\nStaff are kind & well trained. Plans are too often late.\n"


@pytest.fixture
def documents(tmp_path):
    """Five small documents: one empty, one a copy of that, one that only claims to be a PDF."""
    folder = tmp_path / "docs"
    (folder / "north").mkdir(parents=True)
    (folder / "a.txt").write_text(TEXT.format("Visits are prompt <script>alert(1)</script> and thorough."))
    (folder / "b.md").write_text(TEXT.format("The council will recruit six more social workers by March."))
    (folder / "north" / "c.html").write_text(f"<html><body><p>{TEXT.format('Records are poor.')}</p></body></html>")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "north" / "empty too.txt").write_bytes(b"")
    (folder / "not a.pdf").write_bytes(b"<!doctype html><html><body><p>Error 404: not here.</p></body></html>")
    return folder


def contents(folder):
    """The outputs: every file, but for the parts kept for a next run."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.startswith(CACHE_FOLDER)}


def cached(folder):
    return sorted(path.relative_to(folder).as_posix() for path in (folder / CACHE_FOLDER).rglob("*") if path.is_file())


def failures(folder):
    with (folder / "failures.csv").open(encoding="utf-8-sig", newline="") as file:
        return {row["file"]: row["reason"] for row in csv.DictReader(file)}


def test_a_folder_becomes_findings_failures_and_pages(documents, model, tmp_path):
    result = classify([documents], tmp_path / "out", model=model)
    assert (result.documents, result.pages, len(result.failures)) == (3, 3, 3)
    assert dict(result.failures) == failures(tmp_path / "out")
    assert failures(tmp_path / "out")["not a.pdf"] == "HTML page named .pdf"
    assert set(failures(tmp_path / "out")) == {"not a.pdf", "empty.txt", "north/empty too.txt"}
    table = parquet.read_table(tmp_path / "out" / "findings.parquet")
    assert table.schema.equals(findings_schema())
    assert table.column_names == [*SENTENCE_COLUMNS, *PREDICTION_COLUMNS]
    assert list(dict.fromkeys(table["report"].to_pylist())) == ["a.txt", "b.md", "north/c.html"]
    assert result.sentences == table.num_rows
    assert sum(table["strength"].to_pylist()) == result.counts["strength"]
    names = {path.name for path in result.written}
    tables = {"findings.parquet", "findings.csv", "reports.csv", "summary.csv", "failures.csv"}
    assert names == {*tables, "drift.json", "index.html"}
    assert len(cached(tmp_path / "out")) == 3
    assert result.summary().startswith(f"3 report(s), {result.sentences} sentences in ")
    assert "3 could not be read: see failures.csv." in result.summary()


def test_findings_are_those_of_the_model(documents, model, tmp_path):
    classify([documents / "a.txt"], tmp_path / "out", model=model, formats=["parquet"], html=False)
    table = parquet.read_table(tmp_path / "out" / "findings.parquet").to_pandas()
    expected = load_model(model).predict(table["text"])
    for name in PREDICTION_COLUMNS:
        assert table[name].tolist() == expected[name].tolist()
    assert sorted(contents(tmp_path / "out")) == [
        "drift.json",
        "failures.csv",
        "findings.parquet",
        "reports.csv",
        "summary.csv",
    ]


def test_bytes_depend_on_neither_workers_nor_place_nor_time(documents, model, tmp_path):
    formats = ["parquet", "csv", "jsonl", "xlsx"]
    classify([documents], tmp_path / "one", model=model, formats=formats, workers=1)
    shutil.copytree(documents, tmp_path / "elsewhere" / "docs")
    classify([tmp_path / "elsewhere" / "docs"], tmp_path / "two", model=model, formats=formats, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert str(tmp_path).encode() not in b"".join(contents(tmp_path / "one").values())


def test_a_second_run_replaces_the_first_and_leaves_what_is_not_its_own(documents, model, tmp_path):
    out = tmp_path / "out"
    (out / "reports").mkdir(parents=True)
    (out / "reports" / "my notes.html").write_text("mine")
    classify([documents], out, model=model, formats=["csv", "jsonl"])
    classify([documents / "a.txt"], out, model=model, formats=["csv"])
    assert len(list((out / "reports").glob("*.html"))) == 2
    assert not (out / "findings.jsonl").exists()
    classify([documents / "a.txt"], out, model=model, html=False)
    assert [path.name for path in (out / "reports").iterdir()] == ["my notes.html"]
    assert not (out / "index.html").exists()


def test_an_output_inside_the_input_is_not_read_again(documents, model):
    first = classify([documents], documents / "out", model=model)
    second = classify([documents], documents / "out", model=model)
    assert first.documents == second.documents == 3


def test_a_table_keeps_its_columns(model, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text("id,text,labels\n01,Plans are poor.,W\n02,,\n03,=1+1 & <b>,N\n")
    result = classify([path], tmp_path / "out", model=model, formats=["parquet", "csv", "xlsx"])
    table = parquet.read_table(tmp_path / "out" / "findings.parquet")
    assert table.column_names == ["id", "text", "labels_input", *PREDICTION_COLUMNS]
    assert table["id"].to_pylist() == ["01", "02", "03"]
    assert table["text"].to_pylist() == ["Plans are poor.", "", "=1+1 & <b>"]
    assert (result.documents, result.pages) == (1, 1)
    page = next((tmp_path / "out" / "reports").iterdir()).read_text(encoding="utf-8")
    assert "<h1>mine.csv</h1>" in page
    assert "=1+1 &amp; &lt;b&gt;" in page
    assert openpyxl.load_workbook(tmp_path / "out" / "findings.xlsx")["findings"]["B4"].data_type == "s"


def test_a_long_table_is_labelled_in_chunks_in_order(model, tmp_path):
    rows = pa.table({"n": range(25_000), "text": ["Plans are poor.", "Staff are kind."] * 12_500})
    parquet.write_table(rows, tmp_path / "t.parquet")
    result = classify([tmp_path / "t.parquet"], tmp_path / "out", model=model, formats=["parquet"], workers=2)
    table = parquet.read_table(tmp_path / "out" / "findings.parquet")
    assert table["n"].to_pylist() == list(range(25_000))
    assert (result.documents, result.pages) == (1, 0)
    assert "(too long for a page)" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_table_of_several_reports_has_a_page_each(model, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("report,text\n../a,Plans are poor.\nb,Staff are kind.\n../a,Visits are late.\n")
    result = classify([path], tmp_path / "out", model=model)
    assert (result.documents, result.pages) == (2, 2)
    assert len(list((tmp_path / "out" / "reports").iterdir())) == 2


def test_tables_of_different_columns_are_refused(model, tmp_path):
    (tmp_path / "a.csv").write_text("text\nx\n")
    (tmp_path / "b.csv").write_text("text,id\ny,1\n")
    with pytest.raises(UsageError, match=r"b\.csv: its columns or their types are not those of .*a\.csv"):
        classify([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "out", model=model)


def test_a_store_gives_what_its_documents_give(documents, model, tmp_path):
    extract_sentences([documents], tmp_path / "store")
    from_store = classify([tmp_path / "store"], tmp_path / "one", model=model)
    classify([documents], tmp_path / "two", model=model)
    assert not from_store.failures
    assert from_store.carried
    for name in ("findings.parquet", "findings.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert "not a.pdf" in failures(tmp_path / "one")


def test_a_stopped_run_is_taken_up_and_gives_equal_bytes(documents, model, tmp_path):
    classify([documents], tmp_path / "whole", model=model)
    assert len(stop_before_assembly(documents / "a.txt", tmp_path / "out", model)) == 1
    result = classify([documents], tmp_path / "out", model=model)
    assert (result.reused, result.documents) == (1, 3)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert cached(tmp_path / "out") == cached(tmp_path / "whole")


class Stopper(SilentReporter):
    """Presses Ctrl-C at the moment when the first part is there and nothing is assembled yet."""

    def advance(self, count=1, note=""):
        raise KeyboardInterrupt


def stop_before_assembly(document, output, model):
    with pytest.raises(
        Interrupted, match=r"stopped: 1 of 1 documents done; run the same command again to go on"
    ) as caught:
        classify([document], output, model=model, reporter=Stopper())
    assert caught.value.exit_code == 130
    return list((output / CACHE_FOLDER).rglob("*.arrow"))


def test_a_damaged_part_is_made_again_or_told(documents, model, tmp_path):
    [part] = stop_before_assembly(documents / "a.txt", tmp_path / "out", model)
    whole = part.read_bytes()
    part.write_bytes(whole[: len(whole) // 2])
    assert classify([documents / "a.txt"], tmp_path / "out", model=model).reused == 0
    half = len(whole) // 2
    part.write_bytes(whole[:half] + bytes(200) + whole[half + 200 :])  # what Arrow says of itself at the end is whole
    with pytest.raises(FindingsError, match="damaged .*; run again with --no-resume"):
        classify([documents / "a.txt"], tmp_path / "out", model=model)
    assert classify([documents / "a.txt"], tmp_path / "out", model=model, resume=False).reused == 0


@pytest.fixture(scope="module")
def many(tmp_path_factory, model, samples):
    """A folder of 80 documents, and what an undisturbed run makes of it."""
    place = tmp_path_factory.mktemp("many")
    content = (samples / "redmere-2024-minutes.txt").read_bytes()
    for rank in range(80):  # every copy differs in one byte, so that none is left out
        (place / "docs").mkdir(exist_ok=True)
        (place / "docs" / f"{rank:03}.txt").write_bytes(content + b"\n" * rank)
    classify([place / "docs"], place / "whole", model=model, workers=1)
    return place


INTERRUPTED = """
import sys
from pathlib import Path
from pipeline.batch import Interrupted, classify
if __name__ == "__main__":
    documents, output, model = map(Path, sys.argv[1:4])
    try:
        classify([documents], output, model=model, workers=int(sys.argv[4]))
    except Interrupted as error:
        print(error)
        sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(("workers", "group"), [(1, True), (2, True), (2, False)])
def test_ctrl_c_keeps_what_is_done_and_no_half_file(many, model, tmp_path, workers, group):
    out = tmp_path / "out"
    script = tmp_path / "run.py"
    script.write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, str(script), str(many / "docs"), str(out), str(model), str(workers)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    deadline = time.monotonic() + 60
    while not list(out.glob(f"{CACHE_FOLDER}/*/*.arrow")) and time.monotonic() < deadline:
        time.sleep(0.01)
    # A terminal sends Ctrl-C to the whole group; kill -INT to the parent alone.
    (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (130, "")
    assert stdout.startswith("stopped: ")
    assert "of 80 documents done; run the same command again to go on." in stdout
    assert not contents(out)
    for part in out.glob(f"{CACHE_FOLDER}/*/*.arrow"):
        assert read_part(part).num_rows
    result = classify([many / "docs"], out, model=model, workers=1)
    assert result.reused > 0
    assert contents(out) == contents(many / "whole")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"formats": ["pdf"]}, "unknown format 'pdf'"),
        ({"workers": 0}, "--workers: found 0, expected 1 or more"),
    ],
)
def test_impossible_arguments_are_told_before_anything_is_read(documents, model, tmp_path, arguments, message):
    with pytest.raises(UsageError, match=message):
        classify([documents], tmp_path / "out", model=model, **arguments)
    assert not (tmp_path / "out").exists()


def test_a_document_that_changes_during_the_run_fails_alone(documents, model, tmp_path):
    class Meddler(SilentReporter):
        def start(self, total, unit):
            if unit == "documents":
                (documents / "a.txt").write_text("Something else.")
                (documents / "b.md").unlink()

    result = classify([documents], tmp_path / "out", model=model, workers=1, reporter=Meddler())
    assert result.documents == 1
    assert failures(tmp_path / "out")["a.txt"] == "changed during the run; run again"
    assert failures(tmp_path / "out")["b.md"] == "cannot be opened: No such file or directory"


def test_names_of_any_kind_are_kept(documents, model, tmp_path):
    names = ["a b.txt", "new\nline.txt", "=sum(1).txt", "😀 & <i>.txt", "n" * 246 + ".txt", 'it\'s "so".txt']
    for rank, name in enumerate(names):
        (documents / name).write_text(TEXT.format("Visits are late." * (rank + 1)))
    classify([documents], tmp_path / "out", model=model, formats=["parquet", "csv", "jsonl", "xlsx"])
    found = set(parquet.read_table(tmp_path / "out" / "findings.parquet")["report"].to_pylist())
    assert set(names) <= found
    assert "😀 &amp; &lt;i&gt;.txt" in (tmp_path / "out" / "index.html").read_text(encoding="utf-8")


def test_a_missing_model_is_told_before_anything_is_written(documents, tmp_path):
    with pytest.raises(ModelError, match="no such model folder"):
        classify([documents], tmp_path / "out", model=tmp_path / "none")
    assert not (tmp_path / "out").exists()


def test_a_missing_path_leaves_no_output_folder(model, tmp_path):
    with pytest.raises(UsageError, match="no such file or folder"):
        classify([tmp_path / "none"], tmp_path / "out", model=model)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["file", "file/below", "/proc/nothing"])
def test_an_unwritable_output_is_told(documents, model, tmp_path, place):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UsageError, match="cannot be written to .*; name another folder with --output") as caught:
        classify([documents], tmp_path / place, model=model)
    assert caught.value.exit_code == 2


def test_a_table_without_text_is_told(model, tmp_path):
    (tmp_path / "t.csv").write_text("sentence\nx\n")
    with pytest.raises(DataError, match="no column 'text'; found sentence"):
        classify([tmp_path / "t.csv"], tmp_path / "out", model=model)
    assert not (tmp_path / "out").exists()


def test_when_nothing_can_be_read_the_list_says_why(documents, model, tmp_path):
    result = classify([documents / "not a.pdf"], tmp_path / "out", model=model)
    assert (result.documents, result.sentences) == (0, 0)
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "No report could be read." in page
    assert "HTML page named .pdf" in page


def test_plain_lines_tell_the_progress(documents, model, tmp_path):
    stream = StringIO()
    reporter = make_reporter(stream)
    assert isinstance(reporter, LineReporter)
    classify([documents], tmp_path / "out", model=model, reporter=reporter)
    lines = stream.getvalue().splitlines()
    assert lines[0] == "north/empty too.txt: same content as empty.txt; read once"
    assert re.fullmatch(r"5 of 5 documents, \d+ sentences, 2 failed, [\d.]+ a second", lines[-1])
    classify([documents], tmp_path / "out", model=model, reporter=reporter)
    lines = stream.getvalue().splitlines()
    assert lines[-2] == "3 of 5 documents were labelled by an earlier run: used again"


def test_lines_tell_the_time_left(monkeypatch):
    now = iter([100.0, 130.0, 130.0, 160.0, 160.0])
    monkeypatch.setattr("pipeline.progress.time.monotonic", lambda: next(now))
    stream = StringIO()
    reporter = LineReporter(stream)
    reporter.start(1000, "documents")
    reporter.advance(100, "2,000 sentences, 0 failed")
    reporter.advance(100)
    assert stream.getvalue().splitlines() == [
        "100 of 1000 documents, 2,000 sentences, 0 failed, 3.3 a second, 4 min 30 s left",
        "200 of 1000 documents, 3.3 a second, 4 min 0 s left",
    ]


def test_a_terminal_gets_a_bar():
    class Terminal(StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    reporter = make_reporter(stream)
    assert isinstance(reporter, BarReporter)
    reporter.start(2, "documents")
    reporter.message("a note")
    reporter.advance(2, "1 failed")
    reporter.close()
    assert "a note\n" in stream.getvalue()
    assert "0/2" in stream.getvalue()


def test_one_document_needs_none_of_the_slow_libraries(documents, model, tmp_path):
    code = (
        "import sys; from pipeline.cli import main; code = main(sys.argv[1:]);"
        "print(sorted({'pandas', 'sklearn', 'scipy', 'joblib', 'mlflow'} & set(sys.modules)), code)"
    )
    document = next(path for path in sorted(documents.iterdir()) if path.suffix == ".txt")
    arguments = ["classify", str(document), "--output", str(tmp_path / "out"), "--model", str(model)]
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("\n[] 0\n")
