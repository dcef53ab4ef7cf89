"""The gate: two models compared on the same sentences, and the rule by which a candidate passes.

The interval of a difference is that of the paired percentile bootstrap (Efron and Tibshirani 1993, chapter 13; for two
systems on one test set, Koehn 2004). Whole documents are drawn with replacement, as many as there are, and both models
are scored on each draw, so that what makes a draw hard weighs on both alike. F1 of a label is computed from its counts
over all sentences of the draw, macro F1 is the mean over the labels that have an example there, and the interval at
confidence c reaches from the (1 - c) / 2 to the (1 + c) / 2 quantile of the differences.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from pipeline.labels import LABELS
from pipeline.params import RegisterParams
from pipeline.scores import Floats, Scored, draw_counts

MACRO = "macro_f1"
_DIGITS = 4


@dataclass(frozen=True)
class Change:
    """One score of two models on the same sentences, rounded to four digits.

    Attributes:
        candidate: Score of the candidate.
        champion: Score of the champion.
        difference: The former less the latter.
        low: Lower end of the interval of the difference.
        high: Upper end.
    """

    candidate: float
    champion: float
    difference: float
    low: float
    high: float


Comparison = Mapping[str, Change]


def compare(candidate: Scored, champion: Scored, params: RegisterParams) -> dict[str, Change]:
    """Compare the answers of two models.

    Args:
        candidate: Truth and the candidate's answers.
        champion: Truth and the champion's answers, for the same sentences in the same order.
        params: The section `register` of params.yaml.

    Returns:
        The change of `macro_f1` and of the F1 of each label that has an example; nothing where no label has one.

    Raises:
        ValueError: These are not the same sentences.
    """
    same = np.array_equal(candidate.truth, champion.truth) and np.array_equal(candidate.documents, champion.documents)
    if not same:
        raise ValueError("the two models answered different sentences")
    names, inverse = np.unique(candidate.documents, return_inverse=True)
    weights = draw_counts(len(names), params.bootstrap, params.seed).astype(float)
    weights = np.vstack([np.ones(len(names)), weights])  # the first row: every document once
    first, second = (_f1(_counts(scored, inverse, len(names)), weights) for scored in (candidate, champion))
    tail = (1 - params.confidence) / 2
    changes = {}
    for rank, name in enumerate((MACRO, *LABELS)):
        ours, theirs = first[:, rank], second[:, rank]
        if np.isnan(ours[0]):
            continue
        draws = (ours - theirs)[1:]
        draws = draws[~np.isnan(draws)]  # a draw may hold no example of the label
        low, high = np.quantile(draws, [tail, 1 - tail]) if len(draws) else (-1.0, 1.0)
        score, rival = round(float(ours[0]), _DIGITS), round(float(theirs[0]), _DIGITS)
        changes[name] = Change(
            score, rival, round(score - rival, _DIGITS), round(float(low), _DIGITS), round(float(high), _DIGITS)
        )
    return changes


def judge(changes: Comparison, params: RegisterParams) -> tuple[bool, str]:
    """Tell whether a candidate passes, and why.

    It passes if macro F1 gains at least `margin`, the interval of that gain lies above 0, and no label's F1 falls by
    more than its `tolerance`. Margin and tolerances are held against the differences themselves, not their intervals:
    by chance, some label's interval nearly always reaches below any tolerance that is of use.

    Args:
        changes: As `compare` returns them, with macro F1.
        params: The section `register` of params.yaml.

    Returns:
        Whether it passes, and all reasons, in words with numbers.
    """
    macro = changes[MACRO]
    compared = (
        f"macro F1 {macro.candidate:.4f} is {_gap(macro.difference)} the champion's {macro.champion:.4f} "
        f"({params.confidence:.0%} interval of the difference {macro.low:+.4f} to {macro.high:+.4f})"
    )
    failures = []
    if macro.difference < params.margin:
        failures.append(f"it must be at least {params.margin} above")
    elif macro.low <= 0:
        failures.append("the interval must lie above 0, or the gain may be chance")
    tolerances: dict[str, float] = asdict(params.tolerance)
    failures += [
        f"F1 of {label} falls by {-changes[label].difference:.4f}, from {changes[label].champion:.4f} to "
        f"{changes[label].candidate:.4f}, and may fall by {tolerances[label]}"
        for label in LABELS
        if label in changes and changes[label].difference < -tolerances[label]
    ]
    if failures:
        return False, "; ".join([compared, *failures])
    return True, f"{compared}; that is at least {params.margin}, and no label falls by more than its tolerance"


def _gap(difference: float) -> str:
    if not difference:
        return "equal to"
    return f"{abs(difference):.4f} {'above' if difference > 0 else 'below'}"


def _counts(scored: Scored, inverse: npt.NDArray[np.intp], documents: int) -> Floats:
    """Count right, given and true labels by document, of shape (3, documents, labels)."""
    parts = np.stack([scored.truth & scored.chosen, scored.chosen, scored.truth]).astype(float)
    counts = np.zeros((3, documents, parts.shape[2]))
    for part, rows in zip(counts, parts, strict=True):
        np.add.at(part, inverse, rows)
    return counts


def _f1(counts: Floats, weights: Floats) -> Floats:
    """Compute macro F1, then F1 of each label, for each row of document weights; NaN without an example."""
    right, given, support = weights @ counts
    with np.errstate(divide="ignore", invalid="ignore"):
        f1 = np.where(support > 0, 2 * right / (given + support), np.nan)
        macro = np.nansum(f1, axis=1) / (support > 0).sum(axis=1)
    return np.column_stack([macro, f1])
