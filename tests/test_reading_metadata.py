"""What documents say of themselves, and the outline that a person checks."""

import json
from pathlib import Path

import pytest

from pipeline.reading import Block, Metadata
from pipeline.reading.dates import parse_date
from pipeline.reading.grades import canonical_grade, heading_grade, row_grade
from pipeline.reading.metadata import canonical_provider, find_metadata
from pipeline.reading.outline import describe, render


@pytest.mark.parametrize(
    ("printed", "canonical"),
    [
        ("Metropolitan Borough of Aldmoor Council", "Aldmoor"),
        ("London Borough of Tressenby", "Tressenby"),
        ("Royal Borough of Stour and Mere", "Stour and Mere"),
        ("Aldmoor City Council", "Aldmoor"),
        ("Aldmoor Metropolitan Borough Council", "Aldmoor"),
        ("The County of Fenwold Council", "Fenwold"),
        ("Stour & Mere", "Stour and Mere"),
        ("City of London", "City of London"),
        ("City of Aldmoor", "Aldmoor"),
        ("North East Fenwold", "North East Fenwold"),
        ("Aldmoor Safeguarding Children Board", "Aldmoor"),
    ],
)
def test_canonical_provider(printed: str, canonical: str) -> None:
    assert canonical_provider(printed) == canonical


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            ["Inspection of Aldmoor local authority children’s services", "Inspection dates: 3 to 14 March 2025"],
            Metadata("inspection_report", "ILACS", "Aldmoor", None),
        ),
        (
            ["Aldmoor", "Inspection of children’s social care services"],
            Metadata("inspection_report", "ILACS", "Aldmoor", None),
        ),
        (
            [
                "Aldmoor Borough Council",
                "Inspection of services for children in need of help and protection, children looked after",
                "Report published: 5 January 2016",
            ],
            Metadata("inspection_report", "SIF", "Aldmoor", "2016-01-05"),
        ),
        (
            ["Focused visit to Aldmoor local authority children’s services"],
            Metadata("focused_visit", "ILACS", "Aldmoor", None),
        ),
        (
            ["Monitoring visit to Aldmoor children’s services"],
            Metadata("monitoring_visit", "ILACS", "Aldmoor", None),
        ),
        (
            ["Joint targeted area inspection of Aldmoor", "Published: 9 May 2023"],
            Metadata("inspection_report", "JTAI", None, "2023-05-09"),
        ),
        (
            ["Minutes of the Scrutiny Committee, Aldmoor Council", "3 March 2024"],
            Metadata("committee_minutes", None, "Aldmoor", "2024-03-03"),
        ),
        (["Aldmoor Council: improvement plan 2024"], Metadata("action_plan", None, "Aldmoor", None)),
        (["A few thoughts"], Metadata()),
    ],
)
def test_front_pages(lines: list[str], expected: Metadata) -> None:
    kinds = ["title"] + ["paragraph"] * (len(lines) - 1)
    blocks = [Block(kind, line, 1) for kind, line in zip(kinds, lines, strict=True)]
    assert find_metadata(blocks) == expected


def test_running_prose_is_not_taken_for_the_framework() -> None:
    prose = "Since a joint targeted area inspection in 2022 much has changed for children who live in Aldmoor, " * 3
    blocks = [
        Block("title", "Inspection of Aldmoor local authority children’s services", 1),
        Block("paragraph", prose, 1),
    ]
    assert find_metadata(blocks).framework == "ILACS"


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("8 August 2014", "2014-08-08"),
        ("1st of May 2023", "2023-05-01"),
        ("August 8, 2014", "2014-08-08"),
        ("3 Sept 2021", "2021-09-03"),
        ("08/09/2014", "2014-09-08"),
        ("2014-08-08", "2014-08-08"),
        ("31 February 2020", None),
        ("spring 2020", None),
    ],
)
def test_dates(text: str, iso: str | None) -> None:
    assert parse_date(text) == iso


def test_grades() -> None:
    assert canonical_grade("Requires improvement to be good") == "requires improvement"
    assert canonical_grade("good work") is None
    assert heading_grade("Care leavers: Good") == "good"
    assert heading_grade("The graded judgement is that services require improvement.") == "requires improvement"
    assert heading_grade("What needs to improve") is None
    assert row_grade("Care leavers Inadequate") == ("Care leavers", "inadequate")
    assert row_grade("Good") is None


def test_outline_of_a_document(tmp_path: Path) -> None:
    path = tmp_path / "plan.md"
    path.write_text("# Aldmoor Council: action plan\n\n## Care leavers: good\n\nWe act. We report.\n", encoding="utf-8")
    described = describe(path, debug=True)
    assert json.loads(json.dumps(described)) == described
    assert described["metadata"]["provider"] == "Aldmoor"
    assert described["sections"][1] == {
        "heading": "Care leavers: good",
        "level": 1,
        "page": None,
        "grade": "good",
        "sentences": 2,
    }
    assert [row["text"] for row in described["sentences"]][-2:] == ["We act.", "We report."]
    assert described["dropped"] == []
    text = render(described)
    assert "[good]" in text
    assert "We report." in text
    assert "dropped" not in describe(path)
