"""The verdict on a candidate, and the log of all verdicts."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import TrackingError
from pipeline.files import replace_file

PROMOTIONS = Path("models/promotions.jsonl")
Action = Literal["promoted", "rejected", "unchanged", "manual promotion", "rollback"]
# "unchanged" is a verdict that is never written down.
_RECORDED = ("promoted", "rejected", "manual promotion", "rollback")
_BY_HAND = ("manual promotion", "rollback")
_OPTIONAL_TEXT = {"champion_before", "champion_after", "test_sha256", "train_sha256"}
_NUMBERS = {"candidate_macro_f1", "champion_macro_f1", "difference", "margin"}
_DIGITS = 4


@dataclass(frozen=True)
class Entry:
    """One line of models/promotions.jsonl.

    Attributes:
        at: When, in UTC, to the second.
        action: promoted, rejected, manual promotion or rollback.
        candidate: Version of the model that was judged, or chosen by hand.
        champion_before: Version of the champion before; null for the first model.
        champion_after: Version of the champion from then on.
        candidate_macro_f1: Macro F1 of the candidate on the test side.
        champion_macro_f1: Macro F1 of the champion before on the same test side.
        difference: The former less the latter.
        margin: The gain that was asked for; null for a decision by hand.
        test_sha256: Hash of the test side.
        train_sha256: Hash of the candidate's training side.
        git_commit: Commit that was checked out.
        reason: Why, in a sentence.
        by: Who ran it.
    """

    at: str
    action: str
    candidate: str
    champion_before: str | None
    champion_after: str | None
    candidate_macro_f1: float | None
    champion_macro_f1: float | None
    difference: float | None
    margin: float | None
    test_sha256: str | None
    train_sha256: str | None
    git_commit: str
    reason: str
    by: str


@dataclass(frozen=True)
class Rival:
    """A model as the verdict sees it.

    Attributes:
        version: Model version.
        macro_f1: Macro F1 on the present test side; None where the model cannot be applied.
        obstacle: Why it cannot be applied; empty where it can.
    """

    version: str
    macro_f1: float | None
    obstacle: str = ""


@dataclass(frozen=True)
class Verdict:
    """What was decided about a model.

    Attributes:
        action: promoted, rejected, unchanged, manual promotion or rollback.
        reason: Why, in a sentence.
        candidate: Version of the model that was judged.
        champion_before: Version of the champion before, if there was one.
        champion_after: Version of the champion now.
        candidate_macro_f1: Macro F1 of the candidate on the test side.
        champion_macro_f1: The same of the champion before.
        recorded: Whether a line was added to the log.
        run_id: MLflow run, if one belongs to the model.
        number: MLflow version number of the candidate.
    """

    action: Action
    reason: str
    candidate: str
    champion_before: str | None
    champion_after: str
    candidate_macro_f1: float | None = None
    champion_macro_f1: float | None = None
    recorded: bool = False
    run_id: str | None = None
    number: int | None = None

    @property
    def difference(self) -> float | None:
        """Macro F1 of the candidate less that of the champion before, where both are known."""
        return _difference(self.candidate_macro_f1, self.champion_macro_f1)

    def summary(self) -> str:
        """Tell a person what happened.

        Returns:
            One or two lines.
        """
        head = {
            "promoted": f"Model {self.candidate} is the new champion: {self.reason}.",
            "rejected": f"Model {self.candidate} does not become champion: {self.reason}.",
            "unchanged": f"Model {self.candidate} stays champion: {self.reason}.",
            "manual promotion": f"Model {self.candidate} is the champion now: {self.reason}.",
            "rollback": f"Model {self.candidate} is the champion again: {self.reason}.",
        }[self.action]
        tail = []
        if self.action == "rejected":
            tail.append(f"champion {self.champion_after}")
        if self.number is not None:
            tail.append(f"version {self.number} in the MLflow registry")
        if self.run_id:
            tail.append(f"run {self.run_id}")
        return head + ("\n" + ", ".join(tail)[0].upper() + ", ".join(tail)[1:] + "." if tail else "")


def decide(
    candidate: Rival, champion: Rival | None, margin: float, entries: Sequence[Entry]
) -> tuple[Literal["promoted", "rejected", "unchanged"], str]:
    """Judge a candidate; nothing is written.

    Args:
        candidate: The candidate.
        champion: The present champion, if there is one.
        margin: Gain in macro F1 that a candidate needs.
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
    difference = _difference(candidate.macro_f1, champion.macro_f1)
    if difference is None:
        raise TrackingError(
            "macro F1 is not defined on this test side: no label has an example. Label more documents, or change "
            "dataset.test_share in params.yaml."
        )
    where = "above" if difference > 0 else "below"
    gap = f"{abs(difference):.4f} {where}" if difference else "equal to"
    compared = f"macro F1 {candidate.macro_f1:.4f} is {gap} the champion's {champion.macro_f1:.4f}"
    if difference > margin:
        return "promoted", f"{compared}; more than the margin of {margin}"
    return "rejected", f"{compared}; it must be more than {margin} above"


def read_log(path: Path) -> list[Entry]:
    """Read all verdicts.

    Args:
        path: models/promotions.jsonl; need not exist.

    Returns:
        The entries, oldest first.

    Raises:
        TrackingError: A line is damaged; the message gives its number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise TrackingError(f"{path}: cannot be read ({error}); restore it with `git checkout -- {path}`.") from None
    return [_parse(path, number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def append_entry(path: Path, entry: Entry) -> None:
    """Add one verdict to the log.

    Args:
        path: models/promotions.jsonl.
        entry: The verdict.
    """
    old = path.read_bytes() if path.exists() else b""
    if old and not old.endswith(b"\n"):
        old += b"\n"
    with replace_file(path) as temporary:
        temporary.write_bytes(old + (json.dumps(asdict(entry), ensure_ascii=False) + "\n").encode())


def make_entry(
    verdict: Verdict,
    *,
    margin: float | None,
    test_sha256: str | None,
    train_sha256: str | None,
    git_commit: str,
    by: str,
) -> Entry:
    """Put a verdict into the form of the log.

    Args:
        verdict: The verdict.
        margin: The gain that was asked for, if it was a comparison.
        test_sha256: Hash of the test side.
        train_sha256: Hash of the candidate's training side.
        git_commit: Commit that is checked out.
        by: Who runs it.

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
        margin=margin,
        test_sha256=test_sha256,
        train_sha256=train_sha256,
        git_commit=git_commit,
        reason=verdict.reason,
        by=by,
    )


def is_recorded(entries: Sequence[Entry], verdict: Verdict, test_sha256: str) -> bool:
    """Tell whether a verdict need not be written down.

    Args:
        entries: All earlier verdicts.
        verdict: The verdict on a candidate.
        test_sha256: Hash of the test side.

    Returns:
        True for "unchanged", for a rejection that was recorded for the same models and test side, and for a candidate
        that a person has put aside: the line of that decision says it already.
    """
    if verdict.action == "unchanged":
        return True
    if verdict.action != "rejected":
        return False
    same = (verdict.candidate, verdict.champion_before, test_sha256)
    return put_aside(entries, verdict.candidate) is not None or any(
        entry.action == "rejected" and (entry.candidate, entry.champion_before, entry.test_sha256) == same
        for entry in entries
    )


def champion_of(entries: Sequence[Entry]) -> str | None:
    """Name the champion according to the log.

    Args:
        entries: All verdicts.

    Returns:
        Its version; None before the first promotion.
    """
    history = _history(entries)
    return history[-1] if history else None


def champion_before(entries: Sequence[Entry]) -> str | None:
    """Name the model that a rollback brings back.

    Args:
        entries: All verdicts.

    Returns:
        Version of the champion before the present one. Each rollback goes one step further back: after 1, 2, 3 and a
        rollback to 2, the next one leads to 1. None where there is no earlier champion.
    """
    history = _history(entries)
    return history[-2] if len(history) > 1 else None


def put_aside(entries: Sequence[Entry], version: str) -> Entry | None:
    """Find the decision by which a person took a model out of use.

    Args:
        entries: All verdicts.
        version: Version of the model.

    Returns:
        The rollback or manual promotion that replaced this model and has not been taken back since.
    """
    for entry in reversed(entries):
        if entry.action in _RECORDED and entry.champion_before != entry.champion_after:
            if entry.champion_after == version:
                return None
            if entry.champion_before == version:
                return entry if entry.action in _BY_HAND else None
    return None


def _history(entries: Sequence[Entry]) -> list[str]:
    """List the champions that a rollback can go through, the present one last."""
    history: list[str] = []
    for entry in entries:
        if entry.champion_after is None or entry.action == "rejected":
            continue
        if entry.action == "rollback":
            while history and history[-1] != entry.champion_after:
                history.pop()
        if not history or history[-1] != entry.champion_after:
            history.append(entry.champion_after)
    return history


def _parse(path: Path, number: int, line: str) -> Entry:
    """Read one line and check the type of each value."""
    try:
        raw: Any = json.loads(line)
    except json.JSONDecodeError as error:
        raise _damaged(path, number, f"not valid JSON: {error.msg}") from None
    if not isinstance(raw, dict):
        raise _damaged(path, number, f"found {type(raw).__name__}, expected one JSON object")
    for field in fields(Entry):
        if field.name not in raw:
            raise _damaged(path, number, f"{field.name!r} is missing")
        value = raw[field.name]
        if field.name in _NUMBERS:
            right = value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        else:
            right = isinstance(value, str) or (value is None and field.name in _OPTIONAL_TEXT)
        if not right:
            raise _damaged(path, number, f"{field.name!r} is {value!r}")
    if raw["action"] not in _RECORDED:
        raise _damaged(path, number, f"found action {raw['action']!r}, accepted: {', '.join(_RECORDED)}")
    return Entry(**{field.name: raw[field.name] for field in fields(Entry)})


def _damaged(path: Path, number: int, what: str) -> TrackingError:
    return TrackingError(
        f"{path}:{number}: damaged ({what}); mend the line, or restore the file with `git checkout -- {path}`."
    )


def _difference(candidate: float | None, champion: float | None) -> float | None:
    return None if candidate is None or champion is None else round(candidate - champion, _DIGITS)
