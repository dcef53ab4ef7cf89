"""HTML → Document: the main text of a page, by way of trafilatura."""

import re
import warnings
from typing import Any

from pipeline.errors import DocumentError
from pipeline.reading.document import Block, Document, has_words
from pipeline.reading.formats import decode_text
from pipeline.reading.metadata import find_metadata
from pipeline.reading.text_cleaning import clean_characters, fold_spaces, strip_bullet, strip_number

MAX_BYTES = 20 * 1024 * 1024
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]+)", re.I)
_ARTICLE = re.compile(
    r"<meta[^>]{0,200}article:published_time|\"@type\"\s*:\s*\"(?:\w*NewsArticle|Article)\"|og:type[^>]{0,80}article",
    re.I,
)
_HEADING = re.compile(r"h(\d)")
_MAX_DEPTH = 255  # libxml2 leaves out, without a word, what is nested deeper


def read_html(content: bytes) -> Document:
    """Read the main text of a web page.

    Args:
        content: The bytes of the file.

    Returns:
        The document; its blocks have no page.

    Raises:
        DocumentError: The page is too large, undecodable, or has no main text.
    """
    if len(content) > MAX_BYTES:
        raise DocumentError(f"HTML page of {len(content) // 2**20} MB: at most {MAX_BYTES // 2**20} MB are read")
    page = _decode(content)
    import trafilatura
    from trafilatura.utils import load_html

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of strange dates, and to a terminal where nobody asked
            source = load_html(page)
            if source is not None and _depth(source) > _MAX_DEPTH:
                raise DocumentError(f"HTML nested more than {_MAX_DEPTH} elements deep: what is deeper cannot be read")
            tree = trafilatura.bare_extraction(
                _whole(source) if source is not None else page,
                include_comments=False,
                include_tables=True,
                include_formatting=False,
                include_links=False,
                deduplicate=False,
                with_metadata=True,
                favor_recall=True,
            )
    except DocumentError:
        raise
    except Exception as error:  # the libraries raise many kinds on bad bytes
        raise DocumentError(f"damaged HTML: {type(error).__name__} on reading it") from error
    body = getattr(tree, "body", None)
    blocks = list(_blocks(body)) if body is not None else []
    if not has_words(blocks):
        raise DocumentError("no main text in this HTML page")
    title = fold_spaces(clean_characters(getattr(tree, "title", None) or ""))
    if title and not any(block.text.casefold() == title.casefold() for block in blocks[:3]):
        blocks.insert(0, Block("title", title))
    elif blocks[0].kind == "heading":
        blocks[0] = Block("title", blocks[0].text)
    site = getattr(tree, "sitename", None)
    metadata = find_metadata(blocks, getattr(tree, "date", None), _page_type(page, site), site)
    return Document(metadata, tuple(blocks))


def _whole(tree: Any) -> Any:  # noqa: ANN401 - an lxml element
    """A page whose outermost element is another one than html, inside one: the libraries may want to take it out."""
    if tree.tag == "html":
        return tree
    from lxml.html import builder

    return builder.HTML(builder.BODY(tree))


def _depth(tree: Any) -> int:  # noqa: ANN401 - an lxml element
    """How deep the elements of a page are nested."""
    from lxml import etree

    depth = deepest = 0
    for event, _ in etree.iterwalk(tree, events=("start", "end")):
        depth += 1 if event == "start" else -1
        deepest = max(deepest, depth)
    return deepest


def _page_type(page: str, site: str | None) -> str:
    """What the page's own description says that it is; a council's page is its statement, any other dated one news."""
    if site and re.search(r"\b(?:council|borough|county|city of|\.gov\.uk)\b", site, re.I):
        return "council_statement"
    if _ARTICLE.search(page):
        return "news_article"
    return "unknown"


def _decode(content: bytes) -> str:
    declared = _CHARSET.search(content[:4096])
    if declared and declared[1].lower() not in (b"utf-8", b"utf8"):
        try:
            return content.decode(declared[1].decode("ascii")).replace("\x00", "")
        except (LookupError, UnicodeDecodeError):
            pass
    return decode_text(content)


def _blocks(body: Any) -> Any:  # noqa: ANN401 - an lxml element
    for element in body.iterchildren():
        if not isinstance(element.tag, str):
            continue
        if element.tag == "list":
            for item in element.iter("item"):
                yield from _block("bullet", _own_text(item))
        elif element.tag == "table":
            for row in element.iter("row"):
                yield from _block("table_row", " ".join(_own_text(cell) for cell in row.iter("cell")))
        elif element.tag == "head":
            level = _HEADING.match(element.get("rend") or "")
            yield from _block("heading", _own_text(element), int(level[1]) if level else 2)
        elif element.tag in ("quote", "div") and len(element):
            yield from _mixed(element)
        else:
            yield from _block("paragraph", _own_text(element))


def _mixed(element: Any) -> Any:  # noqa: ANN401
    if any(child.tag in ("p", "list", "head", "quote", "table") for child in element):
        yield from _block("paragraph", element.text or "")
        yield from _blocks(element)
    else:
        yield from _block("paragraph", _own_text(element))


def _own_text(element: Any) -> str:  # noqa: ANN401
    parts = [element.text or ""]
    for child in element:
        if child.tag in ("list", "item"):
            pass
        elif child.tag == "lb":
            parts.append(" ")
        else:
            parts.append(_own_text(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _block(kind: str, text: str, level: int = 0) -> Any:  # noqa: ANN401
    text = fold_spaces(clean_characters(text))
    if not text:
        return
    rest, bullet = strip_bullet(text)
    if bullet and kind == "paragraph":
        kind, text = "bullet", rest
    elif kind == "paragraph":
        text = strip_number(text)[0]
    if text:
        yield Block(kind, text, level=level)
