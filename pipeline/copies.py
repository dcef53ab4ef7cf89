"""Altered copies of sentences: what the encoder says of them shows the linear model what each part is worth."""

from bisect import bisect_left
from collections.abc import Callable
from random import Random
from zlib import crc32

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.params import CopiesParams
from pipeline.scorer import Floats
from pipeline.substitution import Frames

Alter = Callable[[str, str], str]

# Shorter sentences have no part that says less than the whole.
_WORDS = 7
# A span has this share of a sentence's words, and never fewer than so many words.
_SHORTEST, _LONGEST, _FEWEST = 0.35, 0.9, 4
_LEFT_OUT = 0.25
# A crossed sentence ends or begins with so much of either sentence.
_LEAST_PART, _GREATEST_PART = 0.3, 0.7
# Of a label that fewer of the unlabelled sentences bear, the likeliest of them give copies as labelled ones do.
_RARE = 0.05
_LIKELIEST = 0.05
_HASHES = 2**32


def plan_copies(labelled: pd.DataFrame, unlabelled: pd.DataFrame, logits: Floats, params: CopiesParams) -> pd.DataFrame:
    """Alter the sentences that teach most, always in the same way.

    Labelled sentences give spans, copies with words left out (n-gram sampling and masking: Tang et al. 2019,
    "Distilling task-specific knowledge from BERT into simple neural networks") and copies with words replaced by
    others of the training side (`pipeline.substitution`). So do, of a label that fewer than 5% of the unlabelled
    sentences bear, the likeliest 5% of these. Every unlabelled sentence is crossed with others of its group.

    Args:
        labelled: Sentences of the training side, with `key` and `text`.
        unlabelled: Sentences that nobody labelled and that may teach, with the same columns and `group`.
        logits: The encoder's log-odds of the unlabelled ones, of shape (sentences, labels).
        params: How many copies of each kind a sentence gives at most.

    Returns:
        A row a copy: `name`, which begins with the sentence's key and ends in a hash of the copy's text; and `text`.
    """
    likely = unlabelled.iloc[_likeliest_of_rare(logits)]
    frames = Frames([*labelled["text"], *unlabelled["text"]])
    kinds = [(span, params.spans), (thinned, params.thinned), (frames.substituted, params.substituted)]
    rows = [row for table in (labelled, likely) for alter, count in kinds for row in _copies(table, alter, count)]
    # Within a group: whoever holds the group out has then seen neither half.
    for _, table in unlabelled.groupby("group"):
        rows += _copies(table, Partners(table).crossed, params.crossed)
    return pd.DataFrame(rows, columns=["name", "text"], dtype=object)


def source_key(name: str) -> str:
    """Tell which sentence was altered.

    Args:
        name: A copy's name.

    Returns:
        The sentence's key.
    """
    return name.split(" ", 1)[0]


def span(text: str, seed: str) -> str:
    """Cut a run of words out of a sentence.

    Args:
        text: A sentence.
        seed: Decides over the run.

    Returns:
        Between 35% and 90% of its words, at least four; "" for a sentence of fewer than seven words.
    """
    words = text.split()
    if len(words) < _WORDS:
        return ""
    draw = Random(seed)  # noqa: S311
    share = _SHORTEST + (_LONGEST - _SHORTEST) * draw.random()
    length = min(max(round(share * len(words)), _FEWEST), len(words) - 1)
    start = int(draw.random() * (len(words) - length + 1))
    return " ".join(words[start : start + length])


def thinned(text: str, seed: str) -> str:
    """Leave words of a sentence out.

    Args:
        text: A sentence.
        seed: Decides over the words.

    Returns:
        About three quarters of its words, in order; "" for a sentence of fewer than seven words.
    """
    words = text.split()
    if len(words) < _WORDS:
        return ""
    draw = Random(seed)  # noqa: S311
    return " ".join(word for word in words if draw.random() > _LEFT_OUT)


class Partners:
    """Sentences of one group, with whose halves others are completed.

    Args:
        table: The sentences, with `key` and `text`.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        # In the order of their hashes: a new sentence becomes the partner of few others.
        self._texts = sorted((crc32(key.encode()), text) for key, text in zip(table["key"], table["text"], strict=True))

    def crossed(self, text: str, seed: str) -> str:
        """Join the beginning of one sentence and the end of another.

        Args:
            text: A sentence.
            seed: Decides over the other sentence, which of the two begins, and how much of either stays.

        Returns:
            Between 30% and 70% of the words of either; "" where one of them has fewer than seven words.
        """
        draw = Random(seed)  # noqa: S311
        place = bisect_left(self._texts, (int(draw.random() * _HASHES), ""))
        pair = [text.split(), self._texts[place % len(self._texts)][1].split()]
        if min(map(len, pair)) < _WORDS:
            return ""
        first, last = pair if draw.random() < 1 / 2 else pair[::-1]
        begin, end = (_LEAST_PART + (_GREATEST_PART - _LEAST_PART) * draw.random() for _ in range(2))
        return " ".join(first[: round(begin * len(first))] + last[round(end * len(last)) :])


def _likeliest_of_rare(logits: Floats) -> npt.NDArray[np.intp]:
    """Find the sentences of the rare labels; by rank, since log-odds before calibration say no more."""
    chosen = np.zeros(len(logits), dtype=bool)
    for column in logits.T:
        if (column > 0).sum() < _RARE * len(column):
            chosen |= column >= np.quantile(column, 1 - _LIKELIEST)
    return np.flatnonzero(chosen)


def _copies(table: pd.DataFrame, alter: Alter, count: int) -> list[tuple[str, str]]:
    rows = []
    for key, text in zip(table["key"], table["text"], strict=True):
        for number in range(count):
            seed = f"{key} {alter.__name__} {number}"
            if altered := alter(text, seed):
                # What other words fit may change with new sentences; the name of a copy always means the same text.
                rows.append((f"{seed} {crc32(altered.encode()):08x}", altered))
    return rows
