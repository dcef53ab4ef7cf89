"""The cascade: the linear model answers where it is sure, the encoder reads the rest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.labels import LABELS
from pipeline.modes import Mode
from pipeline.scorer import Booleans, Floats, sigmoid

READING_MODES = (Mode.balanced, Mode.accurate)


@dataclass(frozen=True)
class Cascade:
    """How linear model and encoder answer together.

    Attributes:
        encoder: Version of the encoder.
        weights: For each label (a, b, c): where the encoder reads, the log-odds are a * encoder + b * linear + c.
        thresholds: Probability from which a label is given, by mode and label.
        band: For each label the lowest and highest linear log-odds at which the linear model is unsure.
        reach: Share of sentences of ordinary reports that the encoder reads in the mode balanced, from 0 to 1.
    """

    encoder: str
    weights: dict[str, tuple[float, float, float]]
    thresholds: dict[str, dict[str, float]]
    band: dict[str, tuple[float, float]]
    reach: float

    def unsure(self, scores: Floats) -> Booleans:
        """Tell which sentences the encoder reads in the mode balanced.

        Args:
            scores: Calibrated linear log-odds, of shape (sentences, labels).

        Returns:
            Truth values, of shape (sentences,).
        """
        low, high = np.array([self.band[label] for label in LABELS]).T
        within: Booleans = ((scores >= low) & (scores <= high)).any(axis=1)
        return within

    def probabilities(self, logits: Floats, scores: Floats) -> Floats:
        """Put both answers together.

        Args:
            logits: What the encoder says, of shape (sentences, labels).
            scores: Calibrated linear log-odds, of the same shape.

        Returns:
            Calibrated probabilities, of the same shape.
        """
        encoder, linear, intercept = np.array([self.weights[label] for label in LABELS]).T
        return sigmoid(logits * encoder + scores * linear + intercept)


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
            weights={label: _numbers(raw["weights"][label], 3) for label in LABELS},
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


def _numbers(values: Any, count: int) -> Any:  # noqa: ANN401
    """Check a list of finite numbers."""
    numbers: npt.NDArray[np.float64] = np.array(values, dtype=float)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(f"found {values!r}, expected {count} numbers")
    return tuple(numbers.tolist())
