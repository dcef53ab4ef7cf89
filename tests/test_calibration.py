import numpy as np
import pytest
from sklearn.metrics import f1_score

from pipeline.calibration import best_thresholds, fit_platt, held_out_scores
from pipeline.scorer import sigmoid


@pytest.mark.parametrize("shape", [(0.3, 2.0), (0.05, 0.5), (2.0, 2.0), (3.0, 0.7)])
def test_the_best_threshold_has_the_best_f1(shape):
    generator = np.random.default_rng(3)
    probabilities = generator.beta(*shape, size=200_000)
    truth = generator.random(len(probabilities)) < probabilities
    found = best_thresholds(probabilities[:, None])
    best = max(f1_score(truth, probabilities >= cut) for cut in np.linspace(0, 1, 101))
    assert f1_score(truth, probabilities >= found) == pytest.approx(best, abs=0.001)


def test_every_label_has_a_threshold_of_its_own():
    probabilities = np.random.default_rng(3).beta(0.3, 2.0, size=(1000, 3))
    alone = [best_thresholds(probabilities[:, [k]])[0] for k in range(3)]
    assert best_thresholds(probabilities).tolist() == alone


def test_platt_scaling_finds_slope_and_intercept():
    generator = np.random.default_rng(3)
    scores = generator.normal(size=(100_000, 2))
    labels = generator.random(scores.shape) < sigmoid(scores * [2.0, 0.5] + [-1.0, 0.3])
    slopes, intercepts = fit_platt(scores, labels)
    assert slopes == pytest.approx([2.0, 0.5], abs=0.05)
    assert intercepts == pytest.approx([-1.0, 0.3], abs=0.05)
    assert np.round(slopes, 1).tolist() == fit_platt(scores, labels, digits=1)[0].tolist()


def test_held_out_scores_are_those_of_the_labels_given():
    labels = np.array([[True, False, True], [False, True, True], [True, True, False], [False, False, False]])
    probabilities = np.where(labels, 0.8, 0.2)
    probabilities[0, 2] = 0.4
    scores = held_out_scores(labels, probabilities, np.array([0.5, 0.5, 0.5]), np.arange(4))
    assert scores["exact_match"] == 0.75
    assert scores["macro_f1"] == pytest.approx((1 + 1 + 2 / 3) / 3, abs=1e-4)
