"""Held-out scores → calibrated probabilities, thresholds, and what the answers are worth."""

from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from pipeline.label_sets import LabelSets, SetWeights, one_by_one
from pipeline.labels import LABELS, format_labels
from pipeline.linear_model import DIGITS
from pipeline.scorer import Booleans, Floats
from pipeline.scores import Scored, point_scores

_THRESHOLD_DIGITS = 4
_BINS = 10
_SET_DIGITS = 4
_PRIORS = (10.0, 100.0, 1000.0, np.inf)
_FOLDS = 5
_LEAST_CHANCE = 1e-6
_LEAST_SPREAD = 1e-6


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


def choose_prior(known: Floats, labels: Booleans, groups: npt.NDArray[Any]) -> tuple[float, Floats]:
    """Choose how firmly `fit_label_sets` keeps to each label by itself: by what it says of other groups.

    Args:
        known: As there.
        labels: Truth, of shape (sentences, labels).
        groups: Group of each sentence, of shape (sentences,).

    Returns:
        The precision with the least log loss, infinite where only few documents are known, and reading labels together
        gains nothing on others; and with it the probability of each label, of shape (sentences, labels), by weights
        from other groups, if there are others.
    """
    count = min(_FOLDS, len(set(groups.tolist())))
    if count < 2:
        return np.inf, LabelSets(fit_label_sets(known, labels, np.inf)).probabilities(known)
    folds = list(GroupKFold(count).split(known, groups=groups))
    fitted = Parallel(n_jobs=-1)(
        delayed(fit_label_sets)(known[train], labels[train], prior) for prior in _PRIORS for train, _ in folds
    )
    least, chosen, best = np.inf, np.inf, np.empty(labels.shape)
    for rank, prior in enumerate(_PRIORS):
        said = np.empty(labels.shape)
        for fold, (_, rest) in enumerate(folds):
            said[rest] = LabelSets(fitted[rank * count + fold]).probabilities(known[rest])
        sure = np.clip(said, _LEAST_CHANCE, 1 - _LEAST_CHANCE)
        loss = float(-np.log(np.where(labels, sure, 1 - sure)).mean())
        if loss < least:
            least, chosen, best = loss, prior, said
    return chosen, best


def fit_label_sets(known: Floats, labels: Booleans, prior: float) -> SetWeights:
    """Fit how likely each set of labels is, from log-odds of all labels together.

    A multinomial logistic regression, drawn not towards nothing, but towards what reads each label by itself (a
    Gaussian prior around the weights of one logistic regression a label).

    Args:
        known: Log-odds of held-out answers: of the first answer for each label, then of the next, and so on; of shape
            (sentences, answers * labels).
        labels: Truth, of shape (sentences, labels).
        prior: Precision of that prior, above 0, for log-odds of mean 0 and deviation 1; infinite for each label by
            itself.

    Returns:
        Weights for `pipeline.label_sets.LabelSets`, of the sets that stand in `labels`; of all for an infinite prior.
    """
    alone = one_by_one(
        {label: _by_itself(known[:, rank :: len(LABELS)], labels[:, rank]) for rank, label in enumerate(LABELS)}
    )
    if np.isinf(prior):
        return alone
    masks, places = np.unique(labels, axis=0, return_inverse=True)
    names = [format_labels(mask) for mask in masks]
    middle = np.array([alone[name] for name in names])
    centre, spread = known.mean(axis=0), known.std(axis=0) + _LEAST_SPREAD
    rows = np.column_stack([(known - centre) / spread, np.ones(len(known))])
    base = known @ middle[:, :-1].T + middle[:, -1]
    truth = np.eye(len(names))[places.ravel()]

    def loss(flat: Floats) -> tuple[float, Floats]:
        change = flat.reshape(len(names), -1)
        logs = log_softmax(base + rows @ change.T, axis=1)
        slope = (np.exp(logs) - truth).T @ rows + prior * change
        return float((prior / 2) * (change**2).sum() - (logs * truth).sum()), slope.ravel()

    start = np.zeros(len(names) * rows.shape[1])
    # Converged well beyond the digits that are kept: equal on every machine.
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-5, "ftol": 0, "maxiter": 10_000})
    change = found.x.reshape(len(names), -1)
    slopes = change[:, :-1] / spread
    weights = middle + np.column_stack([slopes, change[:, -1] - slopes @ centre])
    return {name: tuple(row) for name, row in zip(names, np.round(weights, _SET_DIGITS).tolist(), strict=True)}


def _by_itself(known: Floats, truth: Booleans) -> list[float]:
    """Fit a label's log-odds to those of several answers about it; one that all have, or none, tells no sets apart."""
    if truth.all() or not truth.any():
        return [0.0] * (known.shape[1] + 1)
    fitted = LogisticRegression(C=1e6).fit(known, truth)
    return [float(value) for value in np.round([*fitted.coef_[0], fitted.intercept_[0]], _SET_DIGITS)]


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
