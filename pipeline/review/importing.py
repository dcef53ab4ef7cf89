"""Answers in: a review file checked against the findings, and appended as events."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.errors import FindingsError, UsageError, wrong_rows
from pipeline.file_lock import FileHeldError, hold_file
from pipeline.files import report_id_of, unwritable
from pipeline.labels import format_labels, loose_key
from pipeline.review.events import Event, Place, append_events, check_reviewer, read_events, resolve
from pipeline.review.files import read_answers
from pipeline.review.findings import CONTEXT, given_labels, load_findings, rows_by_id
from pipeline.review.items import Answer

_HELP = "nothing was imported, and docs/review.md describes the formats"
_SHOWN = 60
LOCK_FILE = ".lock"  # git and DVC leave it out
_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        added: Events added, by reviewer.
        known: Answers that add nothing, because the same reviewer gave them before.
        changed: How many of those added replace an earlier answer of the same reviewer.
        disagreeing: Sentences of this file on which reviewers now disagree.
        gone: Answers left out because their sentence is not in the findings.
        file: The reviewed file, or None where nothing was added.
        notes: What the user should know.
    """

    added: dict[str, int]
    known: int
    changed: int
    disagreeing: int
    gone: int
    file: Path | None
    notes: tuple[str, ...]

    def summary(self) -> str:
        """Say in a few lines what was imported."""
        people = ", ".join(f"{count:,} of {name}" for name, count in self.added.items())
        head = f"{sum(self.added.values()):,} answer(s) added{f' ({people})' if people else ''}"
        parts = [f"{head} to {self.file}" if self.file else head]
        for count, what in (
            (self.changed, "of them changed"),
            (self.known, "known already"),
            (self.gone, "left out, their sentences are gone"),
            (self.disagreeing, "in disagreement, held back until settled (`findings review conflicts`)"),
        ):
            if count:
                parts.append(f"{count:,} {what}")
        return "\n".join(["; ".join(parts) + ".", *(f"Note: {note}." for note in self.notes)])


def import_answers(
    path: Path,
    reviewers: Sequence[str],
    *,
    findings: Path,
    labels: Path,
    settles: bool = False,
    skip_gone: bool = False,
    keep_text: bool = True,
    now: datetime | None = None,
) -> ImportReport:
    """Read a review file back: all of it, or nothing where something is wrong. Of two imports at once, one waits.

    Args:
        path: A review file with answers, or Label Studio's JSON export.
        reviewers: Who answered: one name, or for an export of several annotators `ID=NAME` of each.
        findings: Findings table that holds the sentences.
        labels: Folder of label files; answers go to `reviewed` in it.
        settles: Whether these are an adjudicator's answers.
        skip_gone: Whether to leave out answers for sentences that the findings do not hold.
        keep_text: Whether to store the sentences with the answers.
        now: Time of the import; the present by default.

    Returns:
        What was added.

    Raises:
        UsageError: A reviewer's name cannot be used, or does not fit the annotators of the file.
        DataError: The file is not as documented; the message lists every wrong row.
        FindingsError: The reviewed file cannot be written, or another import does not end.
    """
    with _only_import(labels):
        return _import(path, reviewers, findings, labels, settles, skip_gone, keep_text, now or datetime.now(UTC))


@contextmanager
def _only_import(labels: Path) -> Iterator[None]:
    """Keep other imports out: each must know what the one before has added."""
    with ExitStack() as stack:
        try:
            labels.mkdir(parents=True, exist_ok=True)
            stack.enter_context(hold_file(labels / LOCK_FILE, _WAIT_SECONDS))
        except FileHeldError as holder:
            raise FindingsError(
                f"{labels}: another `findings review import`{holder} is at work; run this again when it has ended."
            ) from None
        except OSError as error:
            raise unwritable(labels, error) from None
        yield


def _import(
    path: Path,
    reviewers: Sequence[str],
    findings: Path,
    labels: Path,
    settles: bool,
    skip_gone: bool,
    keep_text: bool,
    now: datetime,
) -> ImportReport:
    problems: list[str] = []
    answers, notes = read_answers(path, problems)
    names = _names(path, reviewers, answers)
    table = load_findings(findings)
    known = read_events(labels)
    rows = rows_by_id(table)
    if not skip_gone:
        problems += _gone(answers, rows, findings)
    here = [answer for answer in answers if answer.id in rows]
    problems += _edited(here, rows, table) + _contradictions(here, names)
    if problems:
        raise wrong_rows(str(path), problems, _HELP)
    file = report_id_of(path)
    job = _Job(
        table=table,
        rows=rows,
        given=given_labels(table, labels),
        known=known,
        fixed={
            "at": now.astimezone(UTC).isoformat(timespec="milliseconds"),
            "settles": settles,
            "file": file,
        },
        keep_text=keep_text,
    )
    seen = {(event.reviewer, event.settles) for event in known if event.file == file}
    new: dict[tuple[str, str], Event] = {}
    for answer in here:
        reviewer = names[answer.annotator]
        # What this file said was taken in before; had the reviewer changed it since, it must not come back.
        if (reviewer, settles) not in seen:
            event = job.event(answer, reviewer)
            if event is not None:
                new[(reviewer, answer.id)] = event
    added = list(new.values())
    written = append_events(added, labels) if added else None
    answered = resolve([*known, *added])
    places = {event.place for event in added}
    return ImportReport(
        added={name: sum(event.reviewer == name for event in added) for name in dict.fromkeys(names.values())}
        if added
        else {},
        known=len({(names[answer.annotator], answer.id) for answer in here}) - len(added),
        changed=sum((event.reviewer, event.place) in job.earlier for event in added),
        disagreeing=sum(answered[place].event is None for place in places),
        gone=len(answers) - len(here),
        file=written,
        notes=tuple(notes),
    )


class _Job:
    """What all events of an import share."""

    def __init__(
        self,
        *,
        table: pd.DataFrame,
        rows: Mapping[str, tuple[int, str]],
        given: "pd.Series[str]",
        known: Sequence[Event],
        fixed: Mapping[str, Any],
        keep_text: bool,
    ) -> None:
        self.table, self.rows, self.given, self.fixed, self.keep_text = table, rows, given, fixed, keep_text
        # An answer as adjudicator is another thing than one as reviewer.
        self.earlier = {(one.reviewer, one.place): one for one in known if one.settles == fixed["settles"]}
        self.held = {place: one.event for place, one in resolve(known).items()}

    def event(self, answer: Answer, reviewer: str) -> Event | None:
        """Make the event of an answer; None where the reviewer has said the same before."""
        number, pool = self.rows[answer.id]
        row: dict[Any, Any] = self.table.loc[number].to_dict()
        place: Place = (row["document"], row["key"])
        before = self.earlier.get((reviewer, place))
        if before is not None and (before.mask, before.comment or "") == (answer.labels, answer.comment):
            return None
        held = self.held.get(place)
        previous = before.labels if before else held.labels if held else _word(self.given.loc[number])
        context: dict[str, Any] = {name: _word(row[name]) for name in CONTEXT}
        return Event(
            key=row["key"],
            loose_key=loose_key(row["text"]),
            before=_word(row["before"]) if self.keep_text else None,
            text=row["text"] if self.keep_text else None,
            labels=format_labels(answer.labels),
            reviewer=reviewer,
            model_version=answer.model_version or None,
            previous=previous,
            pool=pool,
            comment=answer.comment or None,
            **{**context, "report": context["report"] or row["document"]},
            **self.fixed,
        )


def _word(value: Any) -> str | None:  # noqa: ANN401
    return None if pd.isna(value) else str(value)


def _names(path: Path, reviewers: Sequence[str], answers: Sequence[Answer]) -> dict[str, str]:
    """Give every annotator of the file a reviewer's name."""
    found = list(dict.fromkeys(answer.annotator for answer in answers))
    pairs = dict(name.split("=", 1) for name in reviewers if "=" in name)
    plain = [check_reviewer(name) for name in reviewers if "=" not in name]
    for name in pairs.values():
        check_reviewer(name)
    if (pairs and plain) or len(plain) > 1:
        raise UsageError("--reviewer: give one NAME, or ID=NAME for each annotator of a Label Studio export.")
    if plain:
        if len(found) > 1:
            raise UsageError(
                f"{path}: holds answers of {len(found)} annotators; name each: "
                + " ".join(f"--reviewer {annotator or 'ID'}=NAME" for annotator in found)
            )
        return dict.fromkeys(found, plain[0])
    unknown = [annotator for annotator in found if annotator not in pairs]
    if unknown:
        listed = ", ".join(repr(annotator) for annotator in unknown)
        raise UsageError(f"{path}: nobody named for annotator {listed}; name each with --reviewer ID=NAME.")
    if len(set(pairs.values())) < len(pairs):
        raise UsageError("--reviewer: two annotators have the same name; give each their own.")
    return pairs


def _gone(answers: Sequence[Answer], rows: Mapping[str, tuple[int, str]], findings: Path) -> list[str]:
    """Describe the answers whose sentence is not in the findings."""
    return [
        f"{answer.place}: no sentence {answer.id} in {findings} any more ({_shown(answer.text)}); name the "
        "findings that it was exported from with --findings, or leave such answers out with --skip-gone"
        for answer in answers
        if answer.id not in rows
    ]


def _edited(answers: Sequence[Answer], rows: Mapping[str, tuple[int, str]], table: pd.DataFrame) -> list[str]:
    """Describe the answers whose text is not the sentence of their id, as when one column was sorted alone."""
    texts = table["text"]
    return [
        f"{answer.place}: its text ({_shown(answer.text)}) is not the sentence of id {answer.id} "
        f"({_shown(texts.loc[rows[answer.id][0]])}); was a column sorted alone, or a text edited? Restore it from the "
        "exported file"
        for answer in answers
        if loose_key(answer.text) != loose_key(texts.loc[rows[answer.id][0]])
    ]


def _contradictions(answers: Sequence[Answer], names: Mapping[str, str]) -> list[str]:
    """Describe the sentences that one person answered in two ways."""
    given: dict[tuple[str, str], dict[tuple[bool, ...], Answer]] = {}
    for answer in answers:
        given.setdefault((names[answer.annotator], answer.id), {}).setdefault(answer.labels, answer)
    return [
        f"one sentence, two answers of {name}: "
        + " but ".join(f"{format_labels(mask)} at {answer.place}" for mask, answer in found.items())
        for (name, _), found in given.items()
        if len(found) > 1
    ]


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
