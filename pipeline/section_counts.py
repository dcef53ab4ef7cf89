"""Counts of labels by report and section: summary.csv, and the second sheet of the workbook."""

from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.csv_tables import write_csv
from pipeline.labels import LABELS, NONE
from pipeline.summary import COUNTED, DESCRIBED, ReportSummary

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARY_FILE = "summary.csv"
SUMMARY_COLUMNS = (*DESCRIBED, "section", "sentences", "label", "count", "share")
WIDE_COLUMNS = (*DESCRIBED, "section", "sentences", *COUNTED, *(f"share_{label}" for label in (*LABELS, NONE)))
_SHARE_DIGITS = 4


class SectionCounts:
    """Adds up findings by report and section; a report may come in several chunks."""

    def __init__(self) -> None:
        # What the report is → section → number of sentences, then by each of `COUNTED`; few bytes for many reports.
        self._found: dict[tuple[str | None, ...], dict[Any, array[int]]] = {}

    def add(self, table: "pa.Table", summary: ReportSummary) -> None:
        """Count findings of one report.

        Args:
            table: The findings, or a chunk of them; without a column `section` they count as one section.
            summary: What is known of the report.
        """
        sections = self._found.setdefault(tuple(summary.description()), {})
        flags = [table[name].to_pylist() for name in (*LABELS, "uncertain")]
        for (section, *given), count in Counter(zip(_sections(table), *flags, strict=True)).items():
            found = sections.setdefault(section, array("q", [0] * (1 + len(COUNTED))))
            counted = {**dict(zip((*LABELS, "uncertain"), given, strict=True)), NONE: not any(given[:-1])}
            for rank, flag in enumerate((True, *(counted[name] for name in COUNTED))):
                found[rank] += count * flag

    def wide(self) -> Iterator[list[Any]]:
        """Yield one row a section with the values of `WIDE_COLUMNS`, in the order of the findings."""
        for described, section, found in self._rows():
            shares = [_share(found, label) for label in (*LABELS, NONE)]
            yield [*described, section, found["sentences"], *(found[name] for name in COUNTED), *shares]

    def long(self) -> Iterator[list[Any]]:
        """Yield one row a section and label with the values of `SUMMARY_COLUMNS`, in the order of the findings."""
        for described, section, found in self._rows():
            for label in (*LABELS, NONE):
                yield [*described, section, found["sentences"], label, found[label], _share(found, label)]

    def _rows(self) -> Iterator[tuple[tuple[str | None, ...], Any, dict[str, int]]]:
        for described, sections in self._found.items():
            for section, found in sections.items():
                yield described, section, dict(zip(("sentences", *COUNTED), found, strict=True))


def write_summary(path: Path, counts: SectionCounts) -> None:
    """Write the table of counts and shares by report, section and label.

    Args:
        path: The CSV file.
        counts: What was counted.
    """
    write_csv(path, SUMMARY_COLUMNS, counts.long())


def _sections(table: "pa.Table") -> list[Any]:
    """Return the section of every row; a table of the user's may hold anything in that column."""
    if "section" not in table.column_names:
        return [None] * table.num_rows
    return [str(value) if isinstance(value, list | dict) else value for value in table["section"].to_pylist()]


def _share(found: dict[str, int], label: str) -> float:
    return round(found[label] / found["sentences"], _SHARE_DIGITS)
