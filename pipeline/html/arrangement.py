"""Findings → what a page shows: everything that takes thought happens here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import TYPE_CHECKING, Any

from pipeline.html.views import (
    LETTERS,
    GroupView,
    IndexView,
    ModelNote,
    ReportLink,
    ReportView,
    SectionView,
    SentenceView,
)
from pipeline.labels import LABELS, NONE
from pipeline.summary import ReportSummary, total

if TYPE_CHECKING:
    import pyarrow as pa

_OPTIONAL = ("page", "section", "section_grade", "kind", "paragraph", "position")
_GROUPS = {"title": "heading", "heading": "heading", "bullet": "bullets", "table_row": "rows"}
_OPENING = "Opening of the document"


def build_index(
    reports: Iterable[ReportLink],
    failures: Iterable[tuple[str, str]],
    files: Iterable[str],
    model: ModelNote,
    moved: Sequence[str] = (),
) -> IndexView:
    """Gather the index.

    Args:
        reports: Rows.
        failures: (file, reason) of documents that could not be read.
        files: Names of the files with all findings.
        model: The model.
        moved: In plain words what is unlike the training data.

    Returns:
        The view.
    """
    rows = list(reports)
    return IndexView(rows, total(row.summary for row in rows), list(failures), list(files), model, list(moved))


def link_report(summary: ReportSummary, href: str | None) -> ReportLink:
    """Describe a report for the index.

    Args:
        summary: Its counts.
        href: Address of its page.

    Returns:
        The row.
    """
    return ReportLink(_title(summary), _kind(summary.doc_type), _date(summary.published), summary, href)


def build_report(
    table: "pa.Table",
    summary: ReportSummary,
    model: ModelNote,
    reasons: Sequence[Mapping[str, Sequence[str]]] | None = None,
) -> ReportView:
    """Arrange the findings of one report as a document.

    Args:
        table: Findings; columns of a sentence table other than `text` may be missing.
        summary: Their counts.
        model: The model.
        reasons: For each sentence and each label that it has, the words that speak for it.

    Returns:
        The view.
    """
    rows = _rows(table, reasons or [{}] * table.num_rows)
    sections = [_section(number, part) for number, part in enumerate(_by_section(rows), start=1)]
    return ReportView(
        title=_title(summary),
        kind=_kind(summary.doc_type),
        framework=summary.framework,
        published=_date(summary.published),
        summary=summary,
        sections=sections,
        model=model,
    )


@dataclass(frozen=True)
class _Row:
    """A sentence with its place in the document."""

    sentence: SentenceView
    section: str | None
    grade: str | None
    kind: str
    paragraph: Any


def _rows(table: "pa.Table", reasons: Sequence[Mapping[str, Sequence[str]]]) -> list[_Row]:
    """Read the columns that matter; what a table lacks is filled with what means nothing."""
    names = [name for name in _OPTIONAL if name in table.column_names]
    columns = {name: table[name].to_pylist() for name in (*names, "text", *LABELS, "uncertain")}
    scores = [table[f"p_{label}"].to_pylist() for label in LABELS]
    positions = columns.get("position", [])
    numbers = positions if _are_ranks(positions) else range(1, table.num_rows + 1)
    rows: list[_Row] = []
    last_page = None
    for rank, number in enumerate(numbers):
        labels = tuple(label for label in LABELS if columns[label][rank])
        page = columns["page"][rank] if "page" in columns else None
        sentence = SentenceView(
            number=number,
            text=columns["text"][rank],
            labels=labels,
            letters="".join(LETTERS[label] for label in labels),
            scores={label: percent(column[rank]) for label, column in zip(LABELS, scores, strict=True)},
            reasons=reasons[rank],
            uncertain=columns["uncertain"][rank],
            page=page,
            turns_page=page is not None and page != last_page,
        )
        last_page = page if page is not None else last_page
        rows.append(
            _Row(
                sentence,
                section=columns["section"][rank] if "section" in columns else None,
                grade=columns["section_grade"][rank] if "section_grade" in columns else None,
                kind=(columns["kind"][rank] if "kind" in columns else None) or "paragraph",
                paragraph=columns["paragraph"][rank] if "paragraph" in columns else rank,
            )
        )
    return rows


def _are_ranks(values: Sequence[Any]) -> bool:
    """Tell whether values can serve as link targets."""
    return bool(values) and all(type(value) is int for value in values) and len(set(values)) == len(values)


def _by_section(rows: Sequence[_Row]) -> list[list[_Row]]:
    return [list(part) for _, part in groupby(rows, key=lambda row: row.section)]


def _section(number: int, rows: Sequence[_Row]) -> SectionView:
    """Arrange one section: its heading, then groups of equal kind, each divided by paragraph."""
    heading: list[SentenceView] = []
    if _GROUPS.get(rows[0].kind) == "heading":
        first = rows[0].paragraph
        heading = [row.sentence for row in rows if row.paragraph == first]
    below = rows[len(heading) :]
    groups = [
        GroupView(kind, [[row.sentence for row in block] for _, block in groupby(part, key=lambda row: row.paragraph)])
        for kind, part in groupby(below, key=lambda row: _GROUPS.get(row.kind, "paragraphs"))
    ]
    name = " ".join(sentence.text for sentence in heading) or rows[0].section or _OPENING
    counts = {label: sum(label in row.sentence.labels for row in rows) for label in LABELS}
    counts[NONE] = sum(not row.sentence.labels for row in rows)
    counts["sentences"] = len(rows)
    return SectionView(number, name, rows[-1].grade, heading, groups, counts)


def percent(probability: float) -> str:
    """Write a probability for people.

    Args:
        probability: From 0 to 1.

    Returns:
        Whole percent; what is nearly impossible or certain says so instead of 0% and 100%.

    Example:
        >>> percent(0.234), percent(0.001), percent(0.999)
        ('23%', '<1%', '>99%')
    """
    if probability < 0.01:
        return "<1%"
    if probability > 0.99:
        return ">99%"
    return f"{probability:.0%}"


def _title(summary: ReportSummary) -> str:
    return summary.provider or summary.report or "Sentences"


def _kind(doc_type: str | None) -> str:
    return doc_type.replace("_", " ").capitalize() if doc_type and doc_type != "unknown" else "Document"


def _date(published: str | None) -> str | None:
    """Write an ISO date in words; anything else stays as it is."""
    try:
        day = date.fromisoformat(published or "")
    except ValueError:
        return published or None
    return f"{day.day} {day:%B %Y}"
