"""Which sentences people should judge next."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.classifier import PROBABILITY_COLUMNS, SentenceClassifier
from pipeline.labels import LABELS, NATURAL, NONE, label_matrix
from pipeline.params import ReviewParams
from pipeline.review.coverage import Coverage, unsureness
from pipeline.sentences import LAYOUT_KINDS, normalise

# A set of labels that fewer sentences than this have is rare.
_RARE = 0.1
_COLUMNS = list(PROBABILITY_COLUMNS)
Pick = tuple[int, str]


@dataclass
class Distinct:
    """Keeps out texts that nearly equal one that is in already.

    Two texts are compared by the Jaccard similarity of their sets of word pairs: the pairs they share over the pairs
    that either has. An inverted index gives it exactly, at the cost of the texts that share a pair.

    Args:
        limit: Similarity from which a text is kept out.
    """

    limit: float
    _sizes: list[int] = field(default_factory=list)
    _holders: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    def add(self, text: str) -> None:
        """Take a text in, whatever it equals.

        Args:
            text: A sentence.
        """
        pairs = word_pairs(text)
        for pair in pairs:
            self._holders[pair].append(len(self._sizes))
        self._sizes.append(len(pairs))

    def nearest(self, text: str) -> float:
        """Return the similarity to the most similar text that is in.

        Args:
            text: A sentence.

        Returns:
            0 (no word pair shared) to 1 (the same pairs).
        """
        pairs = word_pairs(text)
        shared: Counter[int] = Counter()
        for pair in pairs:
            if pair in self._holders:
                shared.update(self._holders[pair])
        return max((n / (len(pairs) + self._sizes[other] - n) for other, n in shared.items()), default=0.0)

    def offer(self, text: str) -> bool:
        """Take a text in unless it nearly equals one that is in.

        Args:
            text: A sentence.

        Returns:
            Whether it was taken in.
        """
        if self.nearest(text) >= self.limit:
            return False
        self.add(text)
        return True


def word_pairs(text: str) -> frozenset[str]:
    """Return the pairs of neighbouring words of a text; a single word stands for itself.

    Args:
        text: A sentence.

    Returns:
        Normalised words, joined by a space.
    """
    words = normalise(text).split()
    return frozenset(map(" ".join, pairwise(words))) if len(words) > 1 else frozenset(words)


def choose(
    findings: pd.DataFrame,
    labelled: npt.NDArray[np.bool_],
    thresholds: Mapping[str, float],
    candidate: SentenceClassifier | None,
    params: ReviewParams,
) -> pd.DataFrame:
    """Choose sentences: the random share first, so that nothing is taken from it, then by what a model can learn.

    The random share is ranked by a hash of sentence and seed. The sentences of several queues are then together one
    random draw, and new documents do not change the rank of old sentences. Sentences with rare labels and unsure ones
    are taken for what their words would teach (`pipeline.review.coverage`).

    Args:
        findings: What `load_findings` gave.
        labelled: Which rows have a label already.
        thresholds: Threshold of each label, 0 to 1.
        candidate: Model to compare with, or None.
        params: Size, shares, similarity and seed.

    Returns:
        The rows chosen, in the order of the findings, with `pool` and `why`; fewer than asked where there are no more.
    """
    prose = ~findings["kind"].isin(LAYOUT_KINDS).to_numpy() & findings["text"].map(normalise).ne("").to_numpy()
    frame = findings[prose & ~labelled].drop_duplicates(["document", "key"])
    ranks = [
        sha256(f"{params.seed}|{document}|{key}".encode()).hexdigest()
        for document, key in zip(frame["document"], frame["key"], strict=True)
    ]
    frame = frame.assign(rank=ranks).sort_values("rank").drop_duplicates("key")
    distinct = Distinct(params.similarity)
    known = findings.loc[prose & labelled, "text"].drop_duplicates().tolist()
    for text in known:
        distinct.add(text)
    coverage = Coverage(frame["text"].tolist(), unsureness(frame[_COLUMNS].to_numpy(dtype=float)), known)
    places = {row: place for place, row in enumerate(frame.index)}
    random = frame.head(round(params.size * params.random_share))
    chosen: dict[int, tuple[str, str]] = {}
    for row, text in zip(random.index, random["text"], strict=True):
        distinct.add(text)
        coverage.add(places[row])
        chosen[row] = (NATURAL, "drawn at random")
    differing = _differing(frame, candidate)
    sources = [
        ("disagreement", round(params.size * params.disagreement_share), differing),
        ("rare", round(params.size * params.rare_share), _rare(frame, findings[prose], coverage)),
        ("uncertain", params.size, _unsure(frame, thresholds, coverage)),
    ]
    texts = frame["text"].to_dict()
    for pool, quota, picks in sources:
        wanted = min(len(chosen) + quota, params.size)
        for row, why in picks:
            if len(chosen) >= wanted:
                break
            if row not in chosen and distinct.offer(texts[row]):
                coverage.add(places[row])
                chosen[row] = (pool, why)
    rows = sorted(chosen)
    return findings.loc[rows].assign(pool=[chosen[row][0] for row in rows], why=[chosen[row][1] for row in rows])


def _differing(frame: pd.DataFrame, candidate: SentenceClassifier | None) -> Iterator[Pick]:
    """Yield the sentences that the candidate labels otherwise: most labels first, then the widest apart."""
    if candidate is None or frame.empty:
        return
    ours, theirs = label_matrix(frame), candidate.predict(frame["text"].tolist())
    labels = theirs["labels"].tolist()
    count = (ours != label_matrix(theirs)).sum(axis=1)
    apart = np.abs(frame[_COLUMNS].to_numpy(dtype=float) - theirs[_COLUMNS].to_numpy(dtype=float)).max(axis=1)
    for place in np.lexsort((-apart, -count)):
        if not count[place]:
            return
        now = frame["labels"].iloc[place]
        yield int(frame.index[place]), f"models differ: champion {now}, candidate {labels[place]}"


def _rare(frame: pd.DataFrame, prose: pd.DataFrame, coverage: Coverage) -> Iterator[Pick]:
    """Yield sentences of the rare sets of labels, one of each set in turn, the rarest first; of a set by their gain."""
    shares = prose["labels"].value_counts(normalize=True)
    rare = [(str(name), share) for name, share in shares.items() if share < _RARE and name != NONE]
    places = np.flatnonzero(frame["labels"].isin([name for name, _ in rare]))
    gains = np.array([coverage.gain(place) for place in places.tolist()])
    frame = frame.iloc[places[np.argsort(-gains, kind="stable")]]
    queues = [
        (f"rare labels: {name} ({share:.1%} of sentences)", iter(frame.index[frame["labels"] == name]))
        for name, share in sorted(rare, key=lambda one: (one[1], one[0]))
    ]
    while queues:
        left = []
        for why, rows in queues:
            row = next(rows, None)
            if row is not None:
                left.append((why, rows))
                yield int(row), why
        queues = left


def _unsure(frame: pd.DataFrame, thresholds: Mapping[str, float], coverage: Coverage) -> Iterator[Pick]:
    """Yield all sentences, at any time the one that adds most; name the label that is nearest to its threshold."""
    limits = np.array([thresholds[label] for label in LABELS])
    probabilities = frame[_COLUMNS].to_numpy(dtype=float)
    nearest = np.abs(probabilities - limits).argmin(axis=1)
    for place in coverage.best():
        label = int(nearest[place])
        why = f"unsure: {LABELS[label]} {probabilities[place, label]:.2f}, threshold {limits[label]:.2f}"
        yield int(frame.index[place]), why
