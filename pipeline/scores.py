"""Scores of multi-label answers, with bootstrap intervals over documents."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.labels import LABELS
from pipeline.params import EvaluateParams

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
_DIGITS = 4


@dataclass(frozen=True)
class Scored:
    """Sentences with the truth and a model's answer.

    Attributes:
        truth: Of shape (sentences, labels).
        probabilities: Of the same shape.
        chosen: Labels given, of the same shape.
        documents: Document id of each sentence.
        doc_types: Document type of each sentence.
    """

    truth: Booleans
    probabilities: Floats
    chosen: Booleans
    documents: npt.NDArray[Any]
    doc_types: npt.NDArray[Any]

    def of_type(self, doc_type: str) -> "Scored":
        """Take the sentences of one document type.

        Args:
            doc_type: Value of `doc_types`.

        Returns:
            Those sentences.
        """
        rows = self.doc_types == doc_type
        return Scored(
            self.truth[rows], self.probabilities[rows], self.chosen[rows], self.documents[rows], self.doc_types[rows]
        )


class Scorer:
    """Computes all scores of one set of answers, with any weights for the sentences.

    Args:
        scored: At least one sentence.
        bins: Equal-width bins of the expected calibration error.
    """

    def __init__(self, scored: Scored, bins: int) -> None:
        self._truth = scored.truth.astype(float)
        self._chosen = scored.chosen.astype(float)
        self._hits = self._truth * self._chosen
        self._exact = (scored.truth == scored.chosen).all(axis=1).astype(float)
        self._squares = (scored.probabilities - self._truth) ** 2
        self._gaps = self._truth - scored.probabilities
        self._bin_of = np.minimum((scored.probabilities * bins).astype(int), bins - 1)
        self._bins = bins
        # Sorted once, a resample is only other weights along the same order.
        self._orders = [np.argsort(-column, kind="stable") for column in scored.probabilities.T]
        self._ends = [
            _tie_ends(column[order]) for column, order in zip(scored.probabilities.T, self._orders, strict=True)
        ]

    def scores(self, weights: Floats | None = None) -> dict[str, float]:
        """Compute every score, each sentence counting as often as its weight says.

        Args:
            weights: One weight a sentence, at least 0; each counts once by default.

        Returns:
            Score by name: `macro_f1` (mean over the labels that have an example), `micro_f1`, `exact_match`, `brier`
            and `ece` (means over labels), and by label `<label>_precision`, `_recall`, `_f1`, `_average_precision`,
            `_brier`, `_ece`, `_support`. One that is not defined, such as the F1 of a label without example, is nan.
        """
        w = np.ones(len(self._truth)) if weights is None else weights
        total = w.sum()
        right, given, support = w @ self._hits, w @ self._chosen, w @ self._truth
        with np.errstate(divide="ignore", invalid="ignore"):
            precision, recall = right / given, right / support
            f1 = np.where(support > 0, 2 * right / (given + support), np.nan)
            micro = 2 * right.sum() / (given.sum() + support.sum())
            brier = (w @ self._squares) / total
            ece = np.array([self._calibration_error(k, w) for k in range(len(LABELS))]) / total
            exact = w @ self._exact / total
        scores = {
            "macro_f1": f1[support > 0].mean() if (support > 0).any() else np.nan,
            "micro_f1": micro,
            "exact_match": exact,
            "brier": brier.mean(),
            "ece": ece.mean(),
        }
        for k, label in enumerate(LABELS):
            scores[f"{label}_precision"] = precision[k]
            scores[f"{label}_recall"] = recall[k]
            scores[f"{label}_f1"] = f1[k]
            scores[f"{label}_average_precision"] = self._average_precision(k, w)
            scores[f"{label}_brier"] = brier[k]
            scores[f"{label}_ece"] = ece[k]
            scores[f"{label}_support"] = support[k]
        return {name: float(value) for name, value in scores.items()}

    def _calibration_error(self, k: int, w: Floats) -> float:
        """Sum over bins of |true share - mean probability| times the bin's size (Naeini et al. 2015)."""
        gaps = np.bincount(self._bin_of[:, k], weights=self._gaps[:, k] * w, minlength=self._bins)
        return float(np.abs(gaps).sum())

    def _average_precision(self, k: int, w: Floats) -> float:
        """Mean of the precision at each true sentence, ties taken together, as scikit-learn defines it."""
        order, ends = self._orders[k], self._ends[k]
        hits = np.cumsum(self._truth[order, k] * w[order])[ends]
        seen = np.cumsum(w[order])[ends]
        if hits[-1] == 0:
            return float("nan")
        gained = np.diff(hits, prepend=0.0) / hits[-1]
        return float(np.sum(gained * np.divide(hits, seen, out=np.zeros_like(hits), where=seen > 0)))


def point_scores(scored: Scored, bins: int) -> dict[str, float | None]:
    """Compute every score without its interval.

    Args:
        scored: At least one sentence.
        bins: Bins of the expected calibration error.

    Returns:
        Score by name, as `Scorer.scores` describes them, to four digits; None where one is not defined.
    """
    return {name: _rounded(value) for name, value in Scorer(scored, bins).scores().items()}


def scores_with_intervals(scored: Scored, params: EvaluateParams) -> dict[str, dict[str, float | None]]:
    """Compute every score with a percentile bootstrap interval over documents (Efron 1979).

    Args:
        scored: At least one sentence.
        params: The section `evaluate` of params.yaml.

    Returns:
        Score by name, each with `value`, `low` and `high`; None where a score is not defined.
    """
    scorer = Scorer(scored, params.bins)
    draws = [scorer.scores(weights) for weights in document_draws(scored.documents, params)]
    tail = (1 - params.confidence) / 2
    return {
        name: {
            "value": _rounded(value),
            "low": _rounded(_quantile([draw[name] for draw in draws], tail)),
            "high": _rounded(_quantile([draw[name] for draw in draws], 1 - tail)),
        }
        for name, value in scorer.scores().items()
    }


def document_draws(documents: npt.NDArray[Any], params: EvaluateParams) -> list[Floats]:
    """Draw documents with replacement.

    Args:
        documents: Document id of each sentence.
        params: Number of draws and seed.

    Returns:
        For each draw, how often each sentence counts: as often as its document was drawn.
    """
    names, inverse = np.unique(documents, return_inverse=True)
    counts = draw_counts(len(names), params.bootstrap, params.seed)
    return [draw[inverse].astype(float) for draw in counts]


def draw_counts(documents: int, draws: int, seed: int) -> npt.NDArray[np.int64]:
    """Draw as many documents as there are, with replacement, many times over.

    Args:
        documents: How many there are.
        draws: How often they are drawn.
        seed: Seed of the drawing.

    Returns:
        How often each document was drawn, of shape (draws, documents).
    """
    generator = np.random.default_rng(seed)
    return generator.multinomial(documents, np.full(documents, 1 / documents), size=draws)


def _tie_ends(ordered: Floats) -> npt.NDArray[np.intp]:
    """Rank of the last sentence of each run of equal probabilities."""
    return np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))


def _quantile(samples: list[float], q: float) -> float:
    finite = [value for value in samples if np.isfinite(value)]
    return float(np.quantile(finite, q)) if finite else float("nan")


def _rounded(value: float) -> float | None:
    return round(value, _DIGITS) if np.isfinite(value) else None
