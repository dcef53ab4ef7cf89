"""The log of all verdicts, models/promotions.jsonl, and what follows from it."""

import json
from collections.abc import Sequence
from dataclasses import MISSING, asdict, dataclass, fields
from pathlib import Path
from typing import Any, Literal

from pipeline.errors import TrackingError
from pipeline.files import replace_file

PROMOTIONS = Path("models/promotions.jsonl")
NEW_TEST_SIDE: Literal["new test side"] = "new test side"
# Besides these there is the verdict "unchanged", which is never written down.
_RECORDED = ("promoted", "rejected", "manual promotion", "rollback", NEW_TEST_SIDE)
BY_HAND = ("manual promotion", "rollback")
_LEAVE_THE_CHAMPION = ("rejected", NEW_TEST_SIDE)
_OPTIONAL_TEXT = {"champion_before", "champion_after", "test_sha256", "train_sha256", "lock_sha256"}
_NUMBERS = {"candidate_macro_f1", "champion_macro_f1", "difference", "margin", "test_sentences", "test_documents"}
_COMPARED = ("candidate", "champion", "difference", "low", "high")


@dataclass(frozen=True)
class Entry:
    """One line of models/promotions.jsonl. Lines of earlier releases lack the fields with a default.

    Attributes:
        at: When, in UTC, to the second.
        action: promoted, rejected, manual promotion, rollback, or new test side.
        candidate: Version of the model that was judged, or chosen by hand; of the champion on a new test side.
        champion_before: Version of the champion before; null for the first model.
        champion_after: Version of the champion from then on.
        candidate_macro_f1: Macro F1 of the candidate on the test side.
        champion_macro_f1: Macro F1 of the champion before on the same test side.
        difference: The former less the latter.
        margin: The gain that was asked for; null where nothing was compared.
        test_sha256: Hash of the test side.
        train_sha256: Hash of the candidate's training side.
        git_commit: Commit that was checked out.
        reason: Why, in a sentence.
        by: Who ran it.
        git_dirty: Whether code, labels or settings differed from that commit.
        lock_sha256: Hash of dvc.lock, which holds the hash of each file of code and data behind the candidate.
        test_sentences: Sentences of the test side.
        test_documents: Documents of the test side.
        comparison: By `macro_f1` and label: F1 of `candidate` and `champion`, `difference`, and the ends `low` and
            `high` of its interval.
        settings: The section `register` of params.yaml.
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
    git_dirty: bool | None = None
    lock_sha256: str | None = None
    test_sentences: int | None = None
    test_documents: int | None = None
    comparison: dict[str, dict[str, float]] | None = None
    settings: dict[str, Any] | None = None


def read_log(path: Path) -> list[Entry]:
    """Read all verdicts.

    Args:
        path: models/promotions.jsonl; need not exist.

    Returns:
        The entries, oldest first: a merge of two branches may leave them in another order.

    Raises:
        TrackingError: A line is damaged; the message gives its number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError) as error:
        raise TrackingError(f"{path}: cannot be read ({error}); restore it with `git checkout -- {path}`.") from None
    lines = enumerate(text.split("\n"), start=1)
    return sorted((_parse(path, number, line) for number, line in lines if line.strip()), key=lambda entry: entry.at)


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
                return entry if entry.action in BY_HAND else None
    return None


def _history(entries: Sequence[Entry]) -> list[str]:
    """List the champions that a rollback can go through, the present one last."""
    history: list[str] = []
    for entry in entries:
        if entry.champion_after is None or entry.action in _LEAVE_THE_CHAMPION:
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
            if field.default is MISSING:
                raise _damaged(path, number, f"{field.name!r} is missing")
        elif not _is_right(field.name, raw[field.name]):
            raise _damaged(path, number, f"{field.name!r} is {raw[field.name]!r}")
    if raw["action"] not in _RECORDED:
        raise _damaged(path, number, f"found action {raw['action']!r}, accepted: {', '.join(_RECORDED)}")
    return Entry(**{field.name: raw[field.name] for field in fields(Entry) if field.name in raw})


def _is_right(name: str, value: object) -> bool:
    """Tell whether a field's value has its type."""
    if name in _NUMBERS:
        return value is None or _is_number(value)
    if name == "git_dirty":
        return value is None or isinstance(value, bool)
    if name == "settings":
        return value is None or isinstance(value, dict)
    if name == "comparison":
        return value is None or (isinstance(value, dict) and all(_is_change(part) for part in value.values()))
    return isinstance(value, str) or (value is None and name in _OPTIONAL_TEXT)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_change(part: object) -> bool:
    return isinstance(part, dict) and set(part) == set(_COMPARED) and all(_is_number(value) for value in part.values())


def _damaged(path: Path, number: int, what: str) -> TrackingError:
    return TrackingError(
        f"{path}:{number}: damaged ({what}); mend the line, or restore the file with `git checkout -- {path}`."
    )
