"""Which labelled sentences may set calibration and thresholds."""

from pathlib import PurePosixPath

import numpy as np
import pandas as pd

from pipeline.labels import REVIEWED_FOLDER
from pipeline.scorer import Booleans

# Fewer examples or counter-examples of a label give no threshold worth having.
_ENOUGH = 100
_NATURAL = "natural"


def picked(table: pd.DataFrame) -> Booleans:
    """Tell which sentences stand in a table because a review queue picked them for what a model made of them.

    Args:
        table: A side of the dataset, with `source` and `pool`.

    Returns:
        Reviewers' answers that were not drawn at random, of shape (sentences,).
    """
    reviewed = [REVIEWED_FOLDER in PurePosixPath(name).parts for name in table["source"]]
    return np.array(reviewed, dtype=bool) & (table["pool"] != _NATURAL).to_numpy(dtype=bool)


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
