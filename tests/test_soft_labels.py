import shutil

import pytest

from pipeline.errors import DataError, ModelError
from pipeline.extract import extract_sentences, load_sentences
from pipeline.labels import LABELS
from pipeline.soft_labels import load_soft_labels, make_soft_labels
from tests.conftest import PROJECT

ENCODER = PROJECT / "models" / "encoder"


@pytest.fixture(scope="module")
def made(store, tmp_path_factory):
    output = tmp_path_factory.mktemp("soft") / "soft_labels.parquet"
    return output, make_soft_labels(store, ENCODER, output)


def test_every_sentence_of_the_store_is_read(made, store):
    output, report = made
    table, version = load_soft_labels(output)
    assert set(table.index) == set(load_sentences(store)["key"])
    assert list(table.columns) == list(LABELS)
    assert (report.new, report.reused) == (len(table), 0)
    assert len(version) == 12


def test_only_new_sentences_cost_anything(made, store, samples, tmp_path):
    reports = tmp_path / "reports"
    reports.mkdir()
    for path in sorted(samples.glob("*.pdf"))[:2]:
        shutil.copyfile(path, reports / path.name)
    few, output = tmp_path / "few", tmp_path / "soft_labels.parquet"
    extract_sentences([reports], few)
    first = make_soft_labels(few, ENCODER, output)
    second = make_soft_labels(store, ENCODER, output)
    assert second.reused == first.new > 0
    assert output.read_bytes() == made[0].read_bytes()
    assert make_soft_labels(store, ENCODER, output).new == 0


def test_another_encoder_reads_everything_again(made, store, tmp_path):
    encoder, output = tmp_path / "encoder", tmp_path / "soft_labels.parquet"
    shutil.copytree(ENCODER, encoder)
    config = encoder / "config.json"
    config.write_text(config.read_text().replace('"max_length": 128,\n  "base"', '"max_length": 64,\n  "base"'))
    shutil.copyfile(made[0], output)
    assert make_soft_labels(store, encoder, output).reused == 0


def test_without_an_encoder(store, tmp_path):
    with pytest.raises(ModelError, match="findings encoder train"):
        make_soft_labels(store, tmp_path / "none", tmp_path / "soft_labels.parquet")


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no table"])
def test_a_damaged_file(tmp_path, content):
    path = tmp_path / "soft_labels.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="dvc repro soft_labels"):
        load_soft_labels(path)
