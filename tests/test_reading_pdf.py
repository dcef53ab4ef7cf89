"""PDF reading: small authored documents, drawn with reportlab, come back as the blocks that they show."""

import pytest

from pipeline.sentences import sentence_table
from tests.drawing import FULL, HANG, LEFT, RIGHT, TOP, Page, draw, read, texts


def test_wrapped_lines_become_one_paragraph() -> None:
    def page(p: Page) -> None:
        p.line(f"{FULL}, which")
        p.line("helps them to plan. Staff are supported.")
        p.space()
        p.line("A second paragraph stands below a gap.")

    assert texts(read(draw(page)), "paragraph") == [
        f"{FULL}, which helps them to plan. Staff are supported.",
        "A second paragraph stands below a gap.",
    ]


def test_paragraph_goes_on_over_page_end_without_running_lines() -> None:
    def first(p: Page) -> None:
        for number in range(20):
            p.line(f"{number + 1}. A short finding that stands alone.")
            p.space()
        p.y = 80
        p.line("21. Social workers visit children often and they write down what", LEFT)

    def second(p: Page) -> None:
        p.line("children say. Plans follow from that.", HANG)
        p.space()
        p.line("22. Care leavers have homes that suit them.")

    document = read(draw(first, second, head="Inspection of Aldmoor", foot=True))
    block = next(block for block in document.blocks if block.text.startswith("Social workers visit"))
    assert (
        block.text
        == "Social workers visit children often and they write down what children say. Plans follow from that."
    )
    assert block.page == 1
    assert block.page_at(block.text.index("Plans")) == 2
    assert "Inspection of Aldmoor" in document.dropped
    assert "3 to 14 March 2025 2" in document.dropped
    assert not any("Inspection of Aldmoor" in block.text for block in document.blocks)
    table = sentence_table(document, "report.pdf", "0" * 16).to_pandas()
    assert table.set_index("text").loc["Plans follow from that.", "page"] == 2


def test_headings_are_told_by_type_and_ranked() -> None:
    def page(p: Page) -> None:
        p.line("Inspection of Aldmoor local authority children's services", size=20, step=40)
        p.line("A heading nobody has used before", size=15, bold=True, step=24)
        p.line(f"{FULL}.")
        p.space()
        p.line("A minor heading", bold=True, step=24)
        p.line("Text below it ends here.")

    blocks = read(draw(page)).blocks
    assert [(block.kind, block.level) for block in blocks] == [
        ("title", 0),
        ("heading", 1),
        ("paragraph", 0),
        ("heading", 2),
        ("paragraph", 0),
    ]


def test_heading_over_two_lines_is_one_and_carries_its_grade() -> None:
    def page(p: Page) -> None:
        p.line("Aldmoor", size=20, step=40)
        p.line("The experiences and progress of children who need help and", size=14, bold=True, step=17)
        p.line("protection: requires improvement to be good", size=14, bold=True, step=26)
        p.line("Some children wait too long. Others do not.")

    table = sentence_table(read(draw(page)), "report.pdf", "0" * 16).to_pandas()
    assert table["kind"].tolist() == ["title", "heading", "paragraph", "paragraph"]
    assert set(table["section_grade"][1:]) == {"requires improvement"}


def test_bullets_with_hanging_lines() -> None:
    def page(p: Page) -> None:
        p.line("What needs to improve:")
        p.line("•", LEFT, step=0)
        p.line("The quality of plans for children who are in need of help, and", HANG)
        p.line("how soon they are shared.", HANG)
        p.line("• The recording of supervision.")
        p.space()
        p.line("Other work is sound.")

    document = read(draw(page))
    assert texts(document, "bullet") == [
        "The quality of plans for children who are in need of help, and how soon they are shared.",
        "The recording of supervision.",
    ]
    assert texts(document, "paragraph") == ["What needs to improve:", "Other work is sound."]


def test_numbers_go_but_figures_stay() -> None:
    def page(p: Page) -> None:
        p.line("9. The number of agency staff has fallen since the last inspection from 66 to")
        p.line("44. Leaders have a plan for the rest.", HANG)
        p.space()
        p.line("10. 391 children are taught at home.")
        p.space()
        p.line("11.No space stands after this number.")

    assert texts(read(draw(page)), "paragraph") == [
        "The number of agency staff has fallen since the last inspection from 66 to 44. "
        "Leaders have a plan for the rest.",
        "391 children are taught at home.",
        "No space stands after this number.",
    ]


def test_judgement_table_gives_one_row_a_judgement() -> None:
    def page(p: Page) -> None:
        p.line("Inspection of Aldmoor local authority children's services", size=20, step=40)
        p.line("Area looked at", bold=True, step=0)
        p.line("Grade", RIGHT, bold=True, step=24)
        p.line("How leaders shape social work")
        p.line("practice with every family")
        p.y += 2 * 14.5
        p.line("Good", RIGHT, step=2 * 14.5 + 12)
        p.line("Overall effectiveness", step=0)
        p.line("Outstanding", RIGHT, step=40)
        p.line(f"{FULL}, and so on.")

    document = read(draw(page))
    assert texts(document, "table_row") == [
        "Area looked at Grade",
        "How leaders shape social work practice with every family Good",
        "Overall effectiveness Outstanding",
    ]
    assert texts(document, "paragraph") == [f"{FULL}, and so on."]


def test_two_columns_do_not_interleave() -> None:
    left = [f"left column line number {number} is here" for number in range(12)]
    right = [f"right column line number {number} is there" for number in range(12)]

    def page(p: Page) -> None:
        for line in left:
            p.line(line, size=10)
        p.y = TOP
        for line in right:
            p.line(line, RIGHT, size=10)

    text = " ".join(block.text for block in read(draw(page)).blocks)
    assert [text.index(line) for line in left + right] == sorted(text.index(line) for line in left + right)


def test_footnote_stands_apart_from_the_sentence_it_interrupts() -> None:
    def first(p: Page) -> None:
        p.line("The board was set up in spring. It meets each month and reports to the")
        p.y = 80
        p.line("1 The board has twelve members.", size=9)

    def second(p: Page) -> None:
        p.line("council. It is chaired well.")

    assert texts(read(draw(first, second)), "paragraph") == [
        "The board was set up in spring. It meets each month and reports to the council. It is chaired well.",
        "The board has twelve members.",
    ]


def test_footnote_mark_is_taken_off_its_word() -> None:
    def page(p: Page) -> None:
        p.line("Leaders work with the safeguarding board", step=0)
        width = p.canvas.stringWidth("Leaders work with the safeguarding board", "Helvetica", 12)
        p.y += 4
        p.line("1", LEFT + width, size=6, step=4)
        p.line(" and with schools.", LEFT + width + 4)

    assert "board and with schools." in " ".join(texts(read(draw(page)), "paragraph"))


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [("well-", "being is good", "well-being"), ("16-", "and 17-year-olds", "16- and 17-year-olds")],
)
def test_hyphen_at_line_end_stays(first: str, second: str, joined: str) -> None:
    def page(p: Page) -> None:
        p.line(f"{FULL[:60]} about {first}")
        p.line(f"{second} here.")

    assert joined in texts(read(draw(page)), "paragraph")[0]


def test_private_use_bullet_is_a_bullet() -> None:
    from pipeline.reading.text_cleaning import clean_characters, strip_bullet

    for mark in "\uf0b7\uf0a7\uf06e\uf02d\uf0be":
        assert strip_bullet(clean_characters(f"{mark} Plans improve.")) == ("Plans improve.", True)


def test_characters_are_normalised() -> None:
    from pipeline.reading.text_cleaning import clean_characters

    assert (
        clean_characters("e\ufb03cient\u00a0sta\ufb00 co\u00adoperate non\u2011stop")
        == "efficient staff cooperate non-stop"
    )


def test_cover_titles_joined_by_a_lone_word_are_one_heading() -> None:
    def page(p: Page) -> None:
        p.line("Borough of Aldmoor", size=24)
        p.space()
        p.line("Survey of services for families", size=14, bold=True, step=23)
        p.line("and", size=14, step=23)
        p.line("Review of the partnership", size=14, bold=True)
        p.line("board", size=14, bold=True)
        p.space(24)
        p.line("The work of the partnership is", size=14, step=16)
        p.line("requires improvement", size=14, bold=True)
        p.space()
        for _ in range(8):
            p.line(f"{FULL}.")

    assert texts(read(draw(page)), "heading") == [
        "Survey of services for families and Review of the partnership board",
        "The work of the partnership is requires improvement",
    ]


def test_judgements_of_one_table_are_rows_however_their_cells_wrap() -> None:
    def page(p: Page) -> None:
        def grade(*lines: str, up: float = 7) -> None:
            y = p.y
            p.y += up
            for line in lines:
                p.line(line, x=410, bold=True)
            p.y = y - 30

        for _ in range(8):
            p.line(f"{FULL}.")
        p.space()
        for name, bold in (("1. Families who need early help", True), ("2.1 Fostering performance", False)):
            y = p.y
            p.line(name, x=72 if bold else 126, bold=bold)
            p.y = y
            grade("Requires", "improvement")
        p.line("2.2 Experiences and progress of young people who leave", x=126, step=0)
        p.line("Good", x=450, step=30)
        p.line("3. Leaders and managers", bold=True, step=0)
        grade("Requires", "improvement")

    assert texts(read(draw(page)), "table_row") == [
        "1. Families who need early help Requires improvement",
        "2.1 Fostering performance Requires improvement",
        "2.2 Experiences and progress of young people who leave Good",
        "3. Leaders and managers Requires improvement",
    ]
