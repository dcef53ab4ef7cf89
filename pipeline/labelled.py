"""What people labelled, as training takes it, and which of it may set calibration and thresholds."""

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.dataset import groups_of
from pipeline.labels import NATURAL, REVIEWED_FOLDER, label_matrix
from pipeline.scorer import Booleans

# Fewer examples or counter-examples of a label give no threshold worth having.
_ENOUGH = 100


@dataclass(frozen=True, eq=False)
class Labelled:
    """Sentences that people labelled.

    Attributes:
        texts: The sentences.
        labels: Truth, of shape (sentences, labels).
        groups: Group of each sentence; a group is never in two folds. Of shape (sentences,).
        picked: Which were picked for what a model made of them, of shape (sentences,); None where none was.
    """

    texts: list[str]
    labels: Booleans
    groups: npt.NDArray[Any]
    picked: Booleans | None = None

    @classmethod
    def of(cls, table: pd.DataFrame) -> "Labelled":
        """Take rows of a side of the dataset.

        Args:
            table: The rows.

        Returns:
            Their sentences, in the same order.
        """
        return cls(table["text"].tolist(), label_matrix(table), groups_of(table), picked(table))

    def measured(self, among: Booleans) -> Booleans:
        """Tell which of some sentences calibration and thresholds are set on.

        Args:
            among: Those that come into question, of shape (sentences,).

        Returns:
            Of the same shape.
        """
        found = among.copy()
        chosen = np.zeros(len(self.texts), dtype=bool) if self.picked is None else self.picked
        found[among] = measuring(self.labels[among], chosen[among])
        return found


def picked(table: pd.DataFrame) -> Booleans:
    """Tell which sentences stand in a table because a review queue picked them for what a model made of them.

    Args:
        table: A side of the dataset, with `source` and `pool`.

    Returns:
        Reviewers' answers that were not drawn at random, of shape (sentences,).
    """
    reviewed = [REVIEWED_FOLDER in PurePosixPath(name).parts for name in table["source"]]
    return np.array(reviewed, dtype=bool) & (table["pool"] != NATURAL).to_numpy(dtype=bool)


def measuring(labels: Booleans, picked: Booleans) -> Booleans:
    """Tell which sentences calibration and thresholds are to be set on.

    Sentences that a model is unsure of are not like those of a report: a probability calibrated on them, or a threshold
    that is best for them, is wrong for reports as they come (sampling bias: Dasgupta and Hsu 2008, "Hierarchical
    sampling for active learning"). So they teach, and the others measure, as long as these are enough.

    Args:
        labels: Truth, of shape (sentences, labels).
        picked: Which sentences were picked for what a model made of them, of shape (sentences,).

    Returns:
        Those that were not picked; all, where they hold too few examples or counter-examples of a label.
    """
    examples = labels[~picked].sum(axis=0)
    enough = bool((np.minimum(examples, (~picked).sum() - examples) >= _ENOUGH).all())
    return ~picked if enough else np.ones(len(picked), dtype=bool)
