"""Answers of reviewers as append-only events, and the labels that follow from them."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import UsageError, wrong_rows
from pipeline.files import json_object, read_table_text, replace_file
from pipeline.labels import LABEL_COLUMNS, LABELS, REVIEWED_FOLDER, format_labels, parse_labels

_HELP = "docs/review.md describes reviewed files"
_REVIEWER = re.compile(r"\w[\w.-]{0,39}")
_MOST_NAMES = 3
Place = tuple[str, str]


@dataclass(frozen=True)
class Event:
    """One line of a reviewed file: what a person said of a sentence, and when.

    Attributes:
        key: The sentence's key.
        loose_key: The key that survives another reading.
        report_id: The document, or None for sentences of a table that has no such column.
        report: Its name.
        doc_type, provider, published, section, kind: Context, as in the sentence table.
        before: The sentence before.
        text: The sentence; None where labels are to be shared without it.
        labels: Labels as words.
        reviewer: Who.
        at: When it was imported: UTC, ISO 8601, to the millisecond.
        settles: Whether the reviewer spoke as adjudicator.
        model_version: Model whose view was shown, or None.
        previous: The labels that held for the sentence until then, or None.
        pool: How the sentence was chosen.
        comment: Remark, or None.
        file: First 16 hex digits of the SHA-256 of the imported file.
    """

    key: str
    loose_key: str
    report_id: str | None
    report: str
    doc_type: str | None
    provider: str | None
    published: str | None
    section: str | None
    kind: str | None
    before: str | None
    text: str | None
    labels: str
    reviewer: str
    at: str
    settles: bool
    model_version: str | None
    previous: str | None
    pool: str
    comment: str | None
    file: str
    source: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def place(self) -> Place:
        """The sentence: document and key."""
        return (self.report_id or self.report, self.key)

    @property
    def mask(self) -> tuple[bool, ...]:
        """One truth value a label, in the order of `LABELS`."""
        return parse_labels(self.labels)


_NOT_STORED = ("source", "line")
_STORED = tuple(one.name for one in fields(Event) if one.name not in _NOT_STORED)
_NEEDED = ("key", "loose_key", "report", "labels", "reviewer", "at", "pool", "file")


@dataclass(frozen=True)
class Resolution:
    """What is known of one sentence.

    Attributes:
        latest: The latest event of each reviewer, adjudicators aside.
        settled: The latest answer of an adjudicator, if there is one.
    """

    latest: dict[str, Event]
    settled: Event | None

    @property
    def event(self) -> Event | None:
        """The event whose labels hold; None while reviewers disagree and nobody has settled it."""
        if self.settled is not None:
            return self.settled
        given = list(self.latest.values())
        return max(given, key=lambda one: one.at) if len({one.mask for one in given}) == 1 else None

    def events(self) -> list[Event]:
        """List what counts: the latest of every reviewer, then the adjudicator's."""
        return [*self.latest.values(), *([self.settled] if self.settled else [])]


def check_reviewer(name: str) -> str:
    """Check a reviewer's name, which becomes part of a file name.

    Args:
        name: As given.

    Returns:
        The same.

    Raises:
        UsageError: It holds other characters than letters, digits, dots, hyphens and underscores.
    """
    if not _REVIEWER.fullmatch(name):
        raise UsageError(
            f"--reviewer: found {name!r}; accepted: up to 40 letters, digits, dots, hyphens and underscores, as in "
            "anna or b.jones."
        )
    return name


def read_events(labels: Path) -> list[Event]:
    """Read all reviewed files.

    Args:
        labels: Folder of label files, which holds the folder `reviewed`.

    Returns:
        The events in order of time; none where there is no such folder.

    Raises:
        DataError: A line is not as documented; the message lists every such line.
    """
    problems: list[str] = []
    events: list[Event] = []
    for path in sorted((labels / REVIEWED_FOLDER).glob("*.jsonl")):
        for number, line in enumerate(read_table_text(path).split("\n"), start=1):
            if line.strip():
                try:
                    events.append(_parse(line, path, number))
                except ValueError as error:
                    problems.append(f"{path}:{number}: {error}")
    if problems:
        raise wrong_rows("reviewed files", problems, _HELP)
    return sorted(events, key=lambda one: datetime.fromisoformat(one.at))


def resolve(events: Iterable[Event]) -> dict[Place, Resolution]:
    """Tell what holds for every sentence that was answered.

    Args:
        events: In order of time.

    Returns:
        By document and key. The latest answer of each reviewer counts; an adjudicator's counts for more than theirs.
    """
    found: dict[Place, tuple[dict[str, Event], list[Event]]] = {}
    for event in events:
        latest, settling = found.setdefault(event.place, ({}, []))
        if event.settles:
            settling.append(event)
        else:
            latest[event.reviewer] = event
    return {place: Resolution(latest, given[-1] if given else None) for place, (latest, given) in found.items()}


def reviewed_labels(labels: Path) -> pd.DataFrame:
    """Give the answers of reviewers as label rows, one a sentence.

    Args:
        labels: Folder of label files.

    Returns:
        `LABEL_COLUMNS`, one boolean column a label, `source`, `line`, and `held`: whether reviewers disagree, so that
        the sentence must not train.

    Raises:
        DataError: A reviewed file is not as documented.
    """
    rows = []
    for resolution in resolve(read_events(labels)).values():
        settled = resolution.event
        event = settled or resolution.events()[-1]
        row = {name: value for name, value in asdict(event).items() if name in LABEL_COLUMNS}
        who = "; ".join(dict.fromkeys(one.reviewer for one in resolution.events()))
        row |= {"annotator": who, "annotated": event.at[:10], "source": event.source, "line": event.line}
        rows.append({**row, **dict(zip(LABELS, event.mask, strict=True)), "held": settled is None})
    table = pd.DataFrame(rows, columns=[*LABEL_COLUMNS, *LABELS, "source", "line", "held"])
    return table.astype(dict.fromkeys((*LABELS, "held"), bool))


def append_events(events: Sequence[Event], labels: Path) -> Path:
    """Add the events of one import to the file of its reviewer and day, as a whole or not at all.

    Events of several reviewers go into one file that names them all, since only one file can be renamed at a time.

    Args:
        events: At least one; all of one import.
        labels: Folder of label files.

    Returns:
        The file. Nothing in it but the new lines changes.

    Raises:
        FindingsError: It cannot be written.
    """
    names = sorted({event.reviewer for event in events})
    shown = names[:_MOST_NAMES] + ([f"{len(names) - _MOST_NAMES}-more"] if len(names) > _MOST_NAMES else [])
    path = labels / REVIEWED_FOLDER / f"{'+'.join(shown)}-{events[0].at[:10]}.jsonl"
    old = path.read_bytes() if path.is_file() else b""
    if old and not old.endswith(b"\n"):
        old += b"\n"
    with replace_file(path) as temporary:
        temporary.write_bytes(old + "".join(map(_line, events)).encode())
    return path


def _line(event: Event) -> str:
    return json.dumps({name: getattr(event, name) for name in _STORED}, ensure_ascii=False) + "\n"


def _parse(line: str, path: Path, number: int) -> Event:
    """Read one line; the message of the ValueError says what is wrong with it."""
    raw = json_object(line)
    missing = [name for name in _NEEDED if not raw.get(name)]
    if missing:
        raise ValueError(f"no {', '.join(missing)}; label files of other kinds go into the folder above")
    wrong = [name for name in _STORED if name != "settles" and not isinstance(raw.get(name), str | None)]
    if wrong or not isinstance(raw.get("settles"), bool):
        raise ValueError(f"{', '.join(wrong) or 'settles'}: found {raw.get((wrong or ['settles'])[0])!r}")
    _check_time(raw["at"])
    raw["labels"] = format_labels(parse_labels(raw["labels"]))
    stored: dict[str, Any] = {name: raw.get(name) for name in _STORED}
    return Event(**stored, source=path.as_posix(), line=number)


def _check_time(value: str) -> None:
    try:
        known = datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        known = False
    if not known:
        raise ValueError(f"at: found {value!r}, expected a time in ISO 8601 with its zone")
