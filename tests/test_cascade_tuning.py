import numpy as np
import pytest

from pipeline.cascade_tuning import Answers, tune_cascade
from pipeline.label_sets import one_by_one
from pipeline.labels import LABELS
from pipeline.scorer import sigmoid

ALONE = one_by_one(dict.fromkeys(LABELS, (1.0, 0.0)))


@pytest.fixture(scope="module")
def answers() -> Answers:
    """A linear model that is often wrong where it is unsure, and an encoder that hardly ever is."""
    generator = np.random.default_rng(7)
    share = np.array([0.5, 0.3, 0.1])
    truth = generator.random((3000, len(LABELS))) < share
    sign = np.where(truth, 1.0, -1.0)
    # Log-odds of a normal score with mean 1.5 or -1.5 and deviation 1.5, by Bayes' rule.
    linear = 2 * (1.5 * sign + generator.normal(0, 1.5, truth.shape)) / 1.5 + np.log(share / (1 - share))
    encoder = 3.0 * sign + generator.normal(0, 1.2, truth.shape)
    return Answers(linear, encoder, truth, generator.integers(0, 40, len(truth)).astype(object))


def tune(answers, budget):
    return tune_cascade(answers, ALONE, np.array([0.5, 0.5, 0.5]), answers.linear, budget, "0123456789ab")


@pytest.mark.parametrize("budget", [0.05, 0.3, 0.7])
def test_the_band_keeps_to_the_budget(answers, budget):
    cascade = tune(answers, budget).cascade
    assert cascade.reach == pytest.approx(budget, abs=0.01)
    assert cascade.unsure(sigmoid(answers.linear)).mean() == pytest.approx(cascade.reach, abs=0.001)


def test_the_more_the_encoder_reads_the_better(answers):
    few, some = tune(answers, 0.1).scores, tune(answers, 0.5).scores
    assert few["balanced"]["macro_f1"] < some["balanced"]["macro_f1"] <= some["accurate"]["macro_f1"] + 0.01
    assert few["accurate"]["macro_f1"] == some["accurate"]["macro_f1"] > 0.9


def test_answers_are_calibrated(answers):
    tuned = tune(answers, 0.3)
    for part in tuned.scores.values():
        assert all(part[f"{label}_ece"] < 0.03 for label in LABELS)
    probabilities = tuned.cascade.probabilities(answers.encoder, answers.linear)
    for held_out in (probabilities, *tuned.probabilities.values()):
        assert np.abs(held_out.mean(axis=0) - answers.labels.mean(axis=0)).max() < 0.015


def test_a_useless_encoder_gets_no_weight(answers):
    noise = np.random.default_rng(8).normal(size=answers.encoder.shape)
    tuned = tune(Answers(answers.linear, noise, answers.labels, answers.groups), 0.3)
    with_it, without = (tuned.cascade.probabilities(said, answers.linear) for said in (noise, np.zeros_like(noise)))
    assert np.abs(with_it - without).mean() < 0.01
    np.testing.assert_allclose(without, sigmoid(answers.linear), atol=0.15)
