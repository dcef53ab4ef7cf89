from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("transformers")

from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression

from pipeline.encoder_base import open_base
from pipeline.encoder_network import EncoderNetwork, encode, fine_tune, predict
from pipeline.progress import SilentReporter
from tests.bases import make_base
from tests.reporters import Recorder

TEXTS = [f"{first} plans {second}" for first in ("children", "leaders", "new") for second in ("good", "weak")] * 16
# Labels tell good from weak; the hints tell of whom the sentence speaks.
TARGETS = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]] * 48)
HINTS = np.repeat(np.tile([1.0, -1.0, 0.0], 16), 2)[:, None].astype(np.float32)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return open_base(str(make_base(tmp_path_factory.mktemp("base"))))


@pytest.fixture(scope="module")
def settings(params):
    teacher = replace(params.encoder.teacher, hints=2.0)
    return replace(params.encoder, epochs=6, batch=8, learning_rate=0.01, head_rate=1.0, teacher=teacher)


def trained(base, settings, components=None, reporter=None):
    network = EncoderNetwork(base.source, settings.seed, settings.dropout)
    tokens = encode(base.open_tokenizer(32), TEXTS)
    fine_tune(network, tokens, TARGETS, settings, reporter or SilentReporter(), components)
    return predict(network, tokens, SilentReporter())


def unexplained(answers):
    """Share of the hints' variance that the two widest directions of the states do not hold."""
    widest = PCA(2).fit_transform(answers.states)
    return 1 - LinearRegression().fit(widest, HINTS).score(widest, HINTS)


def test_learns_labels(base, settings):
    counter = Recorder()
    answers = trained(base, settings, reporter=counter)
    np.testing.assert_array_equal(answers.logits > 0, TARGETS > 0.5)
    assert counter.done == settings.epochs * len(TEXTS)


def test_answers_are_in_the_order_of_the_sentences(base, settings):
    network = EncoderNetwork(base.source, settings.seed, 0.0).eval()
    tokens = encode(base.open_tokenizer(32), ["children plans good weak new leaders", "good", "leaders plans"] * 20)
    answers = predict(network, tokens, SilentReporter())
    assert answers.states.shape == (60, network.head.in_features)
    for number in range(3):
        alone = predict(network, tokens[number : number + 1], SilentReporter())
        for whole, own in zip(answers, alone, strict=True):
            np.testing.assert_allclose(whole[number::3], np.repeat(own, 20, axis=0), atol=0.05)
    weights, bias = (one.detach().numpy() for one in network.head.parameters())
    np.testing.assert_allclose(answers.logits, answers.states @ weights.T + bias, atol=0.05)


def test_hints_are_learnt_beside_the_labels(base, settings):
    without, with_hints = trained(base, settings), trained(base, settings, HINTS)
    np.testing.assert_array_equal(with_hints.logits > 0, TARGETS > 0.5)
    assert unexplained(with_hints) < 0.2
    assert unexplained(without) > 0.5


def test_a_hint_that_is_missing_teaches_nothing(base, settings):
    empty = np.full((len(TEXTS), 1), np.nan, dtype=np.float32)
    empty[0] = 0.0
    answers = trained(base, settings, np.hstack([HINTS, empty]))
    assert np.isfinite(answers.logits).all()
    assert unexplained(answers) < 0.2
