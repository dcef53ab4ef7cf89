"""How far reviewers agree, and where they do not."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from pipeline.labels import LABELS
from pipeline.review.events import Event, Resolution, resolve

_SHOWN = 90


@dataclass(frozen=True)
class PairAgreement:
    """How far two reviewers agree.

    Attributes:
        reviewers: Their names.
        sentences: How many both have answered.
        exact: Share of those with the same set of labels, 0 to 1.
        kappa: Cohen's kappa by label, -1 to 1; None where it is not defined, because both gave one and the same answer
            throughout.
    """

    reviewers: tuple[str, str]
    sentences: int
    exact: float
    kappa: dict[str, float | None]


@dataclass(frozen=True)
class Agreement:
    """What the answers of several reviewers amount to.

    Attributes:
        pairs: Every two reviewers with a sentence in common.
        conflicts: Sentences on which reviewers disagree and nobody has settled it.
        settled: Number of sentences that an adjudicator has answered.
    """

    pairs: tuple[PairAgreement, ...]
    conflicts: tuple[Resolution, ...]
    settled: int


def measure_agreement(events: Sequence[Event]) -> Agreement:
    """Compare the latest answers of every two reviewers; adjudicators, who see the others' answers, are left out.

    Args:
        events: In order of time.

    Returns:
        Agreement and open conflicts.
    """
    found = resolve(events)
    names = sorted({name for one in found.values() for name in one.latest})
    pairs = []
    for first, second in combinations(names, 2):
        both = [one.latest for one in found.values() if first in one.latest and second in one.latest]
        if both:
            answers = [(given[first].mask, given[second].mask) for given in both]
            pairs.append(
                PairAgreement(
                    (first, second),
                    len(both),
                    sum(one == other for one, other in answers) / len(both),
                    {
                        label: _kappa([(one[rank], other[rank]) for one, other in answers])
                        for rank, label in enumerate(LABELS)
                    },
                )
            )
    conflicts = tuple(one for one in found.values() if one.event is None)
    return Agreement(tuple(pairs), conflicts, sum(one.settled is not None for one in found.values()))


def render_agreement(agreement: Agreement) -> str:
    """Write agreement for people.

    Args:
        agreement: What was measured.

    Returns:
        Lines of text: a table of kappas, then the conflicts with every answer.
    """
    lines = []
    if agreement.pairs:
        lines.append("Cohen's kappa by label (1 full agreement, 0 no more than by chance, - not defined)")
        width = max(len(" / ".join(pair.reviewers)) for pair in agreement.pairs)
        lines.append(f"{'reviewers':{width}}  sentences  same labels  " + "  ".join(LABELS))
        for pair in agreement.pairs:
            kappas = [pair.kappa[label] for label in LABELS]
            cells = [f"{'-' if k is None else f'{k:.2f}':>{len(name)}}" for k, name in zip(kappas, LABELS, strict=True)]
            named = f"{' / '.join(pair.reviewers):{width}}"
            lines.append(f"{named}  {pair.sentences:>9,}  {pair.exact:>11.0%}  " + "  ".join(cells))
    else:
        lines.append("No two reviewers have answered the same sentence.")
    lines.append(f"{len(agreement.conflicts):,} in disagreement, {agreement.settled:,} settled by an adjudicator.")
    for one in agreement.conflicts:
        event = one.events()[0]
        text = event.text or f"key {event.key[:16]}"
        answers = " | ".join(f"{given.reviewer}: {given.labels}" for given in one.events())
        lines.append(f"- {text[:_SHOWN]}{'…' if len(text) > _SHOWN else ''} ({event.report})\n    {answers}")
    return "\n".join(lines)


def _kappa(answers: Sequence[tuple[bool, bool]]) -> float | None:
    from sklearn.metrics import cohen_kappa_score

    # Where both always say the same one thing, agreement by chance is full as well, and kappa is 0/0.
    if len({value for pair in answers for value in pair}) < 2:
        return None
    return float(cohen_kappa_score([one for one, _ in answers], [other for _, other in answers]))
