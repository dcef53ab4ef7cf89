"""Held-out scores → calibrated probabilities, thresholds, and what the answers are worth."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression

from pipeline.linear_model import DIGITS
from pipeline.scorer import Booleans, Floats
from pipeline.scores import Scored, point_scores

_THRESHOLD_DIGITS = 4
_BINS = 10


def fit_platt(scores: Floats, labels: Booleans, digits: int = DIGITS) -> tuple[Floats, Floats]:
    """Fit p = 1 / (1 + exp(-(a s + b))) for each label (Platt 1999) on held-out scores s.

    Args:
        scores: Of shape (sentences, labels).
        labels: Truth, of the same shape.
        digits: To which the result is rounded.

    Returns:
        Slopes a and intercepts b, of shape (labels,).
    """
    fitted = [LogisticRegression(C=1e6).fit(scores[:, [k]], labels[:, k]) for k in range(labels.shape[1])]
    slopes = np.array([model.coef_[0, 0] for model in fitted])
    intercepts = np.array([model.intercept_[0] for model in fitted])
    return np.round(slopes, digits), np.round(intercepts, digits)


def expected_f1(probabilities: Floats) -> Floats:
    """Give the highest F1 of each label that its probabilities lead one to expect.

    If the n likeliest of the sentences get the label, the sum of their probabilities is the number of hits to be
    expected, and F1 is about twice that over n plus the sum of all probabilities (Lipton, Elkan and Naryanaswamy 2014,
    "Optimal thresholding of classifiers to maximize F1 measure"). The highest F1 on labels themselves hangs on a few
    sentences.

    Args:
        probabilities: Calibrated, of held-out sentences, of shape (sentences, labels).

    Returns:
        F1, from 0 to 1, of shape (labels,).
    """
    falling = -np.sort(-probabilities, axis=0)
    given = np.arange(1, len(falling) + 1)[:, None]
    f1: Floats = (2 * np.cumsum(falling, axis=0) / (given + falling.sum(axis=0))).max(axis=0)
    return f1


def best_thresholds(probabilities: Floats) -> Floats:
    """Find each label's threshold with the highest F1 to be expected, which is half of that F1 (Lipton et al. 2014).

    Args:
        probabilities: Calibrated, of held-out sentences, of shape (sentences, labels).

    Returns:
        Thresholds, of shape (labels,), with four digits.
    """
    thresholds: Floats = np.round(expected_f1(probabilities) / 2, _THRESHOLD_DIGITS)
    return thresholds


def held_out_scores(
    labels: Booleans, probabilities: Floats, thresholds: Floats, groups: npt.NDArray[Any]
) -> dict[str, float | None]:
    """Score held-out answers.

    Args:
        labels: Truth, of shape (sentences, labels).
        probabilities: Of the same shape.
        thresholds: Probability from which each label is given, of shape (labels,).
        groups: Group of each sentence.

    Returns:
        What `pipeline.scores.point_scores` returns.
    """
    unnamed = np.full(len(labels), "")
    return point_scores(Scored(labels, probabilities, probabilities >= thresholds, groups, unnamed), _BINS)
