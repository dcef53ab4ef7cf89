"""Lines of PDF pages: footnote marks, and marks of punctuation that are set apart."""

from tests.drawing import LEFT, Page, draw, read, texts


def width(p: Page, text: str, size: float = 12) -> float:
    return p.canvas.stringWidth(text, "Helvetica", size)


def raised(p: Page, text: str, x: float, size: float) -> float:
    p.canvas.setFont("Helvetica", size)
    p.canvas.drawString(x, p.y + 4, text)
    return x + width(p, text, size)


def test_footnote_mark_in_the_middle_of_a_row_goes() -> None:
    def page(p: Page) -> None:
        p.line("Some children live in special schools,", step=0)
        x = raised(p, "3", LEFT + width(p, "Some children live in special schools,"), 8)
        p.line("all of whom live near home.", x + 4)
        p.space()
        p.line("3 children moved.")

    assert texts(read(draw(page)), "paragraph") == [
        "Some children live in special schools, all of whom live near home.",
        "3 children moved.",
    ]


def test_footnote_mark_of_a_heading_goes() -> None:
    def page(p: Page) -> None:
        p.line("What has to be done", size=14, step=0)
        raised(p, "1", LEFT + width(p, "What has to be done", 14), 9)
        p.space(24)
        for _ in range(3):
            p.line("The board will meet each month.")
            p.space()

    assert [block.text for block in read(draw(page)).blocks] == [
        "What has to be done",
        *["The board will meet each month."] * 3,
    ]


def test_footnote_mark_after_a_year_goes() -> None:
    def page(p: Page) -> None:
        for mark in ("9", "10"):
            text = "This is more than in March 2014"
            p.line(text, step=0)
            x = raised(p, mark, LEFT + width(p, text), 7)
            p.line(".", x, step=14.5)
            p.space()
        p.line("The service has 20149 records.")

    assert texts(read(draw(page)), "paragraph") == [
        "This is more than in March 2014.",
        "This is more than in March 2014.",
        "The service has 20149 records.",
    ]


def test_full_stop_in_other_type_belongs_to_its_line() -> None:
    def page(p: Page) -> None:
        text = "• Many children live in poverty"
        p.line(text, size=16, step=0)
        p.line(".", LEFT + width(p, text, 16), size=12)
        p.space()
        for _ in range(9):
            p.line("A line of the body type stands here and ends.")
            p.space()

    assert texts(read(draw(page)), "bullet") == ["Many children live in poverty."]
