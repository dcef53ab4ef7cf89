"""The cascade: the linear model answers where it is sure, the encoder reads the rest."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.label_sets import LabelSets, SetWeights, one_by_one, read_set_weights
from pipeline.labels import LABELS
from pipeline.modes import Mode
from pipeline.scorer import Booleans, Floats, log_odds

READING_MODES = (Mode.balanced, Mode.accurate)


@dataclass(frozen=True)
class Cascade:
    """How linear model and encoder answer together.

    Attributes:
        encoder: Version of the encoder.
        weights: Where the encoder reads, the weights of each set of labels: of the encoder's log-odds of each label,
            then of the linear model's (`pipeline.label_sets`). Models saved before there were sets have for each label
            (a, b, c), for log-odds of a * encoder + b * linear + c.
        thresholds: Probability from which a label is given, by mode and label.
        band: For each label the log-odds of the linear model's probability between which it is unsure.
        reach: Share of sentences of ordinary reports that the encoder reads in the mode balanced, from 0 to 1.
    """

    encoder: str
    weights: SetWeights
    thresholds: dict[str, dict[str, float]]
    band: dict[str, tuple[float, float]]
    reach: float

    def unsure(self, plain: Floats) -> Booleans:
        """Tell which sentences the encoder reads in the mode balanced.

        Args:
            plain: The linear model's probabilities, of shape (sentences, labels).

        Returns:
            Truth values, of shape (sentences,).
        """
        low, high = np.array([self.band[label] for label in LABELS]).T
        odds = log_odds(plain)
        within: Booleans = ((odds >= low) & (odds <= high)).any(axis=1)
        return within

    def probabilities(self, logits: Floats, scores: Floats) -> Floats:
        """Put both answers together.

        Args:
            logits: What the encoder says, of shape (sentences, labels).
            scores: Calibrated linear log-odds of each label by itself, of the same shape.

        Returns:
            Calibrated probabilities, of the same shape.
        """
        return self._sets.probabilities(np.hstack([logits, scores]))

    @cached_property
    def _sets(self) -> LabelSets:
        return LabelSets(one_by_one(self.weights) if _is_by_label(self.weights) else self.weights)


def read_cascade(raw: Any) -> Cascade | None:  # noqa: ANN401
    """Read what a model's config.json says of its cascade.

    Args:
        raw: The value there; null for a model without one.

    Returns:
        The cascade, or None.

    Raises:
        ValueError: It is not as documented.
    """
    if raw is None:
        return None
    try:
        cascade = Cascade(
            encoder=str(raw["encoder"]),
            weights=_weights(raw["weights"]),
            thresholds={
                mode: {label: float(raw["thresholds"][mode][label]) for label in LABELS} for mode in READING_MODES
            },
            band={label: _numbers(raw["band"][label], 2) for label in LABELS},
            reach=float(raw["reach"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"its cascade is not as documented ({type(error).__name__}: {error})") from None
    if not all(0 <= value <= 1 for by_label in cascade.thresholds.values() for value in by_label.values()):
        raise ValueError("a threshold of its cascade is not between 0 and 1")
    return cascade


def _weights(raw: Any) -> SetWeights:  # noqa: ANN401
    if _is_by_label(raw):
        return {label: _numbers(raw[label], 3) for label in LABELS}
    return read_set_weights(raw, 2 * len(LABELS))


def _is_by_label(weights: Any) -> bool:  # noqa: ANN401
    return isinstance(weights, dict) and set(weights) == set(LABELS) and len(weights[LABELS[0]]) == 3


def _numbers(values: Any, count: int) -> Any:  # noqa: ANN401
    """Check a list of finite numbers."""
    numbers: npt.NDArray[np.float64] = np.array(values, dtype=float)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"found {values!r}, expected {count} numbers")
    return tuple(numbers.tolist())
