"""DOCX → Document, by way of python-docx."""

import io
import re
import zipfile
from collections.abc import Iterator
from typing import Any

from pipeline.errors import DocumentError
from pipeline.reading.document import Block, Document, has_words
from pipeline.reading.metadata import find_metadata
from pipeline.reading.text_cleaning import clean_characters, fold_spaces, strip_bullet, strip_number

MAX_UNPACKED = 300 * 1024 * 1024
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_NOTE_PARTS = {"footnotes": "footnote", "endnotes": "endnote"}
# Text that tracked changes took away or moved from here, and the second form of what has two.
_SKIPPED = frozenset({f"{_W}del", f"{_W}moveFrom", f"{_MC}Fallback", f"{_W}pPr"})
_ENDS = re.compile(r"[.!?;,][’”\"')\]]*$")
_HEADING_STYLE = re.compile(r"heading\s*(\d)", re.I)


def read_docx(content: bytes) -> Document:
    """Read a Word document; tracked changes count as accepted.

    Args:
        content: The bytes of the file.

    Returns:
        The document; its blocks have no page.

    Raises:
        DocumentError: The file is damaged, too large unpacked, or holds no text.
    """
    _check_size(content)
    import docx

    try:
        source = docx.Document(io.BytesIO(content))
        blocks = list(_blocks(source))
    except DocumentError:
        raise
    except Exception as error:  # the libraries raise many kinds on bad bytes
        raise DocumentError(f"damaged DOCX: {_reason(error)}") from error
    if not has_words(blocks):
        raise DocumentError("no readable text in it")
    return Document(find_metadata(blocks), tuple(blocks))


def _check_size(content: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(item.file_size for item in archive.infolist())
            encrypted = any(item.flag_bits & 1 for item in archive.infolist())
    except Exception as error:
        raise DocumentError("damaged DOCX: the zip archive cannot be opened") from error
    if unpacked > MAX_UNPACKED:
        raise DocumentError(f"DOCX unpacks to {unpacked // 2**20} MB: at most {MAX_UNPACKED // 2**20} MB are read")
    if encrypted:
        raise DocumentError("encrypted DOCX: remove the password first")


def _reason(error: Exception) -> str:
    if isinstance(error, zipfile.BadZipFile):
        return "a part of the zip archive cannot be read"
    if isinstance(error, KeyError):
        return "a part is missing"
    return f"it cannot be opened ({type(error).__name__})"


def _blocks(source: Any) -> Iterator[Block]:  # noqa: ANN401 - python-docx has no types
    styles = {style.style_id: style for style in source.styles if style.style_id}
    first = True
    for block in _body_blocks(source.element.body, styles, _notes(source)):
        if first and block.kind == "heading" and block.level == 1:
            yield Block("title", block.text)
        else:
            yield block
        first = False


def _body_blocks(parent: Any, styles: dict[str, Any], notes: dict[tuple[str, str], str]) -> Iterator[Block]:  # noqa: ANN401
    before = ""
    for element in parent.iterchildren():
        if element.tag == _W + "p":
            if _loses_its_end(element):
                before += _text(element)
                continue
            block = _paragraph(element, styles, before)
            before = ""
            if block:
                yield block
            yield from _noted(element, notes)
        elif element.tag == _W + "tbl":
            yield from _table(element, styles, notes)
        elif element.tag == _W + "sdt":
            for content in element.iterchildren(_W + "sdtContent"):
                yield from _body_blocks(content, styles, notes)
        elif element.tag in (_W + "ins", _W + "smartTag", _W + "customXml"):
            yield from _body_blocks(element, styles, notes)


def _table(table: Any, styles: dict[str, Any], notes: dict[tuple[str, str], str]) -> Iterator[Block]:  # noqa: ANN401
    for row in table.iterchildren(_W + "tr"):
        if row.find(f"{_W}trPr/{_W}del") is not None:
            continue
        cells = list(row.iterchildren(_W + "tc"))
        if len(cells) == 1:
            # A table of one column is a box around text, not a table.
            yield from _body_blocks(cells[0], styles, notes)
            continue
        texts = [fold_spaces(" ".join(_text(p) for p in cell.iter(_W + "p"))) for cell in cells]
        text = fold_spaces(clean_characters(" ".join(texts)))
        if text:
            yield Block("table_row", text)
        yield from _noted(row, notes)


def _text(element: Any) -> str:  # noqa: ANN401
    parts: list[str] = []
    for child in element:
        tag = child.tag
        if tag == _W + "t":
            parts.append(child.text or "")
        elif tag in (_W + "tab", _W + "br", _W + "cr"):
            parts.append(" ")
        elif tag == _W + "noBreakHyphen":
            parts.append("-")
        elif tag not in _SKIPPED and not (tag == _W + "r" and _is_hidden(child)):
            parts.append(_text(child))
    return "".join(parts)


def _is_hidden(run: Any) -> bool:  # noqa: ANN401
    properties = run.find(_W + "rPr")
    return properties is not None and _is_on(properties.find(_W + "vanish"))


def _is_on(setting: Any) -> bool:  # noqa: ANN401
    return setting is not None and setting.get(_W + "val") not in ("0", "false", "off")


def _notes(source: Any) -> dict[tuple[str, str], str]:  # noqa: ANN401
    """The text of every footnote and endnote, by (kind, id)."""
    from docx.oxml import parse_xml

    texts: dict[tuple[str, str], str] = {}
    for relation in source.part.rels.values():
        kind = _NOTE_PARTS.get(relation.reltype.rpartition("/")[2])
        if kind is None or relation.is_external:
            continue
        for note in parse_xml(relation.target_part.blob).iter(_W + kind):
            text = fold_spaces(clean_characters(" ".join(_text(paragraph) for paragraph in note.iter(_W + "p"))))
            if text and note.get(_W + "type") in (None, "normal"):
                texts[kind, note.get(_W + "id")] = text
    return texts


def _noted(paragraph: Any, notes: dict[tuple[str, str], str]) -> Iterator[Block]:  # noqa: ANN401
    """The notes that a paragraph refers to, as paragraphs of their own after it."""
    for element in paragraph.iter(_W + "footnoteReference", _W + "endnoteReference") if notes else ():
        kind = "footnote" if element.tag == _W + "footnoteReference" else "endnote"
        text = notes.pop((kind, element.get(_W + "id")), None)
        if text:
            yield Block("paragraph", text, aside=True)


def _loses_its_end(paragraph: Any) -> bool:  # noqa: ANN401
    """Whether a tracked change took the paragraph's end away: it goes on in the next one."""
    return paragraph.find(f"{_W}pPr/{_W}rPr/{_W}del") is not None


def _paragraph(paragraph: Any, styles: dict[str, Any], before: str = "") -> Block | None:  # noqa: ANN401
    text = fold_spaces(clean_characters(before + _text(paragraph)))
    if not text:
        return None
    properties = paragraph.find(_W + "pPr")
    style = _style(properties, styles)
    names = [style.name or ""] if style is not None else []
    while style is not None and getattr(style, "base_style", None) is not None and len(names) < 10:
        style = style.base_style
        names.append(style.name or "")
    for name in names:
        level = _HEADING_STYLE.search(name)
        if level:
            return Block("heading", text, level=int(level[1]))
        if name.casefold() in ("title", "subtitle"):
            return Block("title", text)
    rest, bullet = strip_bullet(text)
    listed = properties is not None and properties.find(_W + "numPr") is not None
    if bullet or listed or any(name.casefold().startswith("list") for name in names):
        return Block("bullet", rest if bullet else strip_number(text)[0])
    if _is_bold(paragraph) and len(text) <= 150 and not _ENDS.search(text):
        return Block("heading", text, level=3)
    return Block("paragraph", strip_number(text)[0])


def _style(properties: Any, styles: dict[str, Any]) -> Any:  # noqa: ANN401
    if properties is None:
        return None
    style = properties.find(_W + "pStyle")
    return styles.get(style.get(_W + "val")) if style is not None else None


def _is_bold(paragraph: Any) -> bool:  # noqa: ANN401
    runs = [run for run in paragraph.iter(_W + "r") if any((t.text or "").strip() for t in run.iter(_W + "t"))]
    return bool(runs) and all(_run_bold(run) for run in runs)


def _run_bold(run: Any) -> bool:  # noqa: ANN401
    properties = run.find(_W + "rPr")
    return properties is not None and _is_on(properties.find(_W + "b"))
