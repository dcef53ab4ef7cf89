"""Counts and shares by report, section and label."""

import csv

import pyarrow as pa
import pytest

from pipeline.labels import LABELS
from pipeline.section_counts import SUMMARY_COLUMNS, WIDE_COLUMNS, SectionCounts, write_summary
from pipeline.summary import summarise, total
from tests.test_outputs import findings

SECTIONS = ["Leaders", None, "=Help", "Leaders"]


def counted(*tables):
    counts = SectionCounts()
    for table in tables:
        counts.add(table, summarise(table, report="mine.csv"))
    return counts


def wide(counts):
    return [dict(zip(WIDE_COLUMNS, row, strict=True)) for row in counts.wide()]


def test_counts_add_up_by_section_in_the_order_of_the_document():
    rows = wide(counted(findings(["A.", "B.", "C.", "D."], sections=SECTIONS)))
    assert [(row["section"], row["sentences"]) for row in rows] == [("Leaders", 2), (None, 1), ("=Help", 1)]
    first = rows[0]
    assert [first[name] for name in ("strength", "weakness", "commitment", "none", "uncertain")] == [1, 1, 0, 1, 1]
    assert [first[name] for name in ("share_strength", "share_commitment", "share_none")] == [0.5, 0, 0.5]


def test_probabilities_add_up_over_sections_and_chunks():
    tables = [findings([f"{letter}{place}." for place in range(4)], sections=SECTIONS) for letter in "AB"]
    rows = wide(counted(*tables))
    whole = pa.concat_tables(tables).to_pandas()
    for label in LABELS:
        by_section = whole.groupby("section", dropna=False, sort=False)[f"p_{label}"].sum()
        assert [row[f"expected_{label}"] for row in rows] == pytest.approx(by_section.to_list(), abs=0.0051)


def test_chunks_of_one_report_are_one_report():
    one, two = findings(["A."], sections=["S"]), findings(["B."], sections=["S"])
    assert [row["sentences"] for row in wide(counted(one, two))] == [2]
    assert [row["report"] for row in wide(counted(one, findings(["B."], "b.pdf", "1" * 16)))] == ["a.pdf", "b.pdf"]


def test_a_table_of_other_columns_counts_as_it_can():
    table = findings(["A.", "B."])
    plain = table.select(["text", *table.column_names[-9:]])
    assert [(row["report"], row["section"], row["sentences"]) for row in wide(counted(plain))] == [
        ("mine.csv", None, 2)
    ]
    nested = plain.append_column("section", pa.array([[1], [1]]))
    assert [row["section"] for row in wide(counted(nested))] == ["[1]"]


def test_summary_csv_has_a_row_a_label(tmp_path):
    write_summary(tmp_path / "summary.csv", counted(findings(["A.", "B.", "C.", "D."], sections=SECTIONS)))
    with (tmp_path / "summary.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == SUMMARY_COLUMNS
    assert [row["label"] for row in rows] == ["strength", "weakness", "commitment", "none"] * 3
    assert [row["section"] for row in rows[::4]] == ["Leaders", "", "'=Help"]
    assert (rows[0]["report"], rows[0]["sentences"], rows[0]["count"], rows[0]["share"]) == ("a.pdf", "2", "1", "0.5")


def test_no_findings_are_a_header(tmp_path):
    write_summary(tmp_path / "summary.csv", counted(findings([])))
    assert (tmp_path / "summary.csv").read_text(encoding="utf-8-sig") == ",".join(SUMMARY_COLUMNS) + "\n"


def test_totals_of_reports():
    first, second = summarise(findings(["A.", "B."])), summarise(findings(["C."], "b.pdf", "1" * 16))
    both = total([first, second])
    assert (both.sentences, both.counts["strength"], both.counts["none"], both.counts["uncertain"]) == (3, 2, 1, 1)
    assert summarise(findings([]), report="empty.pdf").share("strength") == 0
