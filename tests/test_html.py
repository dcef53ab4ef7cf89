"""Pages: the document in order, every label visible without scripts, nothing from elsewhere, nothing unescaped."""

import re
from itertools import pairwise

import lxml.html
import pyarrow as pa
import pytest

from pipeline.html import ModelNote, build_index, build_report, link_report, render_index, render_report
from pipeline.html.arrangement import percent
from pipeline.outputs import findings_schema
from pipeline.summary import summarise

MODEL = ModelNote("abc123", {"strength": 0.4, "weakness": 0.45, "commitment": 0.5})
ROWS = [
    # kind, paragraph, page, section, text, labels, uncertain
    ("title", 1, 1, "Ferndale", "Ferndale: inspection of children’s services", "", False),
    ("paragraph", 2, 1, "Ferndale", "Inspection dates: 1 to 5 May 2023", "", False),
    ("heading", 3, 1, "What <needs> to improve?", "What <needs> to improve?", "", False),
    ("bullet", 4, 1, "What <needs> to improve?", "The timeliness of visits & reviews.", "w", True),
    ("bullet", 5, 2, "What <needs> to improve?", "<script>alert('x')</script> records.", "", False),
    ("heading", 6, 2, "Leaders: good", "Leaders: good", "s", False),
    ("paragraph", 7, 2, "Leaders: good", "Leaders know their services well.", "s", False),
    ("paragraph", 7, 2, "Leaders: good", "Plans are clear, but {{ 7 * 7 }} of them are late.", "sw", False),
    ("paragraph", 8, 3, "Leaders: good", "They know that and will act by March.", "swc", True),
    ("table_row", 9, 3, "Leaders: good", "Overall effectiveness | Good", "s", False),
]


def findings(rows=ROWS, **columns):
    described = {"report": "f & g.pdf", "report_id": "0123456789abcdef", "doc_type": "inspection_report"}
    described |= {"framework": "ILACS", "provider": "Ferndale & Moor", "published": "2023-06-09", "key": "k"} | columns
    table = []
    for position, (kind, paragraph, page, section, text, letters, uncertain) in enumerate(rows, start=1):
        place = {"kind": kind, "paragraph": paragraph, "page": page, "section": section, "position": position}
        labels = [name for name in ("strength", "weakness", "commitment") if name[0] in letters]
        scores = {f"p_{name}": 0.91 if name in labels else 0.001 for name in ("strength", "weakness", "commitment")}
        flags = {name: name in labels for name in ("strength", "weakness", "commitment")}
        more = {"labels": "; ".join(labels) or "none", "uncertain": uncertain, "model_version": "abc123"}
        table.append({**described, **place, "text": text, **flags, **scores, **more})
    return pa.Table.from_pylist(table, schema=findings_schema())


def view_of(table, **named):
    return build_report(table, summarise(table, **named), MODEL)


@pytest.fixture
def page():
    return render_report(view_of(findings()))


@pytest.fixture
def tree(page):
    return lxml.html.fromstring(page)


@pytest.fixture
def index():
    links = [link_report(summarise(findings()), "reports/0123456789abcdef.html")]
    links.append(link_report(summarise(findings([], provider=None), report="<empty>.txt"), None))
    return render_index(build_index(links, [("a<b>.pdf", "HTML page named .pdf")], ["findings.csv"], MODEL))


def texts(tree, path):
    return [" ".join(element.text_content().split()) for element in tree.xpath(path)]


def test_the_document_reads_in_order_with_its_structure(tree):
    assert texts(tree, "//main//*[@class='t']") == [row[4] for row in ROWS]
    assert texts(tree, "//h1") == ["Ferndale & Moor"]
    assert texts(tree, "//main//h2//*[@class='t']") == [ROWS[0][4], ROWS[2][4], ROWS[5][4]]
    assert texts(tree, "//ul[@class='bullets']/li//*[@class='t']") == [ROWS[3][4], ROWS[4][4]]
    assert texts(tree, "//ul[@class='rows']/li//*[@class='t']") == [ROWS[9][4]]
    assert len(tree.xpath("//main//p[@class='block']")) == 3
    assert "Inspection report (ILACS) · 9 June 2023 · f & g.pdf" in texts(tree, "//p[@class='meta']")[0]


def test_every_sentence_is_a_link_target_with_its_own_link(tree):
    assert tree.xpath("//*[@class='sn']/@id") == [f"s{number}" for number in range(1, 11)]
    assert tree.xpath("//a[@class='n']/@href") == [f"#s{number}" for number in range(1, 11)]
    ids = tree.xpath("//@id")
    assert len(ids) == len(set(ids))
    for target in tree.xpath("//a[starts-with(@href, '#')]/@href"):
        assert target[1:] in ids


def test_labels_show_by_mark_letter_and_word_all_at_once(tree):
    both = tree.get_element_by_id("s9")
    assert both.get("data-l") == "swc"
    assert [mark.get("class") for mark in both.iter("mark")] == ["s", "w", "c"]
    assert texts(both, ".//b") == ["Sstrength 91%", "Wweakness 91%", "Ccommitment 91%", "?uncertain"]
    assert not list(tree.get_element_by_id("s5").iter("mark"))


def test_all_probabilities_are_there_without_scripts(tree):
    assert texts(tree, "//*[@id='d4']") == ["Sentence 4, page 1: strength <1%, weakness 91%, commitment <1%; uncertain"]
    assert len(tree.xpath("//*[@class='p']")) == len(ROWS)
    assert tree.xpath("//form[@class='filters']/@hidden") != []


def test_pages_stand_where_they_begin(tree):
    assert texts(tree, "//*[@class='page']") == ["page p. 1", "page p. 2", "page p. 3"]
    assert tree.get_element_by_id("s5").find_class("page")


def test_the_outline_counts_labels_and_leaves_out_nothing_with_text(tree):
    assert texts(tree, "//nav[@class='outline']//a") == [ROWS[0][4], ROWS[2][4], ROWS[5][4]]
    counts = texts(tree, "//nav[@class='outline']//li[3]//*[@class='counts']")[0]
    assert counts.replace(" ", "") == "Sstrength5Wweakness2Ccommitment1"
    assert tree.xpath("//select[@name='section']/option/@value") == ["", "1", "2", "3"]


def test_text_is_escaped_and_never_a_template(page, index):
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; records." in page
    assert "visits &amp; reviews" in page
    assert "{{ 7 * 7 }} of them" in page
    assert "a&lt;b&gt;.pdf" in index
    assert "&lt;empty&gt;.txt" in index


def test_nothing_comes_from_elsewhere(page, index):
    for html in (page, index):
        assert not re.search(r"https?://|//[a-z]+\.|@import|url\(", html)
        tree = lxml.html.fromstring(html)
        assert not tree.xpath("//link | //img | //iframe | //script[@src]")


def test_pages_are_accessible_documents(page, index):
    for html in (page, index):
        tree = lxml.html.fromstring(html)
        assert tree.get("lang") == "en"
        assert len(tree.xpath("//h1")) == len(tree.xpath("//main")) == len(tree.xpath("//title")) == 1
        assert tree.xpath("//a[@class='skip']/@href") == ["#main"]
        levels = [int(tag[1]) for tag in (element.tag for element in tree.iter("h1", "h2", "h3", "h4"))]
        assert all(after <= before + 1 for before, after in pairwise(levels))
        for field in tree.xpath("//input | //select"):
            assert field.xpath("ancestor::label"), field.get("name")


def test_light_dark_and_print_have_their_styles(page):
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


@pytest.mark.parametrize(("scheme", "names"), [("light", 0), ("dark", 1)])
def test_text_on_every_ground_has_the_contrast_of_wcag_aa(page, scheme, names):
    blocks = re.findall(r":root \{([^}]*--paper[^}]*--link[^}]*--s-pill[^}]*)\}", page)
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[names]))
    pairs = [(text, ground) for text in ("ink", "quiet", "link") for ground in ("paper", "panel")]
    pairs += [("ink", f"{letter}-tint") for letter in "swc"]
    pairs += [("pill-ink", f"{letter}-pill") for letter in "swc"] + [("u-pill", "paper")]
    for text, ground in pairs:
        assert contrast(colours[text], colours[ground]) >= 4.5, (scheme, text, ground)
    for letter in "swc":  # underlines are graphics: 3 to 1
        assert contrast(colours[letter], colours["paper"]) >= 3, (scheme, letter)


def contrast(one, two):
    def luminance(colour):
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_index_tells_counts_shares_failures_and_the_model(index):
    tree = lxml.html.fromstring(index)
    first = texts(tree, "//table[@class='reports']/tbody/tr[1]/*")
    assert first[0].startswith("Ferndale & Moor")
    assert first[1:] == ["Inspection report", "9 June 2023", "10", "5 50%", "3 30%", "1 10%", "2"]
    assert tree.xpath("//table[@class='reports']//a/@href") == ["reports/0123456789abcdef.html"]
    assert texts(tree, "//table[@class='failures']/tbody/tr/*") == ["a<b>.pdf", "HTML page named .pdf"]
    assert tree.xpath("//section[@aria-labelledby='files']//a/@href") == ["findings.csv"]
    assert "a label is given from 40% (strength), 45% (weakness), 50% (commitment)" in " ".join(texts(tree, "//header"))
    assert "abc123" in texts(tree, "//footer")[0]


def test_a_table_with_nothing_but_text_has_a_page(tree):
    table = findings().select(["text", *findings().column_names[-9:]])
    view = view_of(table, report="mine.csv", report_id="f" * 16)
    assert (view.title, view.published, len(view.sections)) == ("mine.csv", None, 1)
    plain = lxml.html.fromstring(render_report(view))
    assert texts(plain, "//main//*[@class='t']") == texts(tree, "//main//*[@class='t']")
    assert texts(plain, "//main//h2") == ["Opening of the document"]
    assert plain.xpath("//a[@class='n']/@href")[0] == "#s1"


def test_positions_that_cannot_be_targets_are_replaced_by_ranks():
    table = findings()
    twice = table.set_column(table.column_names.index("position"), "position", pa.array([1] * 10, pa.int32()))
    assert [s.number for s in view_of(twice).sections[0].heading] == [1]
    assert 'id="s10"' in render_report(view_of(twice))


def test_an_empty_report_has_a_page():
    assert "This document holds no text." in render_report(view_of(findings([]), report="x.txt"))


@pytest.mark.parametrize(
    ("probability", "shown"),
    [(0.0, "<1%"), (0.0099, "<1%"), (0.234, "23%"), (0.99, "99%"), (0.991, ">99%"), (1, ">99%")],
)
def test_probabilities_are_written_for_people(probability, shown):
    assert percent(probability) == shown
