"""Sentences → scores and probabilities of a linear model, thousands of sentences at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.linear_model import APART, PARTS, Kind, LinearModel
from pipeline.pair_table import PairTable
from pipeline.signal_table import SignalTable
from pipeline.vocabulary import Vocabulary
from pipeline.words import CONTRAST, FIRST, GAPS, LAST

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

# More sentences at once take more memory and no less time.
_CHUNK = 4096
_SURE = 1e-12


@dataclass(frozen=True, eq=False)
class TermCounts:
    """Which known terms stand in which sentence; sorted by sentence, then term.

    Attributes:
        rows: Rank of the sentence, of shape (found,).
        terms: Number of the term, of shape (found,).
        counts: How often it stands there, from 1, of shape (found,).
    """

    rows: Integers
    terms: Integers
    counts: Integers


@dataclass(frozen=True, eq=False)
class _Tokens:
    """The words of some sentences, one after the other, with an end behind each sentence.

    Attributes:
        numbers: Number of each word, of shape (words + sentences,).
        rows: Rank of the sentence of each, of the same shape.
        ends: Place of the end of each sentence, of shape (sentences,).
    """

    numbers: Integers
    rows: Integers
    ends: Integers

    @property
    def starts(self) -> Integers:
        """Place of the first word of each sentence, of shape (sentences,)."""
        return np.append(0, self.ends[:-1] + 1)


class LinearScorer:
    """Scores sentences with a linear model; gives what the scikit-learn pipeline gives that it was fitted as.

    Args:
        model: Terms and weights.
    """

    def __init__(self, model: LinearModel) -> None:
        self.model = model
        self._vocabulary = Vocabulary(model.words)
        self._known, self._count = len(model.words), len(model.kinds)
        several = np.flatnonzero((model.before >= 0) & (model.kinds != Kind.SIGNAL))
        self._several = np.append(several, -1)
        self._pairs = PairTable(model.keys[several])
        self._signals = SignalTable(model)
        self._single = {kind: self._by_word(kind) for kind in (Kind.AFTER, Kind.END, Kind.START)}
        contrasts = [word in CONTRAST for word in model.words]
        self._contrast = np.array([*contrasts, False, False])
        self._used = {kind: bool((model.kinds == kind).any()) for kind in Kind}
        self._longest = _longest_run(model)
        self._part = np.array([kind.part for kind in Kind])[model.kinds]
        # What a term adds to each label, and to the length: side by side, one look into the memory finds it all.
        self._table = np.vstack([model.weights * model.idf, model.idf**2]).T.copy()

    def __reduce__(self) -> tuple[type["LinearScorer"], tuple[LinearModel]]:
        """Go to another process as the model alone, from which the tables are made in no time."""
        return LinearScorer, (self.model,)

    def score(self, texts: Sequence[str]) -> Floats:
        """Give the linear score of each label; the calibration is part of it.

        Args:
            texts: Sentences.

        Returns:
            Scores of shape (texts, labels); what a sentence gets does not depend on the others.
        """
        return self.score_and_count(texts)[0]

    def score_and_count(self, texts: Sequence[str]) -> tuple[Floats, Integers]:
        """Give the scores, and count words and those among them that the model does not know.

        Args:
            texts: Sentences.

        Returns:
            Scores as `score` gives them; and number of words and of unknown words, of shape (texts, 2).
        """
        scores = np.empty((len(texts), len(self.model.intercepts)))
        words = np.empty((len(texts), 2), np.int64)
        for start in range(0, len(texts), _CHUNK):
            chunk = texts[start : start + _CHUNK]
            tokens = self._tokens(chunk)
            end = start + len(chunk)
            scores[start:end] = self._score_counts(self._terms_of(tokens), len(chunk))
            words[start:end, 0] = tokens.ends - tokens.starts
            unknown = tokens.rows[tokens.numbers == self._vocabulary.unknown]
            words[start:end, 1] = np.bincount(unknown, minlength=len(chunk))
        return scores, words

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Give the probability of each label.

        Args:
            texts: Sentences.

        Returns:
            Probabilities of shape (texts, labels).
        """
        return sigmoid(self.score(texts))

    def count_terms(self, texts: Sequence[str]) -> TermCounts:
        """Find the known terms of sentences.

        Args:
            texts: Sentences.

        Returns:
            Each term of each sentence once.
        """
        if not len(texts):
            nothing = np.empty(0, np.int64)
            return TermCounts(nothing, nothing, nothing)
        return self._terms_of(self._tokens(texts))

    def _tokens(self, texts: Sequence[str]) -> _Tokens:
        numbers = self._vocabulary.encode(texts)
        ended = numbers == self._vocabulary.end
        return _Tokens(numbers, np.cumsum(ended) - ended, np.flatnonzero(ended))

    def _terms_of(self, tokens: _Tokens) -> TermCounts:
        bits = self._count.bit_length()
        # What fits into 32 bits is sorted in half the time.
        narrow = np.uint32 if len(tokens.ends) << bits <= 2**32 else np.uint64
        keys = np.concatenate([(rows << bits) + terms for rows, terms in self._find_terms(tokens)]).astype(narrow)
        keys.sort()
        firsts = np.flatnonzero(np.concatenate([[len(keys) > 0], keys[1:] != keys[:-1], [True]]))
        found = keys.take(firsts[:-1]).astype(np.int64)
        return TermCounts(found >> bits, found & ((1 << bits) - 1), np.diff(firsts))

    def features(self, texts: Sequence[str]) -> tuple[TermCounts, Floats]:
        """Compute the TF-IDF features of some sentences.

        Args:
            texts: Sentences.

        Returns:
            The known terms, and the value of each in its sentence, of shape (terms,).
        """
        counts = self.count_terms(texts)
        frequency, groups = self._frequency(counts), self._groups(counts)
        squares = self._table[counts.terms, -1]
        factor = frequency * self._lengths(squares * frequency**2, groups, len(texts))[groups]
        known = squares > 0
        found = TermCounts(counts.rows[known], counts.terms[known], counts.counts[known])
        return found, (self.model.idf[counts.terms] * factor)[known]

    def contributions(self, texts: Sequence[str]) -> tuple[TermCounts, Floats]:
        """Tell what each known term of some sentences adds to their scores.

        Args:
            texts: Sentences.

        Returns:
            The terms, and what each adds, of shape (labels, terms).
        """
        found, values = self.features(texts)
        return found, self.model.weights[:, found.terms] * values

    def _by_word(self, kind: Kind) -> Integers:
        """Map each word to its term of a kind, or -1; the two further places stand for an unknown word and for none."""
        terms = np.full(self._known + 2, -1)
        mine = np.flatnonzero((self.model.kinds == kind) & (self.model.before < 0))
        terms[self.model.last[mine]] = mine  # the start of a sentence without a word is -1, the last place
        return terms

    def _find_terms(self, tokens: _Tokens) -> Iterator[tuple[Integers, Integers]]:
        """Yield the known terms as (rows, terms), one by one as they stand in the text."""
        runs = np.where(tokens.numbers < self._known, tokens.numbers, -1)
        yield _known(tokens.rows, runs)
        for length in range(1, self._longest):
            runs = self._longer(runs[:-1], tokens.numbers[length:])
            yield _known(tokens.rows[: len(runs)], runs)
        if self._used[Kind.GAP]:
            for gap in GAPS:
                yield self._gapped(tokens, gap)
        if self._used[Kind.SIGNAL]:
            for rows, terms in self._signals.find(tokens.numbers, tokens.rows, tokens.starts, tokens.ends):
                yield _known(rows, terms)
        if self._used[Kind.AFTER] or self._used[Kind.END] or self._used[Kind.START]:
            yield self._after_contrast(tokens)
            for back in range(1, LAST + 1):
                rows = np.flatnonzero(tokens.ends - back >= tokens.starts)
                words = tokens.numbers.take(tokens.ends.take(rows) - back)
                yield _known(rows, self._single[Kind.END].take(words))
            yield from self._starting(tokens)

    def _longer(self, before: Integers, words: Integers) -> Integers:
        """Find the terms that are one word longer than known ones; -1 where there is none."""
        terms = np.full(len(before), -1)
        places = np.flatnonzero((before >= 0) & (words < self._known))
        terms[places] = self._several.take(self._pairs.find(before.take(places) * self._known + words.take(places)))
        return terms

    def _gapped(self, tokens: _Tokens, gap: int) -> tuple[Integers, Integers]:
        first, last = tokens.numbers[:-gap], tokens.numbers[gap:]
        rows = tokens.rows[:-gap]
        places = np.flatnonzero((first < self._known) & (last < self._known) & (rows == tokens.rows[gap:]))
        keys = (first.take(places) + APART[Kind.GAP] * self._count) * self._known + last.take(places)
        return _known(rows.take(places), self._several.take(self._pairs.find(keys)))

    def _after_contrast(self, tokens: _Tokens) -> tuple[Integers, Integers]:
        turning = self._contrast.take(tokens.numbers)
        turns = np.flatnonzero(turning)
        turn = np.full(len(tokens.ends), len(tokens.numbers))
        np.minimum.at(turn, tokens.rows[turns], turns)
        places = np.flatnonzero((np.arange(len(turning)) > turn.take(tokens.rows)) & ~turning)
        return _known(tokens.rows.take(places), self._single[Kind.AFTER].take(tokens.numbers.take(places)))

    def _starting(self, tokens: _Tokens) -> Iterator[tuple[Integers, Integers]]:
        """Yield how each sentence begins; a short one begins in the same way several times."""
        starts = tokens.starts
        terms = self._single[Kind.START].take(tokens.numbers.take(starts))
        rows = np.arange(len(starts))
        yield _known(rows, terms)
        for length in range(1, FIRST):
            there = starts + length < tokens.ends
            terms[there] = self._longer(terms[there], tokens.numbers[(starts + length)[there]])
            yield _known(rows, terms)

    def _frequency(self, counts: TermCounts) -> Floats:
        """Say for how much each count counts."""
        if not self.model.sublinear_tf:
            return counts.counts.astype(np.float64)
        table: Floats = 1 + np.log(np.arange(1, 1 + counts.counts.max(initial=1)))
        return table.take(counts.counts - 1)

    def _lengths(self, squares: Floats, groups: Integers, sentences: int) -> Floats:
        """Give the factor that brings each part of a sentence to the part's length, of shape (sentences * parts,)."""
        lengths = np.sqrt(np.bincount(groups, squares, minlength=sentences * len(PARTS)))
        return np.tile(self.model.part_weights, sentences) / np.where(lengths > 0, lengths, 1)

    def _groups(self, counts: TermCounts) -> Integers:
        """Number the parts of the sentences."""
        groups: Integers = counts.rows * len(PARTS) + self._part.take(counts.terms)
        return groups

    def _score_counts(self, counts: TermCounts, sentences: int) -> Floats:
        frequency, groups = self._frequency(counts), self._groups(counts)
        *added, squares = self._table.take(counts.terms, axis=0).T
        lengths = self._lengths(squares * frequency**2, groups, sentences)
        # Sums run in the order of the terms, sentence by sentence: the company of a sentence changes no bit of them.
        sums = [np.bincount(groups, column * frequency, minlength=len(lengths)) for column in added]
        parts = [(values * lengths).reshape(sentences, len(PARTS)).sum(axis=1) for values in sums]
        scores: Floats = np.stack(parts, axis=1) + self.model.intercepts
        return scores


def sigmoid(scores: Floats) -> Floats:
    """Turn scores into probabilities.

    Args:
        scores: Linear scores, of any shape.

    Returns:
        1 / (1 + exp(-score)), of the same shape.
    """
    small = np.exp(-np.abs(scores))
    probabilities: Floats = np.where(scores >= 0, 1, small) / (1 + small)
    return probabilities


def log_odds(probabilities: Floats) -> Floats:
    """Turn probabilities into log-odds, the inverse of `sigmoid`.

    Args:
        probabilities: Between 0 and 1, of any shape; what is nearer to 0 or 1 than 1e-12 counts as that.

    Returns:
        log(p / (1 - p)), of the same shape, between -27.7 and 27.7.
    """
    inside = np.clip(probabilities, _SURE, 1 - _SURE)
    odds: Floats = np.log(inside / (1 - inside))
    return odds


def _longest_run(model: LinearModel) -> int:
    """Count the words of the longest run."""
    length, terms = 0, np.flatnonzero(model.kinds == Kind.RUN)
    while len(terms):
        length += 1
        before = model.before[terms]
        terms = before[before >= 0].astype(np.int64)
    return length


def _known(rows: Integers, terms: Integers) -> tuple[Integers, Integers]:
    there = np.flatnonzero(terms >= 0)
    return rows.take(there), terms.take(there)
