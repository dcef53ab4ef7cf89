"""Why a sentence got its labels: what each feature adds to each label's score, exact for a linear model."""

from dataclasses import dataclass

import numpy as np

from pipeline.classifier import SentenceClassifier
from pipeline.labels import LABELS

_PARTS = {"runs": "words", "contrast": "contrast, ends", "gaps": "words apart"}


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
        probability: Calibrated, 1 / (1 + exp(-score)).
        threshold: Probability from which the label is given.
        score: Sum of `base` and all contributions.
        base: The score of a sentence without any known feature.
        contributions: One a feature of the sentence that the model knows, the weightiest first.
    """

    label: str
    given: bool
    probability: float
    threshold: float
    score: float
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
    steps = classifier.pipeline.named_steps
    row = steps["features"].transform([text]).tocsr()
    names = steps["features"].get_feature_names_out()[row.indices]
    explained = []
    for label, estimator in zip(LABELS, steps["labels"].estimators_, strict=True):
        values = row.data * estimator.coef_[0, row.indices]
        base = float(estimator.intercept_[0])
        score = base + float(values.sum())
        probability = float(1 / (1 + np.exp(-score)))
        threshold = classifier.config.thresholds[label]
        explained.append(
            LabelExplanation(
                label=label,
                given=round(probability, 6) >= threshold,
                probability=probability,
                threshold=threshold,
                score=score,
                base=base,
                contributions=tuple(
                    _contribution(str(names[place]), float(values[place]))
                    for place in np.argsort(-np.abs(values), kind="stable")
                ),
            )
        )
    return explained


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
            f"score {one.score:+.2f}, of which {one.base:+.2f} for any sentence"
        )
        shown = one.contributions[:top]
        lines += [f"  {part.value:+6.2f}  {part.feature}  ({part.part})" for part in shown]
        rest = one.contributions[top:]
        if rest:
            lines.append(f"  {sum(part.value for part in rest):+6.2f}  {len(rest)} other features together")
        lines.append("")
    return "\n".join(lines).rstrip()


def _contribution(name: str, value: float) -> Contribution:
    """Turn a column's name into words for people."""
    part, _, feature = name.partition("__")
    if part == "gaps":
        feature = feature.replace("_", " ... ")
    elif feature.startswith(">"):
        feature = f"after a contrast: {feature[1:]}"
    elif part == "contrast":
        feature = f"begins: {feature[1:]}" if feature.startswith("^") else f"ends: {feature[:-1]}"
    return Contribution(feature, _PARTS[part], value)
