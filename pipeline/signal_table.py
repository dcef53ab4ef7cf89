"""Where words stand near signal words → the terms of these pairs, by one look into a table."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from pipeline.linear_model import Kind, LinearModel
from pipeline.words import REACH, SIGNALS

Integers = npt.NDArray[np.int64]


class SignalTable:
    """Holds a term, or -1, for every word before and after every signal word.

    Args:
        model: Terms of every kind.
    """

    def __init__(self, model: LinearModel) -> None:
        # The two further places stand for an unknown word and for the end of a sentence.
        self._words = len(model.words) + 2
        signals = np.flatnonzero([word in SIGNALS for word in model.words])
        self._ranks = np.full(self._words, -1)
        self._ranks[signals] = np.arange(len(signals))
        self._width = len(signals)
        terms = np.flatnonzero(model.kinds == Kind.SIGNAL)
        first, last = model.before[terms], model.last[terms]
        leading, following = self._ranks[first] >= 0, self._ranks[last] >= 0
        table = np.full((2, self._words, self._width), -1, dtype=np.int32)
        # A pair of two signal words stands once, as the first one's.
        table[0, last[leading], self._ranks[first[leading]]] = terms[leading]
        other = following & ~leading
        table[1, first[other], self._ranks[last[other]]] = terms[other]
        self._table = table.ravel()

    def find(
        self, numbers: Integers, rows: Integers, starts: Integers, ends: Integers
    ) -> Iterator[tuple[Integers, Integers]]:
        """Find the pairs in sentences that stand one after the other.

        Args:
            numbers: Number of each word, and of each sentence's end, of shape (words + sentences,).
            rows: Rank of the sentence of each, of the same shape.
            starts: Place of the first word of each sentence, of shape (sentences,).
            ends: Place of the end of each sentence, of the same shape.

        Yields:
            Ranks of sentences and terms, -1 for pairs that are no terms: first the words after signal words, then those
            before them.
        """
        ranks = self._ranks.take(numbers)
        signals = np.flatnonzero(ranks >= 0)
        sentence, rank = rows[signals], ranks[signals]
        for side, room in enumerate((ends[sentence] - signals - 1, signals - starts[sentence])):
            counts = np.minimum(room, REACH)
            which = np.repeat(np.arange(len(signals)), counts)
            steps = np.arange(1, len(which) + 1) - np.repeat(np.cumsum(counts) - counts, counts)
            others = signals.take(which) + (steps if side == 0 else -steps)
            if side == 1:
                single = np.flatnonzero(ranks.take(others) < 0)
                which, others = which[single], others[single]
            place = (side * self._words + numbers.take(others)) * self._width + rank.take(which)
            yield sentence.take(which), self._table.take(place)
