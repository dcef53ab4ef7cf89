"""Calibrating both models' answers, and choosing what the encoder reads, on documents that neither had seen."""

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.calibration import best_thresholds, choose_prior, expected_f1, fit_label_sets, held_out_scores
from pipeline.cascade import Cascade
from pipeline.label_sets import LabelSets, SetWeights
from pipeline.labels import LABELS
from pipeline.modes import Mode
from pipeline.scorer import Booleans, Floats, log_odds

_DIGITS = 4
# How wide one label's band may be beside another's.
_SHAPES = (0.5, 1.0, 1.5, 2.0, 3.0)


@dataclass(frozen=True, eq=False)
class Answers:
    """What both models say of labelled sentences that neither had seen.

    Attributes:
        linear: Calibrated log-odds of the linear model, each label by itself, of shape (sentences, labels).
        encoder: What the encoder says, of the same shape.
        labels: Truth, of the same shape.
        groups: Group of each sentence, of shape (sentences,).
    """

    linear: Floats
    encoder: Floats
    labels: Booleans
    groups: npt.NDArray[Any]

    @property
    def both(self) -> Floats:
        """What the encoder says of each label, then what the linear model says, of shape (sentences, 2 * labels)."""
        return np.hstack([self.encoder, self.linear])


@dataclass(frozen=True, eq=False)
class Tuned:
    """A cascade, and what it was worth on the labelled sentences.

    Attributes:
        cascade: The cascade.
        scores: Scores by mode.
        probabilities: By mode what was said of each sentence, by models and a calibration that had not seen it; of
            shape (sentences, labels).
    """

    cascade: Cascade
    scores: dict[str, dict[str, float | None]]
    probabilities: dict[str, Floats]


def tune_cascade(
    answers: Answers, sets: SetWeights, thresholds: Floats, ordinary: Floats, budget: float, version: str
) -> Tuned:
    """Calibrate both answers together, choose the band, and set the thresholds of the two modes that use it.

    Of all shapes that send the budgeted share of ordinary sentences to the encoder, the band has the one with the
    highest macro F1 to be expected (`pipeline.calibration.expected_f1`).

    Args:
        answers: On labelled sentences.
        sets: How the linear model alone weighs sets of labels.
        thresholds: Thresholds of the linear model, in the order of `LABELS`.
        ordinary: The linear model's log-odds of sentences as they come in reports, of shape (sentences, labels).
        budget: Share of them that the encoder may read, between 0 and 1.
        version: The encoder's version.

    Returns:
        The cascade, with what it is worth.
    """
    prior, read = choose_prior(answers.both, answers.labels, answers.groups)
    centres = log_odds(thresholds)
    plain = LabelSets(sets).probabilities(answers.linear)
    said, usual = log_odds(plain), log_odds(LabelSets(sets).probabilities(ordinary))
    best: tuple[float, Floats] | None = None
    for shape in product(_SHAPES, repeat=len(LABELS)):
        if min(shape) != _SHAPES[0]:
            continue  # the same band as with a smaller shape
        scale = np.quantile(_distance(usual, centres, np.array(shape)), budget)
        widths = scale * np.array(shape)
        mixed = np.where(_between(said, centres - widths, centres + widths), read, plain)
        f1 = float(expected_f1(mixed).mean())
        if best is None or f1 > best[0]:
            best = f1, widths
    assert best is not None
    low, high = np.round(centres - best[1], _DIGITS), np.round(centres + best[1], _DIGITS)
    band = dict(zip(LABELS, zip(low.tolist(), high.tolist(), strict=True), strict=True))
    unsure = _between(said, low, high)
    by_mode = {
        Mode.balanced: np.where(unsure, read, plain),
        Mode.accurate: read,
    }
    chosen = {mode: best_thresholds(values) for mode, values in by_mode.items()}
    cascade = Cascade(
        encoder=version,
        weights=fit_label_sets(answers.both, answers.labels, prior),
        thresholds={mode.value: dict(zip(LABELS, values.tolist(), strict=True)) for mode, values in chosen.items()},
        band=band,
        reach=round(float(_between(usual, low, high).mean()), _DIGITS),
    )
    scores = {
        mode.value: held_out_scores(answers.labels, by_mode[mode], chosen[mode], answers.groups) for mode in by_mode
    }
    return Tuned(cascade, scores, {mode.value: values for mode, values in by_mode.items()})


def _distance(scores: Floats, centres: Floats, shape: Floats) -> Floats:
    """Give how far each sentence is from the nearest threshold, in widths of its label's band."""
    distance: Floats = (np.abs(scores - centres) / shape).min(axis=1)
    return distance


def _between(scores: Floats, low: Floats, high: Floats) -> Booleans:
    """Tell which sentences lie in the band of some label; of shape (sentences, 1)."""
    within: Booleans = ((scores >= low) & (scores <= high)).max(axis=1, keepdims=True)
    return within
