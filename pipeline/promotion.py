"""The verdict on a candidate, and how it is put into the log."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pipeline.errors import TrackingError
from pipeline.gate import MACRO, Change, Comparison, judge
from pipeline.params import RegisterParams
from pipeline.promotion_log import BY_HAND, NEW_TEST_SIDE, Entry, put_aside
from pipeline.provenance import Provenance

Action = Literal["promoted", "rejected", "unchanged", "manual promotion", "rollback", "new test side"]
_DIGITS = 4


@dataclass(frozen=True)
class Rival:
    """A model as the verdict sees it.

    Attributes:
        version: Model version.
        macro_f1: Macro F1 on the present test side; None where the model cannot be applied.
        sentences: How many labelled sentences it was trained on; None where that is not known.
        obstacle: Why it cannot be applied; empty where it can.
    """

    version: str
    macro_f1: float | None
    sentences: int | None = None
    obstacle: str = ""


@dataclass(frozen=True)
class ScoredOn:
    """The sentences that a verdict rests on.

    Attributes:
        sha256: Their hash.
        sentences: How many there are.
        documents: How many documents they are of.
    """

    sha256: str | None
    sentences: int | None
    documents: int | None

    def __str__(self) -> str:
        """Say how large it is."""
        if self.sentences is None:
            return f"the one with hash {str(self.sha256)[:12]}"
        return f"{self.sentences:,} sentences of {self.documents} documents"


@dataclass(frozen=True)
class Verdict:
    """What was decided about a model.

    Attributes:
        action: promoted, rejected, unchanged, manual promotion, rollback or new test side.
        reason: Why, in a sentence.
        candidate: Version of the model that was judged.
        champion_before: Version of the champion before, if there was one.
        champion_after: Version of the champion now.
        candidate_macro_f1: Macro F1 of the candidate on the test side.
        champion_macro_f1: The same of the champion before.
        comparison: How the candidate's scores differ from the champion's; empty where they were not compared.
        test_change: How the test side differs from that of the verdict before; empty where it does not.
        recorded: Whether a line was added to the log.
        run_id: MLflow run, if one belongs to the model.
        number: MLflow version number of the candidate.
        not_logged: Why the run is not in the MLflow store yet; empty where it is.
    """

    action: Action
    reason: str
    candidate: str
    champion_before: str | None
    champion_after: str
    candidate_macro_f1: float | None = None
    champion_macro_f1: float | None = None
    comparison: Comparison = field(default_factory=dict)
    test_change: str = ""
    recorded: bool = False
    run_id: str | None = None
    number: int | None = None
    not_logged: str = ""

    @property
    def difference(self) -> float | None:
        """Macro F1 of the candidate less that of the champion before, where both are known."""
        return _difference(self.candidate_macro_f1, self.champion_macro_f1)

    def summary(self) -> str:
        """Tell a person what happened.

        Returns:
            One to three lines.
        """
        head = {
            "promoted": f"Model {self.candidate} is the new champion: {self.reason}.",
            "rejected": f"Model {self.candidate} does not become champion: {self.reason}.",
            "unchanged": f"Model {self.candidate} stays champion: {self.reason}.",
            "manual promotion": f"Model {self.candidate} is the champion now: {self.reason}.",
            "rollback": f"Model {self.candidate} is the champion again: {self.reason}.",
            NEW_TEST_SIDE: f"Model {self.candidate} was scored again: {self.reason}.",
        }[self.action]
        version = f"version {self.number} in the MLflow registry" if self.number is not None else ""
        place = ", ".join(filter(None, (version, f"run {self.run_id}" if self.run_id else "")))
        tail = f"{place[0].upper()}{place[1:]}." if place else ""
        if self.action == "rejected":
            tail = f"Champion {self.champion_after} stays.{f' The candidate is {place}.' if place else ''}"
        if self.test_change:
            head = f"{self.test_change[0].upper()}{self.test_change[1:]}.\n{head}"
        if self.not_logged:
            head = f"{head}\nNot in MLflow yet: {self.not_logged}"
        return f"{head}\n{tail}" if tail else head


def decide(
    candidate: Rival,
    champion: Rival | None,
    comparison: Comparison,
    params: RegisterParams,
    entries: Sequence[Entry],
) -> tuple[Literal["promoted", "rejected", "unchanged"], str]:
    """Judge a candidate; nothing is written.

    Args:
        candidate: The candidate.
        champion: The present champion, if there is one.
        comparison: Both on the same test side, as `gate.compare` returns it.
        params: The section `register` of params.yaml.
        entries: All earlier verdicts.

    Returns:
        The action, and the reason in a sentence.

    Raises:
        TrackingError: The models cannot be compared, because no label has an example on the test side.
    """
    if champion is None:
        return "promoted", "first model"
    if champion.version == candidate.version:
        return "unchanged", "the candidate is the same model"
    aside = put_aside(entries, candidate.version)
    if aside is not None:
        what = "rolled back" if aside.action == "rollback" else f"replaced by {aside.champion_after} by hand"
        return "rejected", f"it was {what} on {aside.at[:10]} by {aside.by}, and stays out until it changes"
    if champion.obstacle:
        return "promoted", f"the champion {champion.version} cannot be used any more ({champion.obstacle})"
    if _has_less_data(candidate, champion, params.data_share):
        return "rejected", (
            f"it was trained on {candidate.sentences:,} labelled sentences, less than {params.data_share} of the "
            f"champion's {champion.sentences:,}; bring the labels and reports that are missing, or promote it by hand "
            "with `findings registry promote`"
        )
    if MACRO not in comparison:
        raise TrackingError(
            "macro F1 is not defined on this test side: no label has an example. Label more documents, or change "
            "dataset.test_share in params.yaml."
        )
    passed, reason = judge(comparison, params)
    return ("promoted" if passed else "rejected"), reason


def describe_new_test_side(entries: Sequence[Entry], test: ScoredOn, champion: Rival) -> str:
    """Tell how the test side differs from that of the last verdict, the first time that it is met.

    Args:
        entries: All earlier verdicts.
        test: The present test side.
        champion: The champion, scored on it.

    Returns:
        A sentence; empty where a verdict rests on this test side already, or there is none yet.
    """
    # A decision by hand names the test side that its model was once scored on.
    measured = [entry for entry in entries if entry.test_sha256 and entry.action not in BY_HAND]
    if not measured or any(entry.test_sha256 == test.sha256 for entry in measured):
        return ""
    last = measured[-1]
    before = ScoredOn(last.test_sha256, last.test_sentences, last.test_documents)
    change = "changed"
    if before.sentences is not None and test.sentences is not None and before.sentences != test.sentences:
        change = "grew" if test.sentences > before.sentences else "shrank"
    sentence = f"the test side {change} from {before} to {test}"
    if champion.macro_f1 is None:
        return f"{sentence}; the champion {champion.version} cannot be scored on it"
    sentence += f"; the champion {champion.version} has macro F1 {champion.macro_f1:.4f} on it"
    former = last.candidate_macro_f1 if last.candidate == champion.version else last.champion_macro_f1
    known = last.champion_after == champion.version and former is not None
    return f"{sentence}, and had {former:.4f} on the one before" if known else sentence


def make_entry(
    verdict: Verdict,
    *,
    test: ScoredOn,
    train_sha256: str | None,
    provenance: Provenance,
    settings: RegisterParams | None = None,
) -> Entry:
    """Put a verdict into the form of the log.

    Args:
        verdict: The verdict.
        test: The test side that its scores are of.
        train_sha256: Hash of the candidate's training side.
        provenance: State of the project, and who runs it.
        settings: The section `register` of params.yaml, if it was a comparison.

    Returns:
        The entry, stamped with the present time.
    """
    return Entry(
        at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        action=verdict.action,
        candidate=verdict.candidate,
        champion_before=verdict.champion_before,
        champion_after=verdict.champion_after,
        candidate_macro_f1=verdict.candidate_macro_f1,
        champion_macro_f1=verdict.champion_macro_f1,
        difference=verdict.difference,
        margin=settings.margin if settings else None,
        test_sha256=test.sha256,
        train_sha256=train_sha256,
        git_commit=provenance.git_commit,
        reason=verdict.reason,
        by=provenance.user,
        git_dirty=provenance.git_dirty,
        lock_sha256=provenance.lock_sha256,
        test_sentences=test.sentences,
        test_documents=test.documents,
        comparison={name: asdict(change) for name, change in verdict.comparison.items()} or None,
        settings=asdict(settings) if settings else None,
    )


def comparison_in(entry: Entry) -> Mapping[str, Change]:
    """Read the comparison that a line of the log holds.

    Args:
        entry: The line.

    Returns:
        The changes by name; empty where nothing was compared, or the line is of an earlier release.
    """
    return {name: Change(**part) for name, part in (entry.comparison or {}).items()}


def is_recorded(entries: Sequence[Entry], verdict: Verdict, test_sha256: str) -> bool:
    """Tell whether a verdict need not be written down.

    Args:
        entries: All earlier verdicts.
        verdict: The verdict on a candidate.
        test_sha256: Hash of the test side.

    Returns:
        True for "unchanged", for a rejection that was recorded for the same models, test side and reason, and for a
        candidate that a person has put aside: the line of that decision says it already.
    """
    if verdict.action == "unchanged":
        return True
    if verdict.action != "rejected":
        return False
    same = (verdict.candidate, verdict.champion_before, test_sha256, verdict.reason)
    return put_aside(entries, verdict.candidate) is not None or any(
        entry.action == "rejected" and (entry.candidate, entry.champion_before, entry.test_sha256, entry.reason) == same
        for entry in entries
    )


def _has_less_data(candidate: Rival, champion: Rival, share: float) -> bool:
    if candidate.sentences is None or champion.sentences is None:
        return False
    return candidate.sentences < share * champion.sentences


def _difference(candidate: float | None, champion: float | None) -> float | None:
    return None if candidate is None or champion is None else round(candidate - champion, _DIGITS)
