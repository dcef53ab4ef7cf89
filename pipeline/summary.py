"""Counts of labels by report."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.labels import LABELS, NONE
from pipeline.outputs import FAILURES_FILE

if TYPE_CHECKING:
    import pyarrow as pa

COUNTED = (*LABELS, NONE, "uncertain")
DESCRIBED = ("report", "report_id", "doc_type", "framework", "provider", "published")


@dataclass(frozen=True)
class ReportSummary:
    """What one report amounts to.

    Attributes:
        report: Name of the report.
        report_id: Its identifier; an empty string in tables that have none.
        doc_type: Kind of document, or None.
        framework: Inspection framework, or None.
        provider: Whom the report is about, or None.
        published: Date of publication, ISO 8601, or None.
        sentences: Number of sentences.
        counts: Number of sentences by each of `COUNTED`.
    """

    report: str
    report_id: str
    doc_type: str | None
    framework: str | None
    provider: str | None
    published: str | None
    sentences: int
    counts: dict[str, int]

    def share(self, name: str) -> float:
        """Return the share of sentences that carry a label.

        Args:
            name: One of `COUNTED`.

        Returns:
            A number from 0 to 1; 0 where there is no sentence.
        """
        return self.counts[name] / self.sentences if self.sentences else 0.0

    def description(self) -> list[str | None]:
        """Return the values of `DESCRIBED`."""
        return [getattr(self, name) for name in DESCRIBED]


def summarise(table: "pa.Table", *, report: str = "", report_id: str = "") -> ReportSummary:
    """Count the labels of one report.

    Args:
        table: Findings of the report.
        report: Its name, where the table has no such column.
        report_id: Its identifier, where the table has no such column.

    Returns:
        The summary.
    """
    there = [name for name in DESCRIBED if name in table.column_names]
    first = {name: table[name][0].as_py() if table.num_rows else None for name in there}
    # Arrow's functions to add and to compare take longer to load than all the rest.
    counts = {name: sum(chunk.true_count for chunk in table[name].chunks) for name in (*LABELS, "uncertain")}
    counts[NONE] = table["labels"].to_pylist().count(NONE)
    described = {name: None if first.get(name) is None else str(first[name]) for name in DESCRIBED}
    return ReportSummary(
        report=described["report"] or report,
        report_id=described["report_id"] or report_id,
        doc_type=described["doc_type"],
        framework=described["framework"],
        provider=described["provider"],
        published=described["published"],
        sentences=table.num_rows,
        counts={name: counts[name] for name in COUNTED},
    )


def split_reports(table: "pa.Table") -> "list[pa.Table]":
    """Divide findings by report.

    Args:
        table: Findings; without a column `report_id` or `report` they count as one report.

    Returns:
        One table a report, in the order of their first sentences.
    """
    import pyarrow.compute as pc

    by = next((name for name in ("report_id", "report") if name in table.column_names), None)
    if by is None or not table.num_rows:
        return [table]
    codes = table[by].combine_chunks().dictionary_encode(null_encoding="encode")
    if len(codes.dictionary) == 1:
        return [table]
    return [table.filter(pc.equal(codes.indices, code)) for code in range(len(codes.dictionary))]


def run_line(
    documents: int, sentences: int, counts: Mapping[str, int], failures: int, seconds: float, note: str = ""
) -> str:
    """Say in a line what a run labelled and what failed.

    Args:
        documents: Reports labelled.
        sentences: Sentences labelled.
        counts: Number of sentences by label, with `none`.
        failures: Number of documents that could not be read.
        seconds: Time taken.
        note: What to say of the reports beside their number.

    Returns:
        One or two sentences.
    """
    found = ", ".join(f"{counts[name]:,} {name}" for name in (*LABELS, NONE))
    lost = f" {failures:,} could not be read: see {FAILURES_FILE}." if failures else ""
    return f"{documents:,} report(s){note}, {sentences:,} sentences in {seconds:.1f} s: {found}.{lost}"


def total(summaries: Iterable[ReportSummary]) -> ReportSummary:
    """Add summaries up.

    Args:
        summaries: What to add.

    Returns:
        The sum; it has no name and no description.
    """
    found = list(summaries)
    counts = {name: sum(summary.counts[name] for summary in found) for name in COUNTED}
    return ReportSummary("", "", None, None, None, None, sum(summary.sentences for summary in found), counts)
