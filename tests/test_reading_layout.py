"""Lines → blocks: what is text though it is set like a heading, and headings that keep their number."""

from tests.drawing import FULL, HANG, LEFT, Page, draw, read, texts


def test_last_words_in_bold_belong_to_their_sentence() -> None:
    def page(p: Page) -> None:
        p.line("The board", size=15, bold=True, step=24)
        p.line(f"{FULL}, and their work is")
        p.line("inadequate.", bold=True)
        p.space()
        p.line("What has to be done", bold=True, step=24)
        p.line(f"{FULL}.")

    blocks = [(block.kind, block.text) for block in read(draw(page)).blocks]
    assert blocks[1:3] == [
        ("paragraph", f"{FULL}, and their work is inadequate."),
        ("heading", "What has to be done"),
    ]


def test_bullets_in_large_type_are_no_headings() -> None:
    def first(p: Page) -> None:
        for _ in range(30):
            p.line(f"{FULL}.", size=11)

    def second(p: Page) -> None:
        p.line("A page for children", bold=True, size=16, step=30)
        for _ in range(2):
            p.line("•  Your social worker may change, and this means that you might have", size=14, step=17)
            p.line("to keep telling your story. People at", LEFT + 18, size=14, step=17)
            p.line("Aldmoor Council know this and will help you.", LEFT + 18, size=14, step=24)

    expected = (
        "Your social worker may change, and this means that you might have to keep telling your story. "
        "People at Aldmoor Council know this and will help you."
    )
    assert texts(read(draw(first, second)), "bullet") == [expected, expected]


def test_headings_keep_their_number_paragraphs_do_not() -> None:
    def page(p: Page) -> None:
        p.line("Services in Aldmoor", size=20, step=40)
        p.line("2. Court work", size=13, bold=True, step=24)
        p.line("1. Reports are clear and courts", step=14.5)
        p.line("trust them.", HANG)
        p.space()
        p.line("2.1 Staff: good", size=13, bold=True, step=24)
        for _ in range(4):
            p.line(f"{FULL}.")

    blocks = [(block.kind, block.text) for block in read(draw(page)).blocks]
    assert blocks[1:4] == [
        ("heading", "2. Court work"),
        ("paragraph", "Reports are clear and courts trust them."),
        ("heading", "2.1 Staff: good"),
    ]


def test_a_year_that_ends_a_cell_is_no_number_of_a_paragraph() -> None:
    def page(p: Page) -> None:
        p.line("Date of last visit: 2 December", step=14.5)
        p.line("2019", step=-14.5)
        p.line("Judgement at last visit:", 330, step=14.5)
        p.line("good", 330, step=40)
        p.line(f"{FULL}.")

    assert texts(read(draw(page)), "table_row") == ["Date of last visit: 2 December 2019 Judgement at last visit: good"]
