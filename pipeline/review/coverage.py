"""Sentences that a model is unsure of, chosen so that together they cover the words of all of which it is unsure."""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy import sparse

from pipeline.scorer import Floats
from pipeline.words import clean_text, words

# Rarer words teach little: few other sentences would gain by them.
_LEAST = 3


class Coverage:
    """What labels teach about the words of unlabelled sentences.

    A word, or a pair of neighbouring words, weighs as much as the unsureness of the sentences that hold it, times its
    inverse document frequency. With c labelled sentences that hold it, it counts log(1 + c) times its weight: each
    further example teaches less. This feature-based function is submodular, and sentences are taken greedily (Wei,
    Iyer and Bilmes 2015, "Submodularity in data subset selection and active learning"), by what they add times their
    own unsureness (as Settles and Craven 2008 weigh uncertainty by density).

    Args:
        texts: Sentences without a label, each once.
        unsure: How unsure a model is of each, from 0, of shape (sentences,).
        known: Sentences with a label, each once.
    """

    def __init__(self, texts: Sequence[str], unsure: Floats, known: Sequence[str]) -> None:
        terms = _terms([*texts, *known])
        frequency = np.asarray(terms.sum(axis=0)).ravel()
        kept = np.flatnonzero(frequency >= _LEAST)
        terms = terms[:, kept]
        self._rows, self._unsure = terms[: len(texts)], unsure
        self._examples = np.asarray(terms[len(texts) :].sum(axis=0)).ravel()
        # Where all sentences hold a word, it tells them apart in nothing.
        self._weights = (self._rows.T @ unsure) * np.log(terms.shape[0] / frequency[kept])

    def add(self, place: int) -> None:
        """Count a sentence as labelled.

        Args:
            place: Its place among `texts`.
        """
        self._examples[self._terms_of(place)] += 1

    def gain(self, place: int) -> float:
        """Say what a sentence's label would add now.

        Args:
            place: Its place among `texts`.

        Returns:
            From 0; it never grows as others are added.
        """
        terms = self._terms_of(place)
        # log(2 + c) - log(1 + c)
        return float(self._unsure[place] * (self._weights[terms] @ np.log1p(1 / (1 + self._examples[terms]))))

    def best(self) -> Iterator[int]:
        """Yield each sentence once, the one that adds most at that moment; the caller adds those that it takes.

        Yields:
            Places among `texts`. Of two that add the same, the one of which the model is less sure comes first.
        """
        order = np.argsort(-self._unsure, kind="stable")
        # A gain never grows, so one worked out earlier is the most that it can be now (Minoux 1978).
        heap = [(-self.gain(place), rank, place) for rank, place in enumerate(order.tolist())]
        heapify(heap)
        while heap:
            _, rank, place = heappop(heap)
            now = (-self.gain(place), rank, place)
            if heap and now > heap[0]:
                heappush(heap, now)
            else:
                yield place

    def _terms_of(self, place: int) -> npt.NDArray[np.int32]:
        start, end = self._rows.indptr[place : place + 2]
        found: npt.NDArray[np.int32] = self._rows.indices[start:end]
        return found


def unsureness(probabilities: Floats) -> Floats:
    """Add up the entropies of the labels, each as a multiple of its mean: a rare label has as much say as the others.

    Args:
        probabilities: Of shape (sentences, labels).

    Returns:
        Of shape (sentences,): 0 where the model is sure, and the number of labels on average.
    """
    inside = np.clip(probabilities, 1e-6, 1 - 1e-6)
    entropies = -(inside * np.log(inside) + (1 - inside) * np.log(1 - inside))
    total: Floats = (entropies / entropies.mean(axis=0)).sum(axis=1) if len(entropies) else np.zeros(0)
    return total


def _terms(texts: Sequence[str]) -> sparse.csr_matrix:
    """Tell which words and pairs of neighbouring words each sentence holds; of shape (sentences, terms)."""
    numbers: dict[str, int] = {}
    indices: list[int] = []
    ends = [0]
    for text in texts:
        found = words(clean_text(text))
        # A dictionary keeps the order, so that sums come out the same in every run.
        indices += [
            numbers.setdefault(term, len(numbers)) for term in dict.fromkeys([*found, *map(" ".join, pairwise(found))])
        ]
        ends.append(len(indices))
    return sparse.csr_matrix((np.ones(len(indices)), indices, ends), shape=(len(texts), len(numbers)))
