import os
import shutil
import sys

import pandas as pd
import pytest

from pipeline import inputs
from pipeline.errors import DataError
from pipeline.extract import extract_sentences, load_manifest, load_sentences
from pipeline.files import report_id_of
from pipeline.inputs import STORE_MANIFEST


@pytest.fixture
def reports(tmp_path, samples):
    folder = tmp_path / "reports"
    folder.mkdir()
    for name in ("redmere-2024-minutes.txt", "penhollow-2024-news.html", "thornhaven-2018-statement.docx"):
        shutil.copy(samples / name, folder / name)
    return folder


def counts(report):
    return report.new, report.reused, report.removed


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_only_what_changed_is_read(tmp_path, reports, samples):
    output = tmp_path / "sentences"
    assert counts(extract_sentences([reports], output)) == (3, 0, 0)
    first = contents(output)
    assert counts(extract_sentences([reports], output)) == (0, 3, 0)
    assert contents(output) == first

    shutil.copy(samples / "westhollow-2023-focused-visit.pdf", reports / "new.pdf")
    assert counts(extract_sentences([reports], output)) == (1, 3, 0)

    minutes = reports / "redmere-2024-minutes.txt"
    minutes.write_text(minutes.read_text(encoding="utf-8") + "\nOne more sentence was added.\n", encoding="utf-8")
    assert counts(extract_sentences([reports], output)) == (1, 3, 1)

    (reports / "new.pdf").unlink()
    assert counts(extract_sentences([reports], output)) == (0, 3, 1)


def test_a_renamed_file_keeps_its_sentences_under_the_new_name(tmp_path, reports):
    output = tmp_path / "sentences"
    extract_sentences([reports], output)
    before = load_sentences(output)
    (reports / "redmere-2024-minutes.txt").rename(reports / "aaa.txt")
    assert counts(extract_sentences([reports], output)) == (0, 3, 0)
    after = load_sentences(output)
    assert "aaa.txt" in set(after["report"])
    assert "redmere-2024-minutes.txt" not in set(after["report"])
    assert sorted(after["key"]) == sorted(before["key"])
    fresh = tmp_path / "fresh"
    extract_sentences([reports], fresh)
    assert contents(fresh) == contents(output)


def test_failures_and_copies_are_listed_and_not_read_again(tmp_path, reports):
    (reports / "broken.pdf").write_bytes(b"<!DOCTYPE html><html><body>Not found</body></html>")
    shutil.copy(reports / "redmere-2024-minutes.txt", reports / "zz-copy.txt")
    output = tmp_path / "sentences"
    first = extract_sentences([reports], output)
    assert first.failures == (("broken.pdf", "HTML page named .pdf"),)
    assert first.duplicates == (("zz-copy.txt", "redmere-2024-minutes.txt"),)
    second = extract_sentences([reports], output)
    assert counts(second) == (0, 4, 0)
    assert second.failures == first.failures
    assert [entry["file"] for entry in load_manifest(output)["failures"]] == ["broken.pdf"]


@pytest.fixture
def locked(monkeypatch):
    """A function that makes files that may not be opened, also where the tests run as root."""
    names = set()

    def refuse(source):
        if not isinstance(source, bytes) and source.name in names:
            raise PermissionError(13, "Permission denied", str(source))
        return report_id_of(source)

    monkeypatch.setattr(inputs, "report_id_of", refuse)
    return names.add


def test_a_file_that_may_not_be_opened_is_listed(tmp_path, reports, locked):
    output = tmp_path / "sentences"
    locked("penhollow-2024-news.html")
    report = extract_sentences([reports], output)
    assert report.failures == (("penhollow-2024-news.html", "cannot be opened: Permission denied"),)
    assert counts(report) == (2, 0, 0)
    [failure] = load_manifest(output)["failures"]
    assert (failure["file"], failure["report_id"], failure["again"]) == ("penhollow-2024-news.html", "", True)
    assert counts(extract_sentences([reports], output)) == (0, 2, 0)


def test_when_nothing_may_be_opened_the_error_says_so(tmp_path, reports, locked):
    for path in reports.iterdir():
        locked(path.name)
    with pytest.raises(DataError, match=r"penhollow-2024-news\.html: cannot be opened: Permission denied"):
        extract_sentences([reports], tmp_path / "sentences")


@pytest.mark.skipif(sys.platform != "linux", reason="names are UTF-8 there")
def test_a_name_that_is_not_utf8_is_written_as_it_can_be(tmp_path, reports):
    (reports / os.fsdecode(b"caf\xe9.txt")).write_text("Staff are kind.\n")
    extract_sentences([reports], tmp_path / "sentences")
    assert "caf\ufffd.txt" in [entry["report"] for entry in load_manifest(tmp_path / "sentences")["reports"]]


def test_another_reader_reads_again(tmp_path, reports):
    output = tmp_path / "sentences"
    extract_sentences([reports], output)
    manifest = output / STORE_MANIFEST
    reader = load_manifest(output)["reader"]
    manifest.write_text(manifest.read_text(encoding="utf-8").replace(reader, "0" * 16), encoding="utf-8")
    assert counts(extract_sentences([reports], output))[:2] == (3, 0)


def test_a_lost_table_is_made_again(tmp_path, reports):
    output = tmp_path / "sentences"
    extract_sentences([reports], output)
    expected = contents(output)
    next(output.glob("*.parquet")).unlink()
    assert counts(extract_sentences([reports], output)) == (1, 2, 0)
    assert contents(output) == expected


def test_the_number_of_processes_changes_nothing(tmp_path, samples):
    one, two = tmp_path / "one", tmp_path / "two"
    extract_sentences([samples], one, workers=1)
    extract_sentences([samples], two, workers=2)
    assert contents(one) == contents(two)


def test_all_tables_have_one_schema(store):
    schemas = {str(pd.read_parquet(path).dtypes.to_dict()) for path in store.glob("*.parquet")}
    assert len(schemas) == 1


def test_nothing_to_read_is_an_error(tmp_path):
    empty = tmp_path / "reports"
    empty.mkdir()
    with pytest.raises(DataError, match="no document could be read"):
        extract_sentences([empty, tmp_path / "missing"], tmp_path / "sentences")
    (empty / "x.pdf").write_bytes(b"")
    with pytest.raises(DataError, match=r"x\.pdf: empty file"):
        extract_sentences([empty], tmp_path / "sentences")


def test_a_damaged_store_is_named(tmp_path, reports):
    output = tmp_path / "sentences"
    with pytest.raises(DataError, match="missing or damaged"):
        load_manifest(output)
    extract_sentences([reports], output)
    next(output.glob("*.parquet")).unlink()
    with pytest.raises(DataError, match="damaged"):
        load_sentences(output)
    (output / STORE_MANIFEST).write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(DataError, match="found format 99"):
        load_manifest(output)
