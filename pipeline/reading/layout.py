"""Lines of pages → blocks in reading order: headings by their type, paragraphs over page ends, bullets, table rows."""

import re
from dataclasses import dataclass, field

from pipeline.reading.body_type import measure_body
from pipeline.reading.document import Block
from pipeline.reading.furniture import remove_furniture
from pipeline.reading.grades import heading_grade
from pipeline.reading.levels import rank_headings
from pipeline.reading.lines import Line
from pipeline.reading.notes import join_notes, split_notes
from pipeline.reading.order import order_lines
from pipeline.reading.tables import Row, find_rows
from pipeline.reading.text_cleaning import join_lines, strip_bullet, strip_number

_ENDS = re.compile(r"[.!?:;][’”\"')\]]*$")
_STOPS = re.compile(r"[.;,][’”\"')\]]*$")
_END_MARK = re.compile(r"[.!?:;,’”\"')\]]+")
_LETTER = re.compile(r"[^\W\d_]")
_LABELLED = re.compile(r"[A-Z][\w ()/-]{2,35}: *\S")
_DATED = re.compile(r"[^:]{3,40}: *\S.*\b(?:19|20)\d\d\b")
_FACT = re.compile(r"[^:]{3,40}: *\S.*\d|[^:]{3,40}: *[A-Z]\S+ [A-Z]")
_TAIL = 6  # characters that tell whether a text has ended
_MAX_HEADING = 220
_SMALLER = 1.5  # points below the body type


@dataclass(slots=True)
class _Open:
    """A block that still takes lines."""

    kind: str
    text: str
    page: int
    line: Line
    left: float
    hang: float | None = None
    number: int | None = None
    starts: list[tuple[int, int]] = field(default_factory=list)
    lines: int = 1
    bold: bool = False  # of the first line


class _Builder:
    """Puts lines together, one after the other."""

    def __init__(self, pages: list[list[Line]]) -> None:
        measured = measure_body(pages)
        self.body, self.leading, self.right = measured.size, measured.leading, measured.right
        self.blocks: list[Block] = []
        self.types: list[tuple[float, bool] | None] = []
        self.open: _Open | None = None
        self.notes: list[Block] = []
        self.last_number = 0
        self.mark: tuple[str, Line, int | None] | None = None

    def page(self, lines: list[Line]) -> None:
        """Take the lines of one page, furniture gone."""
        body, notes = split_notes(lines, self.body)
        items = find_rows(body)
        for rank, item in enumerate(items):
            if isinstance(item, Line):
                self._line(item)
                continue
            self._close()
            alone = not any(isinstance(other, Row) for other in items[max(rank - 1, 0) : rank + 2] if other is not item)
            if alone and all(self._is_heading(line) for line in item.lines):
                # A heading with its grade set apart on the same line.
                first = item.lines[0]
                self._add(Block("heading", item.text, first.page), (round(first.size), first.bold))
            else:
                self._add(Block("table_row", item.text, item.lines[0].page))
        self.notes.extend(join_notes(notes))

    def finish(self) -> list[Block]:
        """Close the last block and return all."""
        self._close()
        self._flush_notes()
        return rank_headings(self.blocks, self.types)

    def _line(self, line: Line) -> None:
        if line.text.isdigit() and self._is_mark(line):
            return
        if self.open is not None and self._is_end(self.open.line, line):
            self.open.text += line.text
            return
        # Most lines begin with a letter: neither bullet ("o" apart) nor number.
        lettered = line.text[0].isalpha() and line.text[:2] not in ("o", "o ")
        stripped, bullet = (line.text, False) if lettered else strip_bullet(line.text + " ")
        stripped = stripped.strip()
        if bullet and not stripped:
            self.mark = ("bullet", line, None)
            return
        number: int | None = None
        if not bullet and not lettered:
            if self._is_lone_number(line):
                self.mark = ("paragraph", line, int(line.text.rstrip(".)")))
                return
            rest, number = strip_number(line.text)
            if number is not None and self._is_number(line, number):
                stripped = rest
            else:
                number, stripped = None, line.text
        left = line.left
        if self.mark is not None:
            kind, marked, marked_number = self.mark
            self.mark = None
            if abs(marked.base - line.base) < 0.6 * line.size and marked.left < line.left and not bullet:
                bullet, number, left = kind == "bullet", marked_number, marked.left
        if bullet:
            self._start("bullet", stripped, line, left)
        elif number is not None:
            self._start("paragraph", stripped, line, left, number)
            self.last_number = number
        elif self.open is not None and self._carries_on(self.open, line):
            self._extend(self.open, line)
        elif self._is_heading(line):
            self._heading(line)
        elif self.open is not None and self._continues(self.open, line):
            self._extend(self.open, line)
        else:
            self._start("paragraph", line.text, line, left)

    def _is_number(self, line: Line, number: int) -> bool:
        if line.size > self.body + 0.9 or number == 0:
            return False
        opened = self.open
        if opened is None or opened.kind == "heading" or number == self.last_number + 1:
            return True
        if not _ENDS.search(opened.text[-_TAIL:]):
            return False
        return line.left < (opened.hang if opened.hang is not None else opened.left + 1) - 3

    def _is_mark(self, line: Line) -> bool:
        """Whether a number is a footnote mark that PDFium put on a line of its own."""
        if line.size < 0.75 * self.body:
            return True
        last = self.open.line if self.open is not None else line
        return line.size < 0.75 * last.size and 0 < line.base - last.base < last.size and line.left - last.right < 2

    @staticmethod
    def _is_end(last: Line, line: Line) -> bool:
        """Whether a line is the full stop or colon of the one before it, set apart because its type differs."""
        touches = last.page == line.page and abs(last.base - line.base) < 1 and abs(line.left - last.right) < 2
        return touches and bool(_END_MARK.fullmatch(line.text))

    def _is_lone_number(self, line: Line) -> bool:
        bare = line.text.rstrip(".)")
        if not bare.isdigit() or len(bare) > 3 or line.left > 0.4 * self.right:
            return False
        opened = self.open
        if opened is None or opened.kind == "heading" or _ENDS.search(opened.text[-_TAIL:]):
            return True
        return line.left < (opened.hang if opened.hang is not None else opened.left + 1) - 3

    def _is_heading(self, line: Line) -> bool:
        larger = line.size > self.body + 0.9 or (line.bold and line.size > self.body - 1.6)
        return larger and bool(_LETTER.search(line.text))

    def _heading(self, line: Line) -> None:
        opened = self.open
        if (
            opened is not None
            and opened.kind == "heading"
            and abs(opened.line.size - line.size) < 0.6
            and opened.line.page == line.page
            and (self._is_joined(opened, line) or self._is_same(opened.line, line))
            and not (_LABELLED.match(line.text) and self._broke_early(opened.line, line))
            and not _DATED.fullmatch(opened.text)
        ):
            self._extend(opened, line)
        else:
            self._start("heading", line.text, line, line.left)

    @staticmethod
    def _is_same(last: Line, line: Line) -> bool:
        return last.bold == line.bold and 0 <= last.base - line.base < 1.45 * line.size

    @staticmethod
    def _is_joined(opened: _Open, line: Line) -> bool:
        """Whether a heading goes on in lighter or bolder type: from a small letter, or after a lone small word."""
        if not 0 <= opened.line.base - line.base < 2 * line.size or _ENDS.search(opened.text[-_TAIL:]):
            return False
        last = opened.line.text
        return line.text[0].islower() or (opened.lines > 1 and last.isalpha() and last.islower() and len(last) <= _TAIL)

    def _carries_on(self, opened: _Open, line: Line) -> bool:
        """Whether a line in the type of a heading is text: a sentence's last words in bold, a bullet in large type."""
        if opened.kind == "heading" or not self._is_heading(line):
            return False
        if opened.kind == "bullet" and self._is_heading(opened.line):
            return opened.line.bold == line.bold and self._continues(opened, line)
        last = opened.line
        return (
            line.text[0].islower()
            and last.page == line.page
            and not _ENDS.search(opened.text[-_TAIL:])
            and not self._broke_early(last, line)
            and self._continues(opened, line)
        )

    def _continues(self, opened: _Open, line: Line) -> bool:
        last = opened.line
        ended = bool(_ENDS.search(opened.text[-_TAIL:]))
        lower = line.text[0].islower()
        if opened.kind == "heading" or abs(last.size - line.size) > (1.6 if lower and not ended else 0.9):
            return False
        if last.page != line.page:
            if not ended or lower:
                return True
            return opened.hang is not None and opened.hang > opened.left + 4 and abs(line.left - opened.hang) < 4
        gap = last.base - line.base
        if abs(gap) < 0.5 * line.size:
            return True
        if gap < 0 or gap > self.leading * 1.27 * min(1.0, (line.size + 1) / self.body):
            # A sentence goes on over a wider gap (a mark or a box between), unless its line was meant to end.
            return not ended and lower and -line.size < gap < 4 * self.leading and not self._broke_early(last, line)
        if opened.hang is None:
            # After a bullet or a number the second line hangs, or stands under the mark.
            if line.left < opened.left - 4 and ended:
                return False
        elif line.left < opened.hang - 6 and ended and not lower:
            return False
        if lower or not self._broke_early(last, line):
            return True
        return not ended and not _LABELLED.match(line.text)

    def _broke_early(self, last: Line, line: Line) -> bool:
        """Whether the next word would have found room on the last line: then its end was meant."""
        width = (line.right - line.left) / max(len(line.text), 1)
        return last.right + width * (len(line.text.split(None, 1)[0]) + 2) < self.right - 12

    def _start(self, kind: str, text: str, line: Line, left: float, number: int | None = None) -> None:
        self._close()
        self.open = _Open(kind, text, line.page, line, left, number=number, bold=line.bold)
        if left < line.left:
            self.open.hang = line.left

    def _extend(self, opened: _Open, line: Line) -> None:
        joined = join_lines(opened.text, line.text)
        if line.page != opened.line.page:
            opened.starts.append((len(joined) - len(line.text), line.page))
        if opened.hang is None and abs(opened.line.base - line.base) > 0.5 * line.size:
            opened.hang = line.left
        opened.text = joined
        opened.line = line
        opened.lines += 1

    def _close(self) -> None:
        opened, self.open = self.open, None
        if opened is None:
            return
        kind, text = opened.kind, opened.text
        if kind == "heading" and (
            len(text) > _MAX_HEADING or (opened.line.size < self.body + 0.9 and self._is_prose(text))
        ):
            kind = "paragraph"
        if kind == "heading" and _DATED.fullmatch(text):
            kind = "paragraph"
        aside = kind == "paragraph" and opened.line.size < self.body - _SMALLER
        block = Block(kind, text, opened.page, tuple(opened.starts), aside=aside)
        self._add(block, (round(opened.line.size), opened.bold) if kind == "heading" else None)

    @staticmethod
    def _is_prose(text: str) -> bool:
        """Whether bold text of body size is no heading; one that gives a grade may end in a full stop."""
        return bool(_FACT.match(text) or _STOPS.search(text)) and not (len(text) < _MAX_HEADING and heading_grade(text))

    def _add(self, block: Block, type_: tuple[float, bool] | None = None) -> None:
        # Notes wait until a paragraph that runs over the page end is whole.
        if self.notes and block.page is not None and self.notes[0].page is not None and block.page > self.notes[0].page:
            self._flush_notes()
        self.blocks.append(block)
        self.types.append(type_)

    def _flush_notes(self) -> None:
        self.blocks.extend(self.notes)
        self.types.extend([None] * len(self.notes))
        self.notes = []


def lay_out(pages: list[list[Line]], heights: list[float]) -> tuple[list[Block], list[str]]:
    """Turn the lines of a document's pages into blocks.

    Args:
        pages: The lines of every page, in source order.
        heights: The height of every page, in points.

    Returns:
        Blocks in reading order, and the running heads, feet and page numbers left out.
    """
    kept, dropped = remove_furniture(pages, heights)
    kept = [order_lines(lines) for lines in kept]
    builder = _Builder(kept)
    for lines in kept:
        builder.page(lines)
    return builder.finish(), dropped
