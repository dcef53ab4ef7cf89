"""A second run into one folder: what it reads, and that its results are those of a first run."""

import shutil

import pytest
from pyarrow import parquet

from pipeline import cache
from pipeline.batch import classify
from pipeline.cache import CACHE_FOLDER
from pipeline.errors import UsageError
from pipeline.extract import extract_sentences
from pipeline.output_folder import hold_output_folder
from pipeline.progress import SilentReporter
from tests.test_batch import cached, contents

TEXT = "Ferndale children's services\n\n{}\n\nStaff are kind & well trained. Plans are too often late.\n"


class Listener(SilentReporter):
    """Notes how many documents are read, and what is said."""

    def __init__(self):
        self.read = 0
        self.said = []

    def start(self, total, unit):
        if unit == "documents":
            self.read = total

    def message(self, text):
        self.said.append(text)


@pytest.fixture
def documents(tmp_path):
    folder = tmp_path / "docs"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.txt").write_text(TEXT.format(f"Visits to {name} are prompt."))
    (folder / "bad.pdf").write_bytes(b"")
    return folder


def run(documents, out, model, **arguments):
    listener = Listener()
    result = classify([documents], out, model=model, reporter=listener, **arguments)
    return listener, result


def same_as_fresh(documents, out, model):
    classify([documents], out.with_name("fresh"), model=model)
    return contents(out) == contents(out.with_name("fresh"))


def test_only_what_is_new_is_read(documents, model, tmp_path):
    out = tmp_path / "out"
    first, _ = run(documents, out, model)
    assert first.read == 4
    for name in ("aa", "d", "z"):
        (documents / f"{name}.txt").write_text(TEXT.format(f"Visits to {name} are late."))
    second, result = run(documents, out, model)
    assert second.read == 4  # three new ones, and the one that failed is tried again
    assert (result.documents, result.reused, len(result.failures)) == (6, 3, 1)
    assert second.said == ["3 of 7 documents were labelled by an earlier run: used again"]
    assert same_as_fresh(documents, out, model)


def test_changed_renamed_and_removed_documents(documents, model, tmp_path):
    out = tmp_path / "out"
    run(documents, out, model)
    (documents / "a.txt").write_text(TEXT.format("Something else."))
    (documents / "b.txt").rename(documents / "first.txt")
    (documents / "c.txt").unlink()
    again, result = run(documents, out, model)
    assert (again.read, result.reused) == (2, 1)
    assert len(cached(out)) == 2
    assert same_as_fresh(documents, out, model)
    table = parquet.read_table(out / "findings.parquet")
    assert set(table["report"].to_pylist()) == {"a.txt", "first.txt"}


def test_a_document_of_another_format_is_read_anew(documents, model, tmp_path):
    out = tmp_path / "out"
    (documents / "a.txt").write_text("# Leaders\n\nStaff are kind.\n")
    run(documents, out, model)
    (documents / "a.txt").rename(documents / "a.md")
    assert run(documents, out, model)[1].reused == 2
    assert same_as_fresh(documents, out, model)


def test_what_is_stated_beside_a_document_counts(documents, model, tmp_path):
    out = tmp_path / "out"
    run(documents, out, model)
    (documents / "a.txt.meta.yaml").write_text("provider: Ferndale\n")
    assert run(documents, out, model)[1].reused == 2
    assert same_as_fresh(documents, out, model)


def test_another_model_or_release_labels_anew(documents, model, tmp_path, monkeypatch, outcomes):
    out = tmp_path / "out"
    run(documents, out, model)
    other = outcomes["near"][1] / "models" / "candidate"
    assert run(documents, out, other)[1].reused == 0
    assert len(cached(out)) == 3  # those of the first model are gone
    monkeypatch.setattr(cache, "product_version", lambda: "0" * 16)
    assert run(documents, out, other)[1].reused == 0


def test_nothing_is_kept_or_used_where_that_is_not_wanted(documents, model, tmp_path):
    out = tmp_path / "out"
    run(documents, out, model)
    assert run(documents, out, model, resume=False)[1].reused == 0
    assert not (out / CACHE_FOLDER).exists()
    assert run(documents, out, model)[1].reused == 0


def test_nothing_is_kept_of_a_store_or_a_table(documents, model, tmp_path):
    extract_sentences([documents], tmp_path / "store")
    classify([tmp_path / "store"], tmp_path / "out", model=model)
    assert not (tmp_path / "out" / CACHE_FOLDER).exists()
    (tmp_path / "t.csv").write_text("text\nStaff are kind.\n")
    classify([tmp_path / "t.csv"], tmp_path / "out", model=model)
    assert not (tmp_path / "out" / CACHE_FOLDER).exists()


def test_a_store_is_kept_where_a_cache_is_named(documents, model, tmp_path):
    store, out, kept = tmp_path / "store", tmp_path / "out", tmp_path / "kept"
    (kept / "mine").mkdir(parents=True)
    extract_sentences([documents], store)
    assert classify([store], out, model=model, cache=kept).reused == 0
    (documents / "d.txt").write_text(TEXT.format("Visits to d are late."))
    extract_sentences([documents], store)
    shutil.rmtree(out)  # as DVC does before the stage
    result = classify([store], out, model=model, cache=kept)
    assert (result.documents, result.reused) == (4, 3)
    assert not (out / CACHE_FOLDER).exists()
    assert len(cached(kept)) == 4
    assert sorted(path.name for path in kept.iterdir()) == [CACHE_FOLDER, "mine"]
    classify([store], tmp_path / "fresh", model=model)
    assert contents(out) == contents(tmp_path / "fresh")
    assert classify([store], out, model=model, cache=kept, resume=False).reused == 0
    assert not (kept / CACHE_FOLDER).exists()


def test_a_cache_serves_one_run_at_a_time(documents, model, tmp_path):
    kept = tmp_path / "kept"
    with hold_output_folder(kept), pytest.raises(UsageError, match="kept: another run .* with --cache"):
        classify([documents], tmp_path / "out", model=model, cache=kept)


def test_the_product_version_is_of_this_code():
    assert cache.product_version() == cache.product_version()
    assert len(cache.product_version()) == 16
