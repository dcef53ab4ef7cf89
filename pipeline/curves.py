"""The tables behind the plots: precision and recall, calibration, confusion."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from pipeline.labels import LABELS, format_labels
from pipeline.params import EvaluateParams
from pipeline.scores import Booleans, Floats, Scored

_CURVE_POINTS = 101
_DIGITS = 4


def plot_tables(scored: Scored, params: EvaluateParams) -> dict[str, pd.DataFrame]:
    """Compute the tables behind the plots.

    Args:
        scored: Truth and answers.
        params: The section `evaluate` of params.yaml.

    Returns:
        `precision_recall` (label, recall, precision), `calibration` (label, mean_probability, share, sentences) and
        `confusion` (actual, predicted: sets of labels; one row a sentence).
    """
    return {
        "precision_recall": _per_label(scored, _precision_recall),
        "calibration": _per_label(scored, lambda truth, p: _calibration(truth, p, params.bins)),
        "confusion": pd.DataFrame(
            {
                "actual": [format_labels(mask) for mask in scored.truth],
                "predicted": [format_labels(mask) for mask in scored.chosen],
            }
        ),
    }


def _per_label(scored: Scored, compute: Callable[[Booleans, Floats], pd.DataFrame]) -> pd.DataFrame:
    parts = [
        compute(scored.truth[:, k], scored.probabilities[:, k]).assign(label=label) for k, label in enumerate(LABELS)
    ]
    return pd.concat(parts, ignore_index=True)


def _precision_recall(truth: Booleans, probabilities: Floats) -> pd.DataFrame:
    """Take the precision at evenly spaced recalls, so that the table stays small."""
    from sklearn.metrics import precision_recall_curve

    if not truth.any():
        return pd.DataFrame({"recall": [], "precision": []})
    precision, recall, _ = precision_recall_curve(truth, probabilities)
    grid = np.linspace(0, 1, _CURVE_POINTS)
    return pd.DataFrame(
        {"recall": grid.round(2), "precision": np.interp(grid, recall[::-1], precision[::-1]).round(_DIGITS)}
    )


def _calibration(truth: Booleans, probabilities: Floats, bins: int) -> pd.DataFrame:
    """Compare mean probability and true share in each bin that holds a sentence."""
    bin_of = np.minimum((probabilities * bins).astype(int), bins - 1)
    counts = np.bincount(bin_of, minlength=bins)
    used = counts > 0
    means = np.bincount(bin_of, weights=probabilities, minlength=bins)[used] / counts[used]
    shares = np.bincount(bin_of, weights=truth, minlength=bins)[used] / counts[used]
    return pd.DataFrame(
        {"mean_probability": means.round(_DIGITS), "share": shares.round(_DIGITS), "sentences": counts[used]}
    )
