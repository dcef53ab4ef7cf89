"""Fine-tuning is tried on a base of two narrow layers with made-up weights; nothing is downloaded."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("transformers")
pytest.importorskip("onnx")

from pipeline.dataset import load_side
from pipeline.encoder import load_encoder, load_held_out
from pipeline.encoder_lessons import EncoderFiles
from pipeline.encoder_training import train_encoder
from pipeline.errors import UsageError
from pipeline.labels import LABELS
from tests.bases import make_base
from tests.reporters import Recorder


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def settings(params):
    teacher = replace(params.encoder.teacher, epochs=1, sentences=40)
    small = replace(params.encoder, epochs=1, batch=16, vocabulary=1000, max_length=64, folds=2, teacher=teacher)
    return replace(params, encoder=small)


@pytest.fixture(scope="module")
def files(dataset, store, tmp_path_factory):
    return EncoderFiles(dataset, store, answers=tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="module")
def trained(settings, files, base, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder") / "encoder"
    train_encoder(settings, files, str(base), output=folder)
    return folder


def test_what_is_written_can_be_loaded_and_answers(trained, dataset):
    encoder, table = load_encoder(trained), load_side(dataset, "train")
    assert encoder.logits(["Plans are weak.", "They will improve."]).shape == (2, len(LABELS))
    assert set(encoder.config.data["documents"]) == set(table["document"])
    assert encoder.config.data["teacher"] is None
    assert "teacher" not in (trained / "README.md").read_text(encoding="utf-8")
    keys, logits = load_held_out(trained)
    assert set(keys.tolist()) == set(table["key"])
    assert np.isfinite(logits).all()


def test_an_answer_does_not_depend_on_the_company(trained):
    encoder = load_encoder(trained)
    texts = ["Plans are weak.", "Leaders will improve the plans of children and the plans of leaders.", "good"]
    together = encoder.logits(texts)
    np.testing.assert_array_equal(together, [encoder.logits([text])[0] for text in texts])


def test_the_same_again_gives_the_same(trained, settings, files, base, tmp_path):
    again = train_encoder(settings, files, str(base), output=tmp_path / "encoder", workers=1)
    texts = ["Plans are weak.", "Leaders will improve."]
    np.testing.assert_allclose(again.logits(texts), load_encoder(trained).logits(texts), atol=0.02)


def test_with_a_teacher(trained, settings, files, base, tmp_path):
    encoder = train_encoder(
        settings, files, str(base), str(base), tmp_path / "encoder", reporter=(counter := Recorder())
    )
    assert counter.done == counter.total > 0
    assert load_encoder(tmp_path / "encoder").version == encoder.version
    wanted = settings.encoder.teacher.sentences
    assert wanted <= encoder.config.data["teacher"]["unlabelled"] <= settings.encoder.folds * wanted
    assert encoder.version != load_encoder(trained).version
    card = (tmp_path / "encoder" / "README.md").read_text(encoding="utf-8")
    assert "Learnt from 2 teachers" in card
    assert "--teacher DIR" in card
    # One teacher a fold; the whole learns from all of them.
    assert len(list(files.answers.iterdir())) == settings.encoder.folds


def test_no_base_weights(settings, files, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no base weights there"):
        train_encoder(settings, files, str(tmp_path / "empty"), output=tmp_path / "encoder")
    assert not (tmp_path / "encoder").exists()
