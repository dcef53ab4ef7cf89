"""Review files out: a queue to judge, what a reviewer has answered, or what reviewers disagree on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from pipeline.assembly import PAGES_FOLDER
from pipeline.classifier import SentenceClassifier
from pipeline.errors import UsageError
from pipeline.model_folder import load_config, load_model
from pipeline.params import ReviewParams
from pipeline.review.events import Event, Resolution, check_reviewer, read_events, resolve
from pipeline.review.files import check_suffix, write_items
from pipeline.review.findings import given_labels, load_findings, make_items, reviewed_rows
from pipeline.review.items import Item
from pipeline.review.queue import choose


@dataclass(frozen=True)
class ExportReport:
    """What was written.

    Attributes:
        written: The files.
        counts: Number of sentences by pool.
        notes: What the user should know.
    """

    written: tuple[Path, ...]
    counts: dict[str, int]
    notes: tuple[str, ...] = ()

    def summary(self) -> str:
        """Say in a line what was written, and below it what else there is to know."""
        files = " and ".join(map(str, self.written))
        parts = ", ".join(f"{count:,} {pool}" for pool, count in self.counts.items())
        head = f"{sum(self.counts.values()):,} sentence(s) written to {files}{f': {parts}' if parts else ''}."
        return "\n".join([head, *(f"Note: {note}." for note in self.notes)])


def export_queue(
    findings: Path,
    output: Path,
    *,
    labels: Path,
    model: Path,
    candidate: Path,
    params: ReviewParams,
    size: int | None = None,
    blind: bool = False,
) -> ExportReport:
    """Choose sentences and write them as a review file.

    Args:
        findings: Findings table.
        output: File to write; its suffix says which format.
        labels: Folder of label files.
        model: Folder of the model that made the findings.
        candidate: Folder of a model to compare with; it need not be there.
        params: Settings of the section `review`.
        size: Sentences, in the place of `params.size`.
        blind: Whether to hide the model's view.

    Returns:
        What was written.

    Raises:
        UsageError: The format is unknown, or the findings are of another model.
        DataError: The findings or a label file are not as documented.
        ModelError: A model cannot be loaded.
    """
    check_suffix(output)
    table = load_findings(findings)
    config = load_config(model)
    versions = sorted(set(table["model_version"]) - {config.version})
    if versions:
        raise UsageError(
            f"{findings}: made by model {', '.join(map(str, versions))}, but {model} holds {config.version}, whose "
            "thresholds may differ; run `findings classify` again, or name the model's folder with --model."
        )
    rival, notes = _rival(candidate, config.version)
    labelled = given_labels(table, labels).notna().to_numpy() | reviewed_rows(table, resolve(read_events(labels)))
    if size is not None:
        params = replace(params, size=size)
    chosen = choose(table, labelled, config.thresholds, rival, params)
    if len(chosen) < params.size:
        notes.append(f"{params.size:,} were asked for, but no more are unlabelled and distinct")
    items = make_items(chosen, chosen["why"].tolist(), chosen["pool"].tolist(), output, findings.parent / PAGES_FOLDER)
    return _write(output, items, chosen["pool"].tolist(), notes, blind=blind)


def export_answered(findings: Path, output: Path, *, labels: Path, reviewer: str, blind: bool = False) -> ExportReport:
    """Write what a reviewer has answered, with the answers filled in, to look at again or to correct.

    Args:
        findings: Findings table.
        output: File to write; its suffix says which format.
        labels: Folder of label files.
        reviewer: Whose answers.
        blind: Whether to hide the model's view.

    Returns:
        What was written.

    Raises:
        UsageError: The format is unknown, or the reviewer has answered nothing.
        DataError: The findings or a reviewed file are not as documented.
    """
    check_suffix(output)
    events = [event for event in read_events(labels) if event.reviewer == check_reviewer(reviewer)]
    if not events:
        raise UsageError(f"--answered-by: {reviewer!r} has answered nothing in {labels}.")
    latest = {event.place: event for event in events}
    picks = {place: (event, f"answered by {reviewer} on {event.at[:10]}") for place, event in latest.items()}
    items, pools, notes = _items_of(findings, output, picks)
    return _write(output, items, pools, notes, blind=blind)


def export_conflicts(findings: Path, output: Path, *, labels: Path, blind: bool = False) -> ExportReport:
    """Write the sentences on which reviewers disagree, for an adjudicator to settle.

    Args:
        findings: Findings table.
        output: File to write; its suffix says which format.
        labels: Folder of label files.
        blind: Whether to hide the model's view and the reviewers' answers.

    Returns:
        What was written.

    Raises:
        UsageError: The format is unknown.
        DataError: The findings or a reviewed file are not as documented.
    """
    check_suffix(output)
    open_ones = {place: one for place, one in resolve(read_events(labels)).items() if one.event is None}
    picks = {place: (one.events()[0], describe_answers(one)) for place, one in open_ones.items()}
    items, pools, notes = _items_of(findings, output, picks)
    return _write(output, [replace(item, answer=None, comment="") for item in items], pools, notes, blind=blind)


def describe_answers(resolution: Resolution) -> str:
    """Say who gave which labels.

    Args:
        resolution: What is known of a sentence.

    Returns:
        "anna: strength; ben: none", with remarks in brackets.
    """
    return " | ".join(
        f"{event.reviewer}: {event.labels}{f' ({event.comment})' if event.comment else ''}"
        for event in sorted(resolution.events(), key=lambda one: one.reviewer)
    )


def _rival(candidate: Path, version: str) -> tuple[SentenceClassifier | None, list[str]]:
    """Load the candidate, where there is one and it is another model."""
    if not candidate.is_dir():
        return None, [f"no candidate in {candidate}: no sentences on which models differ"]
    rival = load_model(candidate)
    if rival.version == version:
        return None, [f"{candidate} is the model that made the findings: no sentences on which models differ"]
    return rival, []


def _items_of(
    findings: Path, output: Path, picks: dict[tuple[str, str], tuple[Event, str]]
) -> tuple[list[Item], list[str], list[str]]:
    """Describe sentences that were answered, with the answers of the events, in the order of the findings."""
    table = load_findings(findings).drop_duplicates(["document", "key"])
    places = pd.MultiIndex.from_frame(table[["document", "key"]])
    here = table[places.isin(list(picks))] if picks else table.head(0)
    found = [picks[place] for place in zip(here["document"], here["key"], strict=True)]
    pools = [event.pool for event, _ in found]
    items = make_items(here, [why for _, why in found], pools, output, findings.parent / PAGES_FOLDER)
    filled = [
        replace(item, answer=event.mask, comment=event.comment or "", model_version=event.model_version or "")
        for item, (event, _) in zip(items, found, strict=True)
    ]
    gone = len(picks) - len(found)
    notes = [f"{gone} answered sentence(s) are not in {findings}; name those findings with --findings"] if gone else []
    return filled, pools, notes


def _write(
    output: Path, items: Sequence[Item], pools: Sequence[str], notes: Sequence[str], *, blind: bool
) -> ExportReport:
    written = write_items(output, items, blind=blind)
    counts = {pool: list(pools).count(pool) for pool in dict.fromkeys(pools)}
    return ExportReport(tuple(written), counts, tuple(notes))
