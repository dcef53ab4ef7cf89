"""Contents pages and closing boilerplate have kinds of their own; body text never has."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from pipeline.reading import KINDS, Block, read_document
from pipeline.reading.matter import mark_matter
from pipeline.sentences import sentence_table

BODY = ("paragraph", "Staff are kind, and plans are clear.")


def kinds(*lines: tuple[str, str]) -> list[str]:
    return [block.kind for block in mark_matter([Block(kind, text) for kind, text in lines])]


def test_entries_below_the_heading_are_contents() -> None:
    assert kinds(
        ("heading", "Contents"),
        ("table_row", "Executive summary 2"),
        ("paragraph", "The experiences of children who"),
        ("table_row", "need help ........ 11"),
        ("table_row", "Recommendations 24"),
        ("heading", "Executive summary"),
        ("paragraph", "The number of visits rose to 24"),
        BODY,
    ) == ["heading", *["contents"] * 4, "heading", "paragraph", "paragraph"]


def test_a_heading_contents_over_prose_changes_nothing() -> None:
    lines = [("heading", "Contents"), BODY, BODY, ("paragraph", "In all 12"), BODY]
    assert kinds(*lines) == [kind for kind, _ in lines]


def test_imprint_is_boilerplate_and_one_clue_is_not() -> None:
    assert kinds(
        BODY,
        ("paragraph", "If you would like a copy of this document in a different format, please write to us."),
        ("paragraph", "The Aldmoor Inspectorate, 12 Mill Lane, Aldmoor AL1 2WD"),
        ("paragraph", "Please be patient."),
        ("paragraph", "T: 0300 555 0100"),
        ("paragraph", "© Crown copyright 2025"),
    ) == ["paragraph", *["boilerplate"] * 5]
    assert kinds(BODY, ("paragraph", "The leaflet is offered in a different format."), BODY) == ["paragraph"] * 3


def test_contents_are_whole_and_boilerplate_belongs_to_no_section() -> None:
    text = "# Report\n\n## Contents\n\n| Summary. All of it 2 |\n| Findings 3 |\n| Advice 4 |\n\n"
    text += "## Findings\n\nStaff are kind.\n\n"
    text += "© Crown copyright 2025\n\nTextphone: 0300 555 0100\n"
    table = sentence_table(read_document(Path("a.md"), text.encode()), "a.md", "0")
    rows = list(zip(table["kind"].to_pylist(), table["text"].to_pylist(), table["section"].to_pylist(), strict=True))
    assert ("contents", "Summary. All of it 2", "Contents") in rows
    assert rows[-2:] == [
        ("boilerplate", "© Crown copyright 2025", None),
        ("boilerplate", "Textphone: 0300 555 0100", None),
    ]


@given(st.lists(st.tuples(st.sampled_from(KINDS[:5]), st.sampled_from(["Contents", "A 1", "©", "Kind.", "AL1 2WD"]))))
def test_only_kinds_change(lines: list[tuple[str, str]]) -> None:
    blocks = [Block(kind, text) for kind, text in lines]
    marked = mark_matter(blocks)
    assert [block.text for block in marked] == [block.text for block in blocks]
    for before, after in zip(blocks, marked, strict=True):
        assert after.kind in (before.kind, "contents", "boilerplate")
        assert before.kind not in ("heading", "title") or after.kind == before.kind
