"""What documents say of themselves, and the outline that a person checks."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading import Block, Metadata
from pipeline.reading.dates import parse_date, parse_range
from pipeline.reading.grades import canonical_grade, heading_grade, row_grade
from pipeline.reading.judgements import find_judgements
from pipeline.reading.metadata import find_metadata
from pipeline.reading.outline import describe, render
from pipeline.reading.providers import canonical_provider, find_urn


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
            Metadata(
                "inspection_report", "ILACS", "Aldmoor", inspection_start="2025-03-03", inspection_end="2025-03-14"
            ),
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


@pytest.mark.parametrize("dash", ["to", "-", "–", "—", "―", "─", "−"])
def test_inspection_dates_with_any_dash(dash: str) -> None:
    blocks = [
        Block("title", "Inspection of Aldmoor local authority children’s services", 1),
        Block("paragraph", f"Inspection dates: 20 June 2017 {dash} 13 July 2017", 1),
    ]
    found = find_metadata(blocks)
    assert (found.inspection_start, found.inspection_end) == ("2017-06-20", "2017-07-13")


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


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("31 October to 11 November 2022", ("2022-10-31", "2022-11-11")),
        ("20 January 2015 – 11 February 2015", ("2015-01-20", "2015-02-11")),
        ("16 and 17 January 2024", ("2024-01-16", "2024-01-17")),
        ("12 December to 6 January 2023", ("2022-12-12", "2023-01-06")),
        ("12/09/2016 to 06/10/2016", ("2016-09-12", "2016-10-06")),
        ("2016-09-12 to 2016-10-06", ("2016-09-12", "2016-10-06")),
        ("3rd of May 2023", ("2023-05-03", "2023-05-03")),
        ("5 to 9 December 2022 and 14 to 15 February 2023", ("2022-12-05", "2022-12-09")),
        ("1–3 March 2024 and 10 March 2024", ("2024-03-01", "2024-03-03")),
        ("9 to 13 and 16 to 20 March 2020", ("2020-03-09", "2020-03-20")),
        ("1 March 2024 and 10 March 2024", ("2024-03-01", "2024-03-10")),
        ("9 to 3 May 2023", None),
        ("30 and 31 February 2024", None),
        ("14 and 15", None),
        ("in May", None),
    ],
)
def test_ranges(text: str, days: tuple[str, str] | None) -> None:
    assert parse_range(text) == days


@given(st.dates(date(1950, 1, 1), date(2090, 12, 31)), st.integers(0, 200))
def test_any_printed_range_comes_back(first: date, length: int) -> None:
    last = first + timedelta(days=length)
    year = f" {first.year}" if first.year != last.year else ""
    text = f"Inspection dates: {first.day} {first:%B}{year} to {last.day} {last:%B} {last.year}"
    metadata = find_metadata([Block("title", "Inspection of Aldmoor local authority children’s services", 1)])
    assert metadata.inspection_start is None
    metadata = find_metadata(
        [Block("title", "Inspection of Aldmoor children’s services", 1), Block("paragraph", text, 1)]
    )
    assert (metadata.inspection_start, metadata.inspection_end) == (first.isoformat(), last.isoformat())


def test_a_letter_names_the_days_of_its_visit() -> None:
    blocks = [
        Block("title", "Focused visit to Aldmoor children’s services", 1),
        Block("paragraph", "This letter sets out what inspectors found when they visited on 14 and 15 May 2021.", 1),
        Block("paragraph", "The service was judged good on 3 March 2019.", 1),
    ]
    assert find_metadata(blocks).inspection_start == "2021-05-14"
    assert find_metadata(blocks).inspection_end == "2021-05-15"
    assert find_metadata(blocks[:1] + blocks[2:]).inspection_start is None


def judged(*lines: tuple[str, str]) -> list[tuple[str, str]]:
    return list(find_judgements([Block(kind, text) for kind, text in lines]))


def test_judgements_of_a_table_are_not_repeated_by_headings() -> None:
    found = judged(
        ("table_row", "Judgement Grade"),
        ("table_row", "The experiences and progress of children in care Requires improvement to be good"),
        ("table_row", "Overall effectiveness Good"),
        ("table_row", "Overall effectiveness at previous inspection Inadequate"),
        ("heading", "The experiences and progress of children in care: requires improvement to be good"),
        ("heading", "The impact of leaders: outstanding"),
        ("heading", "What needs to be good"),
        ("paragraph", "Services for care leavers are good."),
    )
    assert found == [
        ("The experiences and progress of children in care", "requires improvement"),
        ("Overall effectiveness", "good"),
        ("The impact of leaders", "outstanding"),
    ]


def test_judgements_in_sentences_and_broken_rows() -> None:
    found = judged(
        ("heading", "Children’s services in Aldmoor require improvement to be good"),
        ("paragraph", "Children looked after and achieving"),
        ("table_row", "permanence Good"),
        ("heading", "The graded judgement for adoption performance is that it is outstanding"),
        ("heading", "The Local Safeguarding Children Board (LSCB) is inadequate"),
        ("heading", "Help for families"),
        ("paragraph", "Good"),
    )
    assert found == [
        ("Overall effectiveness", "requires improvement"),
        ("Children looked after and achieving permanence", "good"),
        ("Adoption performance", "outstanding"),
        ("Local Safeguarding Children Board", "inadequate"),
        ("Help for families", "good"),
    ]
    assert judged(("heading", "Services"), ("paragraph", "The overall judgement is good")) == [
        ("Overall effectiveness", "good")
    ]


def test_headlines_are_no_judgements() -> None:
    blocks = [Block("title", "Council vows to act: services inadequate"), Block("paragraph", "COUNCILLORS met today.")]
    assert find_judgements(blocks, tables_only=True) == ()
    rows = [Block("table_row", "Staffing: good; Planning: requires improvement; Records: inadequate")]
    assert find_judgements(rows)[1:] == (("Planning", "requires improvement"), ("Records", "inadequate"))


def test_reference_number() -> None:
    assert find_urn([Block("paragraph", "Unique reference number: SC9980277 Registered provider: X")]) == "SC9980277"
    assert find_urn([Block("table_row", "URN 80123")]) == "80123"
    assert find_urn([Block("paragraph", "We return 80123 forms.")]) is None


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        (["COUNCILLORS clashed on Monday.", "It was loud.", "They met again."], "news_article"),
        (["The mayor spoke.", "He told the Echo that it was time.", "They agreed."], "news_article"),
        (["Our council has changed.", "We know that we were slow.", "We will act."], "council_statement"),
        (["The council met.", "“We will act,” she said. “Our staff know.”", "They agreed."], "unknown"),
    ],
)
def test_voice_tells_news_from_statements(prose: list[str], expected: str) -> None:
    blocks = [Block("title", "Good result for Aldmoor"), *(Block("paragraph", text) for text in prose)]
    assert find_metadata(blocks).doc_type == expected


def test_grades() -> None:
    assert canonical_grade("Requires improvement to be good") == "requires improvement"
    assert canonical_grade("good work") is None
    assert heading_grade("Care leavers: Good") == "good"
    assert heading_grade("The graded judgement is that services require improvement.") == "requires improvement"
    assert heading_grade("What needs to improve") is None
    assert row_grade("Care leavers Inadequate") == ("Care leavers", "inadequate")
    assert row_grade("Good") is None
    assert row_grade("2. Care leavers: Requires Improvement to be Good*") == ("Care leavers", "requires improvement")
    assert row_grade("Care leavers – OUTSTANDING.") == ("Care leavers", "outstanding")
    assert row_grade("Care leavers Outstanding\n") == ("Care leavers", "outstanding")
    assert row_grade("Outstanding work with care leavers") is None


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
