"""A fitted model as plain arrays: terms and their weights."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]

PARTS = ("runs", "contrast", "gaps", "signals")
# Training rounds what it fits to so many digits, and a file holds no more: equal on every machine.
DIGITS = 6


class Kind(IntEnum):
    """What a term says of a sentence."""

    RUN = 0
    AFTER = 1
    END = 2
    START = 3
    GAP = 4
    SIGNAL = 5

    @property
    def part(self) -> int:
        """Rank of its part in `PARTS`; the terms of a part share a length."""
        return (0, 1, 1, 1, 2, 3)[self]


# Pairs of words apart: how often the number of terms is added to the first word in their keys, which keeps them apart
# from runs and from each other.
APART = np.array([0, 0, 0, 0, 1, 2])


@dataclass(frozen=True, eq=False)
class LinearModel:
    """Terms with their weights.

    The first terms are the known words in their order, so that the number of a word is that of its term. A term that
    training dropped, and that a longer one begins with, is there with an idf of 0: it adds nothing.

    Attributes:
        words: The known words.
        kinds: `Kind` of each term, of shape (terms,).
        before: For runs and starts of several words the term without the last word, for pairs of words apart
            (gaps and signals) the first word, otherwise -1; of shape (terms,).
        last: Last word of each term; -1 for the start of a sentence without a word. Of shape (terms,).
        idf: Inverse document frequency of each term, of shape (terms,).
        weights: Weight of each term for each label, the calibration folded in, of shape (labels, terms).
        intercepts: Score of a sentence without any known term, of shape (labels,).
        part_weights: Length of the features of each of `PARTS`; 0 leaves a part out. Of shape (parts,).
        sublinear_tf: Whether a term that stands n times counts 1 + log(n) times.
    """

    words: tuple[str, ...]
    kinds: npt.NDArray[np.uint8]
    before: Integers
    last: Integers
    idf: Floats
    weights: Floats
    intercepts: Floats
    part_weights: Floats
    sublinear_tf: bool

    @property
    def keys(self) -> npt.NDArray[np.int64]:
        """One integer for what comes before and the last word of each term; negative for terms of one word."""
        first: npt.NDArray[np.int64] = self.before.astype(np.int64) + APART[self.kinds] * len(self.kinds)
        return first * len(self.words) + self.last

    def term(self, rank: int) -> str:
        """Write a term in words.

        Args:
            rank: Its number.

        Returns:
            The words of a run or start, the only word of other terms, the two words of a pair; joined by spaces.
        """
        found = []
        while rank >= 0:
            found += [self.words[self.last[rank]]] if self.last[rank] >= 0 else []
            rank = int(self.before[rank])
        return " ".join(reversed(found))
