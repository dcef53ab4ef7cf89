"""Metadata against a public overview of some of the reports."""

from pathlib import Path

from benchmarks.corpus import read_rows
from pipeline.reading import read_document
from pipeline.sentences import normalise

_GRADES = {
    "overall_effectiveness_grade": "overall effectiveness",
    "impact_of_leaders_grade": "impact of leaders",
    "help_and_protection_grade": "need help and protection",
    "in_care_grade": "children in care",
    "care_leavers_grade": "care leavers",
}
_GRADE_WORDS = ("outstanding", "good", "requires improvement", "inadequate")


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Count the documents that are right in each respect."""
    rows = read_rows(shared / "gold" / "report-metadata.csv")
    authority = grades = dates = published = 0
    for row in rows:
        found = read_document(shared / "reports" / row["report"]).metadata
        words = set(normalise(found.provider or "").split())
        authority += bool(words & set(normalise(row["local_authority"]).split()))
        grades += all(
            row[column] in [grade for name, grade in found.judgements if words in name.casefold()][:1]
            for column, words in _GRADES.items()
            if row[column] in _GRADE_WORDS
        )
        expected = (row["inspection_start_date"], row["inspection_end_date"])
        dates += (found.inspection_start, found.inspection_end) == expected
        published += found.published in (None, row["publication_date"])
    of = f"{len(rows)} of {len(rows)}"
    return [
        ("provider", f"{authority} of {len(rows)}", of),
        ("all grades", f"{grades} of {len(rows)}", of),
        ("first and last day of the inspection", f"{dates} of {len(rows)}", of),
        ("publication date right, or not printed and left empty", f"{published} of {len(rows)}", of),
    ]
