"""Text and Markdown reading."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading import read_document
from pipeline.reading.text_cleaning import strip_bullet

MARKDOWN = """# Minutes of the Scrutiny Committee

Aldmoor Council
===============

The committee met on 3 March. It heard
from the **director**.

## 2. Actions ##

- Visits will be
  checked weekly.
* A [report](https://example.org/x) follows
• Thanks were given

1. First numbered point.
2. Second numbered point.

| Action | Owner |
| --- | --- |
| Review | Head of Service |

> A quoted paragraph.
---
The end."""


def read(text: str | bytes, name: str = "minutes.md") -> list[tuple[str, str]]:
    content = text if isinstance(text, bytes) else text.encode()
    return [(block.kind, block.text) for block in read_document(Path(name), content).blocks]


def test_markdown() -> None:
    assert read(MARKDOWN) == [
        ("title", "Minutes of the Scrutiny Committee"),
        ("heading", "Aldmoor Council"),
        ("paragraph", "The committee met on 3 March. It heard from the director."),
        ("heading", "2. Actions"),
        ("bullet", "Visits will be checked weekly."),
        ("bullet", "A report follows"),
        ("bullet", "Thanks were given"),
        ("paragraph", "First numbered point."),
        ("paragraph", "Second numbered point."),
        ("table_row", "Action Owner"),
        ("table_row", "Review Head of Service"),
        ("paragraph", "A quoted paragraph."),
        ("paragraph", "The end."),
    ]


def test_plain_text_headings_stand_alone() -> None:
    text = "A statement from the council\n\nWhat we will do\n\nWe will act. We will report.\n\nOwner: Head of Service\n"
    assert read(text, "a.txt") == [
        ("title", "A statement from the council"),
        ("heading", "What we will do"),
        ("paragraph", "We will act. We will report."),
        ("paragraph", "Owner: Head of Service"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, end: str) -> None:
    text = f"The child’s plan is “good” – it works.{end}{end}It costs £5."
    assert read(text.encode(encoding), "a.txt") == [
        ("paragraph", "The child’s plan is “good” – it works."),
        ("paragraph", "It costs £5."),
    ]


@given(st.lists(st.text(alphabet="abcdefg ", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=6))
def test_every_paragraph_comes_back(paragraphs: list[str]) -> None:
    text = "\n\n".join(f"{paragraph}." for paragraph in paragraphs)
    assert [found for _, found in read(text, "a.txt")] == [" ".join(f"{p}.".split()) for p in paragraphs]


def test_underlined_questions_and_wrapped_headings() -> None:
    text = "Report\n======\n\nWhat is it like to be a child who\nneeds help here?\n----------------\n\nIt is good.\n"
    document = read_document(Path("a.txt"), text.encode())
    assert [(block.kind, block.text) for block in document.blocks] == [
        ("title", "Report"),
        ("heading", "What is it like to be a child who needs help here?"),
        ("paragraph", "It is good."),
    ]


def test_marked_headings_are_not_guessed_beside() -> None:
    marked = "Report\n======\n\n12 High Street, Aldmoor\n\n1. Findings\n-----------\n\nGood.\n\nStaff\n-----\n\nKind.\n"
    assert read(marked, "a.txt") == [
        ("title", "Report"),
        ("paragraph", "High Street, Aldmoor"),
        ("heading", "1. Findings"),
        ("paragraph", "Good."),
        ("heading", "Staff"),
        ("paragraph", "Kind."),
    ]


def test_rows_without_bars_at_their_sides() -> None:
    table = "Action | Owner\n--- | ---\n1. Visits | Head of Service"
    text = f"{table}\n\nLast judgement: good | Next visit\nin May 2025\n\nEnd."
    assert read(text) == [
        ("table_row", "Action Owner"),
        ("table_row", "1. Visits Head of Service"),
        ("table_row", "Last judgement: good Next visit in May 2025"),
        ("paragraph", "End."),
    ]


@pytest.mark.parametrize("mark", ["-", "–", "−", "―", "─", "\u0336", "•", "*"])
def test_every_mark_of_a_list_is_taken_off(mark: str) -> None:
    assert strip_bullet(f"{mark} seven children moved in with relatives") == (
        "seven children moved in with relatives",
        True,
    )
