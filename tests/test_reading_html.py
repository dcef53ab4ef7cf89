"""HTML reading: the main text stays, what surrounds it goes."""

from pathlib import Path

import pytest

from pipeline.errors import DocumentError
from pipeline.reading import Document, read_document

BODY = """
<h1>Council responds to inspection</h1>
<p>Aldmoor Council has welcomed a report on its services for children and families, published today.</p>
<p>Councillor Amadi said: “We will put this right. Families deserve better.”</p>
<h2>What happens next</h2>
<p>The council has agreed three steps with its partners, and each will begin before the summer:</p>
<ul><li>We will recruit twelve social workers by June.</li><li>Audits will be weekly.</li></ul>
<blockquote><p>“Staff have worked hard,” the director said, “and we thank them.”</p></blockquote>
<p>A progress report will go to the council’s scrutiny committee in the autumn of this year.</p>
"""
PAGE = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Council responds | Aldmoor Council</title>
<meta property="og:site_name" content="Aldmoor Council">
<meta property="article:published_time" content="2024-03-05T09:00:00Z"></head><body>
<div class="cookie-banner"><p>We use cookies to make this site work. Accept all cookies.</p></div>
<nav><ul><li><a href="/">Home</a></li><li><a href="/bins">Bins and recycling</a></li></ul></nav>
<main><article>{BODY}</article></main>
<aside><h2>Related stories</h2><ul><li><a href="/x">Road works on the ring road</a></li></ul></aside>
<footer><p>Copyright Aldmoor Council. Privacy notice.</p></footer>
<script>alert("no text")</script></body></html>"""


def read(page: str, encoding: str = "utf-8") -> Document:
    return read_document(Path("page.html"), page.encode(encoding))


def test_main_text_stays_and_the_rest_goes() -> None:
    document = read(PAGE)
    found = [(block.kind, block.text) for block in document.blocks]
    assert found[0] == ("title", "Council responds to inspection")
    assert ("heading", "What happens next") in found
    assert ("bullet", "We will recruit twelve social workers by June.") in found
    assert ("bullet", "Audits will be weekly.") in found
    text = " ".join(text for _, text in found)
    assert "“We will put this right. Families deserve better.”" in text
    assert "“Staff have worked hard,” the director said, “and we thank them.”" in text
    for gone in ("cookies", "Bins", "ring road", "Privacy", "alert"):
        assert gone not in text
    assert {block.page for block in document.blocks} == {None}


def test_metadata_of_the_page() -> None:
    metadata = read(PAGE).metadata
    assert (metadata.doc_type, metadata.provider, metadata.published) == ("council_statement", "Aldmoor", "2024-03-05")


@pytest.mark.parametrize("around", ["svg", "form", "noscript", "div"])
def test_page_within_another_element(around: str) -> None:
    sentence = "Leaders intend to bring the service in-house next year, and they have told their staff about it."
    page = f"<{around}><html><head><title>T</title></head><body><main><p>{sentence}</p></main></body></html>"
    assert sentence in " ".join(block.text for block in read(page).blocks)


def test_windows_1252_page() -> None:
    page = PAGE.replace('charset="utf-8"', 'charset="windows-1252"')
    assert "“We will put this right." in " ".join(block.text for block in read(page, "cp1252").blocks)


@pytest.mark.parametrize("name", ["page.htm", "page.txt", "page"])
def test_html_is_known_by_its_bytes(name: str) -> None:
    assert read_document(Path(name), PAGE.encode()).blocks[0].kind == "title"


def test_page_nested_too_deep_is_refused_not_cut() -> None:
    def nested(depth: int) -> str:
        return PAGE.replace(BODY, f"{BODY}{'<div>' * depth}<p>At the bottom stands a sentence.</p>{'</div>' * depth}")

    assert any("At the bottom" in block.text for block in read(nested(200)).blocks)
    with pytest.raises(DocumentError, match="nested more than 255 elements deep"):
        read(nested(300))
