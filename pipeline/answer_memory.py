"""Answers to sentences that come again: reports share headings, imprints and whole paragraphs."""

from collections.abc import Sequence

import numpy as np

from pipeline.classifier import Predictions, SentenceClassifier
from pipeline.labels import LABELS
from pipeline.scorer import Floats, Integers

# Some twenty reports, 10 MB.
_MOST = 30_000


class AnswerMemory:
    """Labels sentences, each spelling once as long as it is remembered.

    Args:
        classifier: The model; what it says of a sentence does not depend on others.
        most: How many sentences are remembered; beyond that, all are forgotten.
    """

    _places: dict[str, int]
    _probabilities: Floats
    _words: Integers

    def __init__(self, classifier: SentenceClassifier, most: int = _MOST) -> None:
        self._classifier = classifier
        self._most = most
        self._forget(most)

    def label(self, texts: Sequence[str]) -> Predictions:
        """Label sentences.

        Args:
            texts: Sentences.

        Returns:
            What the classifier's own `label` returns.
        """
        new = [text for text in dict.fromkeys(texts) if text not in self._places]
        if len(self._places) + len(new) > len(self._words):
            new = list(dict.fromkeys(texts))
            self._forget(max(self._most, len(new)))
        if new:
            probabilities, words = self._classifier.read(new)
            first = len(self._places)
            last = first + len(new)
            self._places.update(zip(new, range(first, last), strict=True))
            self._probabilities[first:last], self._words[first:last] = probabilities, words
        places = np.fromiter(map(self._places.__getitem__, texts), np.int64, len(texts))
        return self._classifier.judge(self._probabilities[places], self._words[places])

    def _forget(self, room: int) -> None:
        self._places = {}
        self._probabilities = np.empty((room, len(LABELS)))
        self._words = np.empty((room, 2), dtype=np.int64)
