import shutil

import numpy as np
import pytest

from pipeline.dataset import load_side
from pipeline.errors import DataError, ModelError
from pipeline.extract import extract_sentences, load_sentences
from pipeline.labels import LABELS
from pipeline.soft_labels import TrainingFiles, load_soft_labels, make_soft_labels
from tests.conftest import PROJECT

ENCODER = PROJECT / "models" / "encoder"


@pytest.fixture(scope="module")
def read(params, store, few_labels):
    """Read a store with an encoder into a file."""

    def run(output, sentences=store, encoder=ENCODER):
        files = TrainingFiles(sentences, output, encoder, PROJECT / "data" / "reserved-keys.txt")
        return make_soft_labels(params, few_labels, files)

    return run


@pytest.fixture(scope="module")
def made(read, tmp_path_factory):
    output = tmp_path_factory.mktemp("soft") / "soft_labels.parquet"
    return output, read(output)


def test_every_sentence_of_the_store_is_read(made, store):
    output, report = made
    table, version = load_soft_labels(output)
    assert set(load_sentences(store)["key"]) == {name for name in table.index if " " not in name}
    assert list(table.columns) == [*LABELS, "copy"]
    assert (table["copy"].notna() == [" " in name for name in table.index]).all()
    assert (report.new, report.reused) == (len(table), 0)
    assert len(version) == 12


def test_copies_of_labelled_sentences_are_read(made, few_labels):
    table, _ = load_soft_labels(made[0])
    train, test = load_side(few_labels, "train"), load_side(few_labels, "test")
    copied = {name.split(" ")[0] for name in table.index if " " in name}
    long = train["text"].str.split().str.len() >= 7
    assert copied >= set(train.loc[long, "key"])
    assert not copied & set(test["key"])
    # A copy is read by itself: what it says is not what the sentence says.
    name = next(name for name in table.index if " span 0 " in name and name.split(" ")[0] in table.index)
    assert not np.allclose(*(table.loc[key, list(LABELS)].to_numpy(float) for key in (name, name.split(" ")[0])))


def test_only_new_sentences_cost_anything(made, read, samples, tmp_path):
    reports = tmp_path / "reports"
    reports.mkdir()
    for path in sorted(samples.glob("*.pdf"))[:-1]:
        shutil.copyfile(path, reports / path.name)
    smaller, output = tmp_path / "smaller", tmp_path / "soft_labels.parquet"
    extract_sentences([reports], smaller)
    first = read(output, smaller)
    before = set(load_soft_labels(output)[0].index)
    second = read(output)
    kept = before & set(load_soft_labels(output)[0].index)
    assert second.reused == len(kept) <= first.new == len(before)
    # With new sentences beside, other words fit in some places, others are the likeliest of a rare label, and some
    # sentences have another partner.
    assert len(kept) > 0.8 * len(before)
    assert len(_not_replaced(kept)) > 0.9 * len(_not_replaced(before))
    assert output.read_bytes() == made[0].read_bytes()
    assert read(output).new == 0


def _not_replaced(names):
    return {name for name in names if " substituted " not in name}


def test_what_was_read_before_an_interruption_is_kept(made, read, params, store, tmp_path):
    output = tmp_path / "soft_labels.parquet"
    # Without a dataset the stage ends after the sentences, before any copy.
    files = TrainingFiles(store, output, ENCODER)
    with pytest.raises(DataError, match="dvc repro"):
        make_soft_labels(params, tmp_path / "none", files)
    kept, _ = load_soft_labels(output)
    assert set(kept.index) == set(load_sentences(store)["key"])
    assert read(output).reused == len(kept)
    assert output.read_bytes() == made[0].read_bytes()


def test_another_encoder_reads_everything_again(made, read, tmp_path):
    encoder, output = tmp_path / "encoder", tmp_path / "soft_labels.parquet"
    shutil.copytree(ENCODER, encoder)
    config = encoder / "config.json"
    config.write_text(config.read_text().replace('"max_length": 128,\n  "base"', '"max_length": 64,\n  "base"'))
    shutil.copyfile(made[0], output)
    assert read(output, encoder=encoder).reused == 0


def test_without_an_encoder(read, tmp_path):
    with pytest.raises(ModelError, match="findings encoder train"):
        read(tmp_path / "soft_labels.parquet", encoder=tmp_path / "none")


@pytest.mark.parametrize("content", [None, b"", b"PAR1 no table"])
def test_a_damaged_file(tmp_path, content):
    path = tmp_path / "soft_labels.parquet"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="dvc repro soft_labels"):
        load_soft_labels(path)
