"""Log-odds of all labels → probabilities that know which labels stand together in a sentence."""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from pipeline.labels import LABELS, format_labels, parse_labels
from pipeline.scorer import Floats

# For each set of labels, by its name, a weight for each number that is known of a sentence, and an intercept.
SetWeights = dict[str, tuple[float, ...]]


class LabelSets:
    """Weighs sets of labels against each other: each gets a linear score, and their softmax are probabilities.

    A label by itself is as likely as all sets that hold it together. Reading each label alone is the special case in
    which a set's weights are the sum of those of its labels (label powerset: Boutell et al. 2004, "Learning multi-label
    scene classification"; on the answers of other models: Godbole and Sarawagi 2004, "Discriminative methods for
    multi-labeled classification").

    Args:
        weights: Of each set that may be an answer.

    Raises:
        ValueError: There is no such set, or the numbers are not as many for each, or not finite.
    """

    def __init__(self, weights: Mapping[str, Sequence[float]]) -> None:
        self._sets = np.array([parse_labels(name) for name in weights])
        rows = [np.array(row, dtype=float) for row in weights.values()]
        if not rows or len({row.shape for row in rows}) > 1 or rows[0].ndim != 1 or len(rows[0]) < 2:
            raise ValueError("expected for each set of labels as many numbers, two or more")
        self._weights = np.array(rows)
        if not np.isfinite(self._weights).all():
            raise ValueError("expected finite numbers for each set of labels")

    @property
    def inputs(self) -> int:
        """How many numbers are to be known of a sentence."""
        return int(self._weights.shape[1]) - 1

    def probabilities(self, known: Floats) -> Floats:
        """Give the probability of each label.

        Args:
            known: Log-odds, of shape (sentences, inputs).

        Returns:
            Of shape (sentences, labels), each between 0 and 1; what a sentence gets does not depend on the others.
        """
        # Sums one by one: a product of matrices may differ in the last bit with the number of rows.
        scores = np.repeat(self._weights[:, -1:], len(known), axis=1)
        for weights, column in zip(self._weights.T, known.T, strict=False):
            scores += weights[:, None] * column
        chances = np.exp(scores - scores.max(axis=0))
        total = sum(chances, np.zeros(len(known)))
        parts = [sum(chances[self._sets[:, rank]], np.zeros(len(known))) for rank in range(len(LABELS))]
        found: Floats = np.minimum(np.stack(parts, axis=1) / total[:, None], 1.0)
        return found


def one_by_one(weights: Mapping[str, Sequence[float]]) -> SetWeights:
    """Write as weights of sets what reads each label alone.

    Args:
        weights: For each label one weight for each of several answers about it, and an intercept.

    Returns:
        The same for all sets of labels, of log-odds of the first answer for all labels, then of the next, and so on.
    """
    rows: SetWeights = {}
    for mask in product((False, True), repeat=len(LABELS)):
        table = np.array([weights[label] for label in LABELS], dtype=float) * np.array(mask)[:, None]
        rows[format_labels(mask)] = (*table[:, :-1].T.ravel().tolist(), float(table[:, -1].sum()))
    return rows


def read_set_weights(raw: Any, inputs: int) -> SetWeights:  # noqa: ANN401
    """Read weights from a model's config.json.

    Args:
        raw: The value there.
        inputs: How many numbers are known of a sentence.

    Returns:
        The weights.

    Raises:
        ValueError: They are not as documented.
    """
    if not isinstance(raw, dict):
        raise ValueError(f"found {type(raw).__name__}, expected numbers by set of labels")
    weights = {str(name): tuple(float(value) for value in row) for name, row in raw.items()}
    found = LabelSets(weights).inputs
    if found != inputs:
        raise ValueError(f"found {found} weights for a set of labels, expected {inputs}")
    return weights
