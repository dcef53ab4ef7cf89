"""Lines of a PDF page with their place and type, read with few calls into PDFium."""

import ctypes
import re
from dataclasses import dataclass
from typing import Any

import pypdfium2.raw as pdfium

from pipeline.reading.text_cleaning import clean_characters, fold_spaces

# A search goes twice as fast where the pattern begins with a set, or each of its ways with a plain character: hence no
# set among the ways of the one, and no repetition at the head of the other.
_BREAKS = re.compile("\r\n|\r|\n|\ufffe")
_WORD = re.compile(r"\S+")
# Superscript digits glued to a word are footnote marks; the type size decides, so these are candidates only.
_NUMBER = re.compile(r"[0-9][0-9]?(?![^\s.,;:)])")
_BEFORE_MARK = frozenset(").,;:’'”\"?")
# Left and right of a line there may also be NUL (PDFium's word for a character it cannot name) and soft hyphens.
_BLANK = " \t\x00\u00a0\u00ad"
_UNTIDY = re.compile(
    r"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f\xa0\xad\u1680\u2000-\u2011\u202f\u205f\u2060\u3000\ue000-\ufffd\uffff]"
)
# Without a full stop: a line that can be the cells of one row.
_LONE_CELLS = re.compile(r"^.{3,130}[^.,;:]$")
_BOLD = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy", re.I)
_MIN_SIZE = 4.0
_WIDE_GAP = 1.5  # of the type size, between two cells
_MARK = 4  # characters of the longest bullet or number that hangs before its text
_REACH = 7.0  # of the type size, from a row to a line that may be its neighbour


def _by_address(function: Any, result: Any, arguments: int) -> Any:  # noqa: ANN401 - ctypes' own types
    """Declare a function of PDFium that takes the page's address, a rank and `arguments` addresses to fill in.

    ctypes converts addresses in half the time that it takes over typed pointers, and each line asks for several. None
    of these functions takes as long as letting other threads in and waiting for them.
    """
    address = ctypes.cast(function, ctypes.c_void_p).value or 0
    types = (ctypes.c_void_p, ctypes.c_int, *[ctypes.c_void_p] * arguments)
    return ctypes.PYFUNCTYPE(result, *types)(address)


_loose_box = _by_address(pdfium.FPDFText_GetLooseCharBox, ctypes.c_int, 1)
_origin = _by_address(pdfium.FPDFText_GetCharOrigin, ctypes.c_int, 2)
_box = _by_address(pdfium.FPDFText_GetCharBox, ctypes.c_int, 4)
_font_size = _by_address(pdfium.FPDFText_GetFontSize, ctypes.c_double, 0)
_font_weight = _by_address(pdfium.FPDFText_GetFontWeight, ctypes.c_int, 0)


@dataclass(slots=True)
class Line:
    """One line, or one table cell's line, of a page.

    Attributes:
        text: Cleaned and folded text.
        page: 1-based page.
        left: Left edge of the first visible character, in points.
        right: Right edge of the last visible character.
        base: Height of the base line above the page's bottom edge.
        size: Type size in points.
        bold: Whether the first and the last character are bold.
        cell: Whether the line is part of a line with wide gaps, as in a table.
        raw: The text as PDFium gives it.
        start: Rank of its first character on the page; -1 where unknown.
    """

    text: str
    page: int
    left: float
    right: float
    base: float
    size: float
    bold: bool
    cell: bool = False
    raw: str = ""
    start: int = -1


class LineReader:
    """Reads lines from pages; keeps its buffers from page to page."""

    def __init__(self) -> None:
        self._buffer = (ctypes.c_ushort * 8192)()
        self._doubles = tuple(ctypes.c_double() for _ in range(4))
        self._refs = tuple(ctypes.addressof(value) for value in self._doubles)
        self._rect = pdfium.FS_RECTF()
        self._rect_ref = ctypes.addressof(self._rect)
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.byref(ctypes.c_int())
        self._textpage: Any = None
        self._page: int | None = None
        self._untidy = False
        self._rows: set[float] = set()  # heights of the page's lines that stand beside others

    def read(self, textpage: Any, number: int) -> list[Line]:  # noqa: ANN401 - a ctypes handle
        """Return the lines of a text page in source order.

        Args:
            textpage: PDFium's handle of the loaded text page.
            number: 1-based page number.

        Returns:
            The lines that hold a visible character.
        """
        self._textpage = textpage
        self._page = ctypes.cast(textpage, ctypes.c_void_p).value
        count = pdfium.FPDFText_CountChars(textpage)
        if count <= 0:
            return []
        if count + 1 > len(self._buffer):
            self._buffer = (ctypes.c_ushort * (2 * count))()
        written = max(pdfium.FPDFText_GetText(textpage, 0, count, self._buffer) - 1, 0)
        text = ctypes.string_at(self._buffer, 2 * written).decode("utf-16-le", "replace")
        # Offsets in the text are ranks of characters unless PDFium left some out or the text has surrogate pairs.
        plain = written == count == len(text)
        marks = self._marks(text) if plain else []
        after_mark = dict(marks)
        self._untidy = "  " in text or bool(_UNTIDY.search(text))
        lines: list[Line] = []
        self._rows.clear()
        start = 0
        for found in _BREAKS.finditer(text):
            end = found.start()
            if end > start:
                self._add(lines, number, text, start, end, plain, marks)
            if text[end] == "\ufffe" and lines:
                lines[-1].text += "-"
            start = after_mark.get(found.end(), found.end())
        self._add(lines, number, text, start, len(text), plain, marks)
        if plain and self._rows:
            lines = self._cut_narrow_gaps(lines)
        return lines

    def _add(
        self, lines: list[Line], number: int, text: str, start: int, end: int, plain: bool, marks: list[tuple[int, int]]
    ) -> None:
        raw = text[start:end].rstrip(_BLANK)
        content = raw.lstrip(_BLANK)
        if not content:
            return
        page, refs, doubles = self._page, self._refs, self._doubles
        length = len(content)
        first = start + len(raw) - length
        last = first + length - 1
        if not plain:
            first, last = self._rank(text, first), self._rank(text, last)
        # The loose box has one pointer to fill in instead of four: twice as fast.
        _loose_box(page, last, self._rect_ref)
        right = self._rect.right
        _origin(page, first, refs[0], refs[1])
        left, base = doubles[0].value, doubles[1].value
        # A paragraph number or bullet may be set in another type than its text, a last digit may be a footnote mark.
        sample = first if content[0].isalpha() or content[-1].isdigit() else last
        size = self._size(sample)
        weight = _font_weight(page, first)
        bold = (weight >= _BOLD or weight <= 0) and self._is_bold(first) and self._is_bold(last)
        if plain and right - left > size * (0.56 * length + 2.5) and length > 2:
            cells = self._cells(content, first, size)
            if len(cells) > 1:
                self._rows.add(base)
                lines.extend(_cell_lines(Line("", number, left, right, base, size, bold), cells))
                return
        cleaned = content
        for mark_start, mark_end in marks:
            if first <= mark_start <= last:
                # Later marks first: the offsets of the earlier ones stay as they are.
                cleaned = cleaned[: mark_start - first] + cleaned[mark_end - first :]
        if self._untidy:
            cleaned = _tidy(cleaned)
        if cleaned:
            if lines and left > lines[-1].right + size:
                last_line = lines[-1]
                if len(last_line.text) > _MARK and abs(base - last_line.base) < 1.1 * size:
                    self._rows.add(base)
            lines.append(Line(cleaned, number, left, right, base, size, bold, False, content, first if plain else -1))

    def _rank(self, text: str, offset: int) -> int:
        units = len(text[:offset].encode("utf-16-le", "surrogatepass")) // 2
        rank = pdfium.FPDFText_GetCharIndexFromTextIndex(self._textpage, units)
        return int(rank) if rank >= 0 else units

    def _is_bold(self, rank: int) -> bool:
        weight = _font_weight(self._page, rank)
        if weight > 0:
            return bool(weight >= _BOLD)
        # A font that is not embedded tells its weight by its name alone.
        pdfium.FPDFText_GetFontInfo(self._textpage, rank, self._name, len(self._name), self._flags)
        return bool(_BOLD_NAME.search(self._name.value))

    def _size(self, rank: int) -> float:
        """The type size, also where it stands in the text matrix and not in the font."""
        size = float(_font_size(self._page, rank))
        if size >= _MIN_SIZE:
            return size
        if not _loose_box(self._page, rank, self._rect_ref):
            return 0.0
        return round(float(self._rect.top - self._rect.bottom) / 1.2, 1)

    def _marks(self, text: str) -> list[tuple[int, int]]:
        """Find footnote marks, the last one first."""
        marks = []
        for found in _NUMBER.finditer(text):
            start, end = found.span()
            before = text[start - 1] if start else " "
            if before == "\n":
                is_mark = self._is_in_row(text, start, end)
            elif before.isalpha() or before in _BEFORE_MARK or text[max(start - 3, 0) : start].isdigit():
                # After a year the mark is told from the year's own digits: "2014" and a small "9".
                start += before.isdigit() and end - start == 2 and self._size(start) > self._size(end - 1)
                is_mark = 0 < self._size(start) < 0.8 * self._size(start - 1)
            else:
                continue
            if is_mark:
                marks.append((start, end))
        return marks[::-1]

    def _is_in_row(self, text: str, start: int, end: int) -> bool:
        """Whether a small number stands in the middle of a row, which PDFium breaks before what is set higher."""
        before = len(text[:start].rstrip()) - 1
        after = end + 1 if text[end : end + 1] == " " else len(text)
        if before < 0 or text[after : after + 1].isspace() or after >= len(text):
            return False
        if not 0 < self._size(start) < 0.8 * self._size(after):
            return False
        first, last = self._doubles[1], self._doubles[3]
        _origin(self._page, before, self._refs[0], self._refs[1])
        _origin(self._page, after, self._refs[2], self._refs[3])
        return abs(first.value - last.value) < 1

    def _cut_narrow_gaps(self, lines: list[Line]) -> list[Line]:
        """Near the rows of a table, cut the rows whose cells nearly touch as well."""
        cut: list[Line] = []
        for line in lines:
            reach = _REACH * line.size
            if (
                not line.cell
                and line.start >= 0
                and any(abs(line.base - base) < reach for base in self._rows)
                and _LONE_CELLS.search(line.text)
            ):
                cells = self._cells(line.raw, line.start, line.size)
                if len(cells) > 1:
                    cut.extend(_cell_lines(line, cells))
                    continue
            cut.append(line)
        return cut

    def _cells(self, content: str, first: int, size: float) -> list[tuple[str, float, float]]:
        """Cut a line at its wide gaps; few lines are asked for the box of each word."""
        page, refs, doubles = self._page, self._refs, self._doubles
        cells: list[tuple[str, float, float]] = []
        words: list[str] = []
        cell_left = cell_right = 0.0
        for found in _WORD.finditer(content):
            _box(page, first + found.start(), *refs)
            left = doubles[0].value
            _box(page, first + found.end() - 1, *refs)
            right = doubles[1].value
            if words and left - cell_right > _WIDE_GAP * size:
                cells.append((_tidy(" ".join(words)), cell_left, cell_right))
                words = []
            if not words:
                cell_left = left
            words.append(found[0])
            cell_right = right
        cells.append((_tidy(" ".join(words)), cell_left, cell_right))
        return [cell for cell in cells if cell[0]]


def _tidy(text: str) -> str:
    return fold_spaces(clean_characters(text))


def _cell_lines(line: Line, cells: list[tuple[str, float, float]]) -> list[Line]:
    return [Line(text, line.page, left, right, line.base, line.size, line.bold, True) for text, left, right in cells]
