"""Counts of labels by report and section: summary.csv, and the second sheet of the workbook."""

from array import array
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.classifier import PROBABILITY_COLUMNS
from pipeline.csv_tables import write_csv
from pipeline.labels import LABELS, NONE
from pipeline.summary import COUNTED, DESCRIBED, ReportSummary

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARY_FILE = "summary.csv"
SUMMARY_COLUMNS = (*DESCRIBED, "section", "sentences", "label", "count", "share", "expected")
_SHARES = tuple(f"share_{label}" for label in (*LABELS, NONE))
_EXPECTED = tuple(f"expected_{label}" for label in LABELS)
WIDE_COLUMNS = (*DESCRIBED, "section", "sentences", *COUNTED, *_SHARES, *_EXPECTED)
_SHARE_DIGITS, _EXPECTED_DIGITS = 4, 2


class SectionCounts:
    """Adds up findings by report and section; a report may come in several chunks."""

    def __init__(self) -> None:
        # What the report is → section → number of sentences, then by each of `COUNTED`, then the sums of each label's
        # probabilities; few bytes for many reports.
        self._found: dict[tuple[str | None, ...], dict[Any, array[float]]] = {}

    def add(self, table: "pa.Table", summary: ReportSummary) -> None:
        """Count findings of one report.

        Args:
            table: The findings, or a chunk of them; without a column `section` they count as one section.
            summary: What is known of the report.
        """
        sections = self._found.setdefault(tuple(summary.description()), {})
        flags = {name: table[name].to_pylist() for name in (*LABELS, "uncertain")}
        flags[NONE] = [not any(labels) for labels in zip(*(flags[label] for label in LABELS), strict=True)]
        columns = [flags[name] for name in COUNTED] + [table[name].to_pylist() for name in PROBABILITY_COLUMNS]
        start = 0
        # Sentences of a section mostly stand together: each run of them is added up at once.
        for section, run in groupby(_sections(table)):
            end = start + sum(1 for _ in run)
            found = sections.setdefault(section, array("d", [0.0] * (1 + len(columns))))
            for rank, count in enumerate((end - start, *(sum(column[start:end]) for column in columns))):
                found[rank] += count
            start = end

    def wide(self) -> Iterator[list[Any]]:
        """Yield one row a section with the values of `WIDE_COLUMNS`, in the order of the findings."""
        for described, section, found in self._rows():
            shares = [_share(found, label) for label in (*LABELS, NONE)]
            expected = [found[name] for name in _EXPECTED]
            yield [*described, section, found["sentences"], *(found[name] for name in COUNTED), *shares, *expected]

    def long(self) -> Iterator[list[Any]]:
        """Yield one row a section and label with the values of `SUMMARY_COLUMNS`, in the order of the findings."""
        for described, section, found in self._rows():
            for label in (*LABELS, NONE):
                counted = [found["sentences"], label, found[label], _share(found, label)]
                yield [*described, section, *counted, found.get(f"expected_{label}")]

    def _rows(self) -> Iterator[tuple[tuple[str | None, ...], Any, dict[str, float]]]:
        for described, sections in self._found.items():
            for section, found in sections.items():
                counts = dict(zip(("sentences", *COUNTED), map(int, found), strict=False))
                sums = (round(value, _EXPECTED_DIGITS) for value in found[1 + len(COUNTED) :])
                yield described, section, {**counts, **dict(zip(_EXPECTED, sums, strict=True))}


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


def _share(found: dict[str, float], label: str) -> float:
    return round(found[label] / found["sentences"], _SHARE_DIGITS)
