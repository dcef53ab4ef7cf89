"""Reading order: what stands at the top of a page is read first, wherever the file has it."""

from tests.drawing import FULL, TOP, Page, draw, read, texts


def test_a_heading_at_the_end_of_the_file_is_read_at_the_top_of_its_page() -> None:
    def page(p: Page) -> None:
        p.y = TOP - 40
        p.line("1. The board meets each month.")
        p.space()
        p.line("2. It is chaired well.")
        p.y = TOP
        p.line("What the board does well, and what", bold=True, step=14)
        p.line("it has to do better", bold=True)

    blocks = read(draw(page)).blocks
    assert [(block.kind, block.text) for block in blocks] == [
        ("title", "What the board does well, and what it has to do better"),
        ("paragraph", "The board meets each month."),
        ("paragraph", "It is chaired well."),
    ]


def test_three_parts_in_the_wrong_order() -> None:
    def page(p: Page) -> None:
        for top, word in ((TOP - 200, "last"), (TOP, "first"), (TOP - 100, "second")):
            p.y = top
            p.line(f"The {word} finding has a line of its own")
            p.line("and another one.")

    assert texts(read(draw(page)), "paragraph") == [
        f"The {word} finding has a line of its own and another one." for word in ("first", "second", "last")
    ]


def test_columns_under_a_common_heading_keep_their_order() -> None:
    left = [f"left column line number {number} is here" for number in range(12)]
    right = [f"right column line number {number} is there" for number in range(12)]

    def page(p: Page) -> None:
        p.line(FULL, bold=True, step=30)
        top = p.y
        for line in left:
            p.line(line, size=10)
        p.y = top
        for line in right:
            p.line(line, 330, size=10)

    assert texts(read(draw(page)), "paragraph") == [" ".join(left), " ".join(right)]
