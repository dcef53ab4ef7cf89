"""Why a sentence got its labels: what each feature adds to each label's score, exact for a linear model."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter

import numpy as np

from pipeline.classifier import SentenceClassifier
from pipeline.labels import LABELS
from pipeline.linear_model import APART, Kind, LinearModel
from pipeline.scorer import Booleans, LinearScorer, sigmoid

_REASONS, _CANDIDATES = 3, 8
_PARTS = ("words", "contrast, ends", "words apart", "signal words")
_PREFIXES = {Kind.AFTER: "after a contrast: ", Kind.START: "begins: ", Kind.END: "ends: "}


@dataclass(frozen=True)
class Contribution:
    """What one feature adds to a score.

    Attributes:
        feature: The words.
        part: The kind of feature.
        value: Added to the score; above 0 speaks for the label.
    """

    feature: str
    part: str
    value: float


@dataclass(frozen=True)
class LabelExplanation:
    """Why a label was given or not.

    Attributes:
        label: Its name.
        given: Whether the sentence has it.
        probability: Calibrated, from the scores of all labels together.
        threshold: Probability from which the label is given.
        score: Sum of `base` and all contributions.
        alone: Probability by this label's score alone, 1 / (1 + exp(-score)).
        base: The score of a sentence without any known feature.
        contributions: One a feature of the sentence that the model knows, the weightiest first.
    """

    label: str
    given: bool
    probability: float
    threshold: float
    score: float
    alone: float
    base: float
    contributions: tuple[Contribution, ...]


def explain(classifier: SentenceClassifier, text: str) -> list[LabelExplanation]:
    """Take the scores of a sentence apart.

    Args:
        classifier: The model.
        text: One sentence.

    Returns:
        One explanation a label, in the order of `LABELS`.
    """
    model = classifier.scorer.model
    found, added = classifier.scorer.contributions([text])
    names = [_name(model, int(term)) for term in found.terms]
    scores = model.intercepts + added.sum(axis=1)
    together = classifier.linear_probabilities(scores[None])[0]
    explained = []
    for rank, label in enumerate(LABELS):
        values, probability = added[rank], float(together[rank])
        threshold = classifier.config.thresholds[label]
        explained.append(
            LabelExplanation(
                label=label,
                given=round(probability, 6) >= threshold,
                probability=probability,
                threshold=threshold,
                score=float(scores[rank]),
                alone=float(sigmoid(scores[rank])),
                base=float(model.intercepts[rank]),
                contributions=tuple(
                    Contribution(feature=names[place][0], part=names[place][1], value=float(values[place]))
                    for place in np.argsort(-np.abs(values), kind="stable")
                ),
            )
        )
    return explained


class ReasonFinder:
    """Names the words that drew the labels of many sentences, as far as the linear model saw it.

    Args:
        scorer: The linear model.
    """

    def __init__(self, scorer: LinearScorer) -> None:
        self._scorer = scorer
        self._names: dict[int, str] = {}

    def find(self, texts: Sequence[str], chosen: Booleans) -> list[dict[str, tuple[str, ...]]]:
        """Name the reasons for the labels of some sentences.

        Args:
            texts: Sentences.
            chosen: Whether each label is given, of shape (texts, labels).

        Returns:
            For each sentence and each label that it has, up to three features that speak for it, the weightiest first;
            one that is part of another is left out.
        """
        found, added = self._scorer.contributions(texts)
        reasons: list[dict[str, tuple[str, ...]]] = [{} for _ in texts]
        for rank, label in enumerate(LABELS):
            for row in np.flatnonzero(chosen[:, rank]).tolist():
                reasons[row][label] = ()
            speaking = np.flatnonzero((added[rank] > 0) & chosen[found.rows, rank])
            ordered = speaking[np.lexsort((-added[rank, speaking], found.rows[speaking]))]
            pairs = zip(found.rows[ordered].tolist(), found.terms[ordered].tolist(), strict=True)
            for row, group in groupby(pairs, key=itemgetter(0)):
                reasons[row][label] = self._choose([term for _, term in islice(group, _CANDIDATES)])
        return reasons

    def _choose(self, terms: Sequence[int]) -> tuple[str, ...]:
        chosen: list[str] = []
        for term in terms:
            name = self._names.get(term)
            if name is None:
                name = self._names[term] = _name(self._scorer.model, term)[0]
            words = name.rpartition(": ")[2]
            if not any(words in other or other in words for other in chosen):
                chosen.append(name)
            if len(chosen) == _REASONS:
                break
        return tuple(chosen)


def render_explanation(explained: list[LabelExplanation], top: int) -> str:
    """Lay an explanation out for a terminal.

    Args:
        explained: As `explain` returns it.
        top: Features shown a label.

    Returns:
        A paragraph a label.
    """
    lines: list[str] = []
    for one in explained:
        verdict = "given" if one.given else "not given"
        lines.append(
            f"{one.label}: {one.probability:.1%}, {verdict} (from {one.threshold:.1%}); "
            f"by itself {one.alone:.1%}, score {one.score:+.2f}, of which {one.base:+.2f} for any sentence"
        )
        shown = one.contributions[:top]
        lines += [f"  {part.value:+6.2f}  {part.feature}  ({part.part})" for part in shown]
        rest = one.contributions[top:]
        if rest:
            lines.append(f"  {sum(part.value for part in rest):+6.2f}  {len(rest)} other features together")
        lines.append("")
    return "\n".join(lines).rstrip()


def _name(model: LinearModel, term: int) -> tuple[str, str]:
    """Put a term into words for people: the feature and its part."""
    kind = Kind(int(model.kinds[term]))
    words = model.term(term)
    feature = words.replace(" ", " ... ") if APART[kind] else _PREFIXES.get(kind, "") + words
    return feature, _PARTS[kind.part]
