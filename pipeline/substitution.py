"""Sentences with some words replaced by others that stand between the same neighbours elsewhere."""

from bisect import bisect_left
from collections.abc import Iterable
from random import Random
from zlib import crc32

_RATE = 0.4
_HASHES = 2**32


class Frames:
    """Which words stand between which neighbours.

    "will review the" and "will improve the" make "review" and "improve" exchangeable in that place. So a sentence can
    be altered without a language model, and mostly stays grammatical (after Kobayashi 2018, "Contextual augmentation:
    data augmentation by words with paradigmatic relations").

    Args:
        texts: Sentences.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        found: dict[tuple[str, str], set[str]] = {}
        for text in texts:
            words = text.split()
            around = ["", *(word.lower() for word in words), ""]
            for place, word in enumerate(words):
                found.setdefault((around[place], around[place + 2]), set()).add(word)
        # In the order of their hashes: a word that comes with new sentences takes the place of few others, so that
        # most altered sentences stay what they were, and need not be read again.
        self._words = {
            frame: sorted((crc32(word.encode()), word) for word in words)
            for frame, words in found.items()
            if len(words) > 1
        }

    def substituted(self, text: str, seed: str) -> str:
        """Replace words of a sentence.

        Args:
            text: A sentence.
            seed: Decides over the places and the words.

        Returns:
            As many words, others in about two in five of the places where others fit; "" where none changed.
        """
        original = text.split()
        words = original.copy()
        draw = Random(seed)  # noqa: S311
        for place in range(len(words)):
            replace, position = draw.random() < _RATE, draw.random()
            before = words[place - 1].lower() if place else ""
            after = words[place + 1].lower() if place + 1 < len(words) else ""
            if replace and (fitting := self._words.get((before, after))):
                rank = bisect_left(fitting, (int(position * _HASHES), ""))
                words[place] = fitting[rank % len(fitting)][1]
        return "" if words == original else " ".join(words)
