"""The pages as a person uses them, in a real browser: filter, search, sort, pages, links, print, keyboard, dark."""

import pytest

from pipeline.html import ModelNote, build_index, build_report, link_report, render_index, render_report
from pipeline.html.pages import ROWS_A_PAGE
from pipeline.summary import summarise
from tests.browser import find_chromium, open_browser
from tests.test_html import ROWS, findings

pytestmark = pytest.mark.skipif(
    find_chromium() is None, reason="no Chromium on the PATH; install it, or name it in CHROMIUM"
)
MODEL = ModelNote("abc123", {"strength": 0.4, "weakness": 0.45, "commitment": 0.5})
REPORTS = 250


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """An index of 250 reports, every one of which leads to the same page."""
    folder = tmp_path_factory.mktemp("site")
    (folder / "reports").mkdir()
    # Enough text that the last sentence stands far below the first screen.
    rows = ROWS + [("paragraph", 20 + rank, 4, "Leaders: good", f"Matter {rank}.", "", False) for rank in range(200)]
    table = findings(rows)
    page = render_report(build_report(table, summarise(table), MODEL))
    (folder / "reports" / "0123456789abcdef.html").write_text(page, encoding="utf-8")
    links = []
    for rank in range(REPORTS):
        month = f"20{rank % 20 + 10}-03-01" if rank % 50 else None
        some = findings(ROWS[: rank % 10 + 1], report=f"{rank:03}.pdf", provider=f"Town {rank}", published=month)
        links.append(link_report(summarise(some), "reports/0123456789abcdef.html"))
    index = render_index(build_index(links, [("bad.pdf", "empty file")], ["findings.csv"], MODEL))
    (folder / "index.html").write_text(index, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser():
    with open_browser() as browser:
        yield browser


class Visit:
    """A tab, and everything it says or asks for."""

    def __init__(self, browser, site, **options):
        self._site = site
        self.context = browser.new_context(**options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(5000)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, name):
        self.page.goto((self._site / name.partition("#")[0]).as_uri() + "".join(name.partition("#")[1:]))
        return self.page


@pytest.fixture
def visit(browser, site):
    """A function that opens a tab; in the end, no tab may have met an error or asked for anything but the pages."""
    visits = []

    def start(**options):
        visits.append(Visit(browser, site, **options))
        return visits[-1]

    yield start
    for one in visits:
        one.context.close()
        assert one.said == []
        assert all(url.startswith(site.as_uri()) for url in one.asked), one.asked


@pytest.fixture
def index(visit):
    return visit().open("index.html")


@pytest.fixture
def report(visit):
    return visit().open("reports/0123456789abcdef.html")


def shown(page, path=".sn"):
    return page.eval_on_selector_all(path, "all => all.filter((e) => e.checkVisibility()).map((e) => e.id)")


def titles(page):
    return page.eval_on_selector_all(".reports tbody th a", "all => all.map((e) => e.textContent)")


def at(page):
    return page.locator(".pager .at").first.text_content()


def test_sentences_are_filtered_by_label_and_section(report):
    assert len(shown(report)) == len(ROWS) + 200
    report.get_by_role("checkbox", name="Commitment").check()
    report.wait_for_function("document.body.classList.contains('filtered')")
    assert shown(report) == ["s6", "s9"]  # the heading of the section stays
    assert report.locator(".filters output").text_content() == f"1 of {len(ROWS) + 200} sentences"
    report.get_by_role("checkbox", name="Weakness").check()
    report.get_by_role("combobox", name="Section").select_option("2")
    report.wait_for_function("!document.getElementById('s9').checkVisibility()")
    assert shown(report) == ["s3", "s4"]
    report.get_by_role("button", name="Show all").click()
    report.wait_for_function("!document.body.classList.contains('filtered')")
    assert len(shown(report)) == len(ROWS) + 200


def test_sentences_are_found_by_their_words(report):
    report.get_by_role("searchbox", name="Find").fill("  Know   their  ")
    report.wait_for_function("document.body.classList.contains('filtered')")
    assert shown(report) == ["s6", "s7"]
    report.get_by_role("searchbox", name="Find").fill("nowhere to be found")
    report.get_by_text("No sentence fits these filters.").wait_for()


def test_a_link_to_a_sentence_shows_and_marks_it(visit):
    report = visit().open("reports/0123456789abcdef.html#s205")
    assert report.locator("#s205").evaluate("e => e.matches(':target')")
    top = report.locator("#s205").evaluate("e => e.getBoundingClientRect().top")
    assert 0 <= top < report.viewport_size["height"]
    outline = "e => getComputedStyle(e.querySelector('.t')).outlineStyle"
    assert report.locator("#s205").evaluate(outline) == "solid"
    assert report.locator("#s204").evaluate(outline) == "none"
    assert report.locator("#d205").is_visible()
    report.get_by_role("checkbox", name="Strength").check()
    report.wait_for_function("document.body.classList.contains('filtered')")
    report.evaluate("location.hash = 's204'")  # hidden by the filter: the filter gives way
    report.wait_for_function("!document.body.classList.contains('filtered')")
    assert report.locator("#s204").is_visible()


def test_the_index_is_paged(index):
    assert titles(index) == [f"Town {rank}" for rank in range(ROWS_A_PAGE)]
    assert at(index) == "page 1 of 3 (1 to 100 of 250)"
    index.locator("[data-to=next]").first.click()
    assert titles(index)[0] == "Town 100"
    index.locator("[data-to=last]").last.click()
    assert titles(index) == [f"Town {rank}" for rank in range(200, 250)]
    assert index.locator("[data-to=next]").first.get_attribute("aria-disabled") == "true"
    index.locator("[data-to=next]").first.click(force=True)
    assert at(index) == "page 3 of 3 (201 to 250 of 250)"
    index.locator("[data-to=first]").first.click()
    assert titles(index)[0] == "Town 0"


def test_the_index_is_sorted_by_every_column(index):
    for column in range(8):
        head = index.locator(".reports thead th").nth(column)
        read = f"all => all.map((e) => e.cells[{column}].dataset.v ?? e.cells[{column}].textContent)"
        number = head.get_attribute("data-sort") == "number"
        orders = []
        for _ in range(2):
            head.get_by_role("button").click()
            orders.append(head.get_attribute("aria-sort"))
            values = index.eval_on_selector_all(".reports tbody tr", read)
            if number:
                assert values == sorted(values, key=int, reverse=orders[-1] == "descending")
            elif column == 2:
                assert values == sorted(values, reverse=orders[-1] == "descending")
                assert "" not in values  # what is not stated comes last
        assert orders == (["descending", "ascending"] if number else ["ascending", "descending"])
    index.locator(".reports thead th").first.get_by_role("button").click()
    assert titles(index)[:3] == ["Town 0", "Town 1", "Town 2"]  # numbers in names count as such
    assert index.locator("[aria-sort]").count() == 1


def test_the_index_is_searched_and_keeps_its_state_on_the_way_back(index):
    index.get_by_role("searchbox", name="Find").fill("Town  04.pdf")
    assert titles(index) == ["Town 4", "Town 104", "Town 204"]
    assert index.locator("form.find output").text_content() == "3 of 250 reports"
    index.locator(".reports thead th").first.get_by_role("button").click()
    index.locator(".reports thead th").first.get_by_role("button").click()
    assert titles(index)[0] == "Town 204"
    index.get_by_role("link", name="Town 204").click()
    index.get_by_role("heading", level=1, name="Ferndale").wait_for()
    index.go_back()
    assert index.get_by_role("searchbox", name="Find").input_value() == "Town  04.pdf"
    assert titles(index)[0] == "Town 204"
    index.get_by_role("searchbox", name="Find").fill("no such town")
    assert (titles(index), at(index)) == ([], "page 1 of 1 (none)")


def test_everything_is_reached_by_keyboard_alone(visit):
    tab = visit()
    index = tab.open("index.html")
    index.keyboard.press("Tab")
    assert focused(index) == "Skip to the reports"
    reached = []
    for _ in range(20):
        index.keyboard.press("Tab")
        reached.append(focused(index))
    assert reached[:5] == ["text", "First", "Previous", "Next", "Last"]
    assert {"About", "Kind", "Date", "Sentences", "Uncertain", "Town 0"} <= set(reached)
    index.locator("[data-to=next]").first.focus()
    index.keyboard.press("Enter")
    index.keyboard.press("Space")
    assert (at(index)[:11], focused(index)) == ("page 3 of 3", "Next")  # the focus stays where there is no next page
    index.locator(".reports tbody a").first.focus()
    index.keyboard.press("Enter")
    index.get_by_role("heading", level=1, name="Ferndale").wait_for()
    index.get_by_role("checkbox", name="Weakness").focus()
    index.keyboard.press("Space")
    index.wait_for_function("document.body.classList.contains('filtered')")
    index.locator("#s4 .n").focus()
    assert index.locator("#d4").is_visible()
    index.keyboard.press("Enter")
    assert index.evaluate("location.hash") == "#s4"


def focused(page):
    return page.evaluate("(document.activeElement.name || document.activeElement.textContent).trim()")


def test_the_print_view_has_the_text_and_no_controls(visit):
    tab = visit()
    report = tab.open("reports/0123456789abcdef.html")
    report.emulate_media(media="print")
    for path in (".filters", ".outline", ".skip", "header nav", "#d4"):
        assert not report.locator(path).is_visible(), path
    assert report.locator("#s4 .pill").first.is_visible()
    assert report.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert report.pdf()[:5] == b"%PDF-"
    index = tab.open("index.html")
    index.emulate_media(media="print")
    assert not index.locator(".pager").first.is_visible()
    index.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert len(titles(index)) == REPORTS
    index.evaluate("dispatchEvent(new Event('afterprint'))")
    assert len(titles(index)) == ROWS_A_PAGE


def test_dark_mode_is_dark_and_meets_no_error(visit):
    tab = visit(color_scheme="dark")
    for name in ("index.html", "reports/0123456789abcdef.html"):
        page = tab.open(name)
        ground, ink = page.evaluate(
            "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
        )
        assert (ground, ink) == ("rgb(21, 25, 29)", "rgb(228, 230, 232)")


def test_without_scripts_the_pages_are_plain_lists(visit):
    tab = visit(java_script_enabled=False)
    index = tab.open("index.html")
    assert index.locator(".reports tbody tr").count() == REPORTS
    assert index.locator(".reports tbody tr").last.is_visible()
    assert not index.locator(".pager").first.is_visible()
    assert not index.locator("form.find").is_visible()
    report = tab.open("reports/0123456789abcdef.html")
    assert report.locator("#s205").is_visible()
    assert not report.locator("form.filters").is_visible()
