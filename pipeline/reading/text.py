"""Text and Markdown → Document."""

import re
from itertools import pairwise

from pipeline.errors import DocumentError
from pipeline.reading.document import Block, Document, has_words
from pipeline.reading.formats import decode_text
from pipeline.reading.metadata import find_metadata
from pipeline.reading.text_cleaning import (
    clean_characters,
    fold_spaces,
    join_lines,
    strip_bullet,
    strip_number,
)

_HASHES = re.compile(r"(#{1,6})\s+(.+?)\s*#*$")
_UNDERLINE = re.compile(r"(=|-)\1{2,}$")
_RULE = re.compile(r"(?:[-*_]\s*){3,}$")
_TABLE = re.compile(r"\|.*\|$")
_TABLE_RULE = re.compile(r"[|\s:-]+$")
_CELLS = re.compile(r"\s\|\s")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1|(?<![\w*])\*(?=[^\s*])([^*]+?)(?<=[^\s*])\*(?![\w*])")
_LINK = re.compile(r"!?\[([^\]]*)\]\((?:[^()\s]|\([^()]*\))*(?:\s+\"[^\"]*\")?\)")
_ENDS = re.compile(r"[.!?;:,][’”\"')\]]*$")
_HEADING_LENGTH = 90
_HEADING_LINES = 2  # a wrapped heading has its line below the second
_TITLE_WORDS = 14
_MARKED = 3  # headings of a text that marks them


def read_text(content: bytes) -> Document:
    """Read plain text or Markdown.

    Args:
        content: The bytes of the file.

    Returns:
        The document; its blocks have no page, unless form feeds part the text into pages.

    Raises:
        DocumentError: The bytes are no text, or hold no word.
    """
    text = clean_characters(decode_text(content))
    blocks = _Parser().parse(text)
    if not has_words(blocks):
        raise DocumentError("no readable text in it")
    return Document(find_metadata(blocks), tuple(blocks))


class _Parser:
    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self.kind = "paragraph"
        self.lines: list[str] = []
        self.number = ""  # of the paragraph, as printed
        self.marked = False  # whether the text marks its headings, so that none has to be guessed

    def parse(self, text: str) -> list[Block]:
        """Cut text into blocks, line by line."""
        lines = [line.replace("\t", " ") for line in re.split(r"[\n\v\f]", text)]
        self.marked = _marks_headings(lines)
        for rank, line in enumerate(lines):
            following = lines[rank + 1].strip() if rank + 1 < len(lines) else ""
            self._line(line.strip(), following, rank == 0 or not lines[rank - 1].strip())
        self._close()
        return self.blocks

    def _line(self, line: str, following: str, first: bool) -> None:
        if not line:
            self._close()
            return
        if (
            _UNDERLINE.match(line)
            and 1 <= len(self.lines) <= _HEADING_LINES
            and self.kind == "paragraph"
            and (self.lines[-1].endswith("?") or not _ENDS.search(self.lines[-1]))
        ):
            heading, self.lines = self.number + " ".join(self.lines), []
            self._heading(heading, 1 if line[0] == "=" else 2)
            self._close()
            return
        if _RULE.match(line):
            self._close()
            return
        hashes = _HASHES.match(line)
        if hashes:
            self._close()
            self._heading(hashes[2], len(hashes[1]))
            return
        if _TABLE.match(line):
            self._close()
            if not _TABLE_RULE.match(line):
                cells = [fold_spaces(_unmark(cell)) for cell in line.strip("|").split("|")]
                self._add("table_row", " ".join(cell for cell in cells if cell))
            return
        if line.startswith(">"):
            line = line.lstrip("> ")
            if not line:
                self._close()
                return
        rest, bullet = strip_bullet(line)
        if bullet:
            self._close()
            self.kind = "bullet"
            self.lines = [rest]
            return
        rest, number = strip_number(line)
        if number is not None and (first or self.kind == "bullet" or not self.lines or _ENDS.search(self.lines[-1])):
            self._close()
            self.lines = [rest]
            self.number = line.removesuffix(rest)
            return
        if first and not following and not self.marked and _is_heading(line):
            self._close()
            self._heading(line, 2)
            return
        self.lines.append(line)

    def _heading(self, text: str, level: int) -> None:
        first = not self.blocks
        title = first and level <= 2
        self._add("title" if title else "heading", _unmark(text), 0 if title else max(level - 1, 1))

    def _close(self) -> None:
        if self.kind == "paragraph" and any(_CELLS.search(line) for line in self.lines):
            self._rows()
        else:
            text = ""
            for line in self.lines:
                text = join_lines(text, line)
            if text:
                self._add(self.kind, _unmark(text))
        self.kind, self.lines, self.number = "paragraph", [], ""

    def _rows(self) -> None:
        """A table without bars at its sides: a row a line where each has cells, else one row over several lines."""
        lines = [line for line in self.lines if not _TABLE_RULE.match(line)]
        rows = lines if all(_CELLS.search(line) for line in lines) else [" ".join(lines)]
        rows[0] = self.number + rows[0]
        for row in rows:
            self._add("table_row", " ".join(_unmark(cell) for cell in _CELLS.split(row)))

    def _add(self, kind: str, text: str, level: int = 0) -> None:
        text = fold_spaces(text)
        if text:
            self.blocks.append(Block(kind, text, level=level))


def _marks_headings(lines: list[str]) -> bool:
    """Whether more headings than the title are underlined or begin with #."""
    underlined = sum(
        bool(_UNDERLINE.match(line.strip()) and above.strip() and not _TABLE_RULE.match(above))
        for above, line in pairwise(lines)
    )
    return underlined + sum(bool(_HASHES.match(line.strip())) for line in lines) >= _MARKED


def _is_heading(line: str) -> bool:
    """A short line all alone, without an end, that begins as a heading does."""
    bare = _unmark(line)
    return (
        len(bare) <= _HEADING_LENGTH
        and len(bare.split()) <= _TITLE_WORDS
        and not _ENDS.search(bare)
        and (bare[:1].isupper() or bare[:1].isdigit())
        and any(char.isalpha() for char in bare)
        and not re.match(r"[^:]{3,40}: *\S", bare)
        and not _CELLS.search(bare)
    )


def _unmark(text: str) -> str:
    text = _LINK.sub(r"\1", text)
    return (
        _EMPHASIS.sub(lambda found: found[2] or found[3], text).replace("\\", "")
        if "*" in text or "_" in text
        else text
    )
