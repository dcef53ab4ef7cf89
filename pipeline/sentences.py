"""Document → sentence table: one row a sentence, every row with its page, section and the grade over that section."""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipeline.reading.arrow_columns import integer_array, repeated_string, string_array
from pipeline.reading.document import Block, Document
from pipeline.reading.grades import canonical_grade, heading_grade, row_grade
from pipeline.reading.text_cleaning import strip_number
from pipeline.splitter import split_sentences

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["SENTENCE_COLUMNS", "normalise", "sentence_key", "sentence_schema", "sentence_table", "split_sentences"]

# What is never prose: its labels nobody disputes, and how much there is of it hangs on the layout.
LAYOUT_KINDS = frozenset({"title", "heading", "contents", "boilerplate", "table_row"})
SENTENCE_COLUMNS = (
    "report",
    "report_id",
    "doc_type",
    "framework",
    "provider",
    "published",
    "page",
    "section",
    "section_grade",
    "kind",
    "paragraph",
    "position",
    "text",
    "key",
)
# Every other column is of pandas's "str", which stays text, also in Parquet, where it holds nothing but nulls.
_DTYPES: dict[str, Any] = {"page": "Int64", "paragraph": "int64", "position": "int64"}
_OF_THE_DOCUMENT = frozenset({"report", "report_id", "doc_type", "framework", "provider", "published"})
_NO_LETTER = re.compile(r"[\W_]+")
_DASH = re.compile(" [–—-] ")
_PRINTED_MARKS = "’‘“”–—"
_FOLDED = bytes(ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32 for code in range(256))
_WHOLE_KINDS = frozenset({"title", "heading", "table_row", "contents"})


def normalise(text: str) -> str:
    """Reduce a text to what makes it the same sentence in another print.

    Args:
        text: Any text.

    Returns:
        NFKC, lower case, everything but letters and digits as one space, stripped.
    """
    if not text.isascii():
        for mark in _PRINTED_MARKS:
            if mark in text:
                text = text.replace(mark, " ")
    if text.isascii():
        # The same as below, in a tenth of the time; nearly every sentence comes this way.
        return b" ".join(text.encode().translate(_FOLDED).split()).decode()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower())
    return _NO_LETTER.sub(" ", folded).strip()


def sentence_key(text: str) -> str:
    """Return the hash under which labels know a sentence.

    Args:
        text: The sentence.

    Returns:
        SHA-256 of the normalised text, in hex.
    """
    return hashlib.sha256(normalise(text).encode()).hexdigest()


def sentence_schema() -> "pa.Schema":
    """Give the columns of a sentence table with their types.

    Returns:
        `SENTENCE_COLUMNS`: whole numbers and strings.
    """
    import pyarrow as pa

    return pa.schema([(name, pa.int64() if name in _DTYPES else pa.string()) for name in SENTENCE_COLUMNS])


def sentence_table(document: Document, report: str, report_id: str) -> "pa.Table":
    """Cut a document into sentences, without loading pandas.

    Args:
        document: The document as read.
        report: File name as given.
        report_id: First 16 hex digits of the SHA-256 of the file's bytes.

    Returns:
        An Arrow table with `SENTENCE_COLUMNS`; the same types whatever the document holds.
    """
    import pyarrow as pa

    # What pandas needs to know to give every table the same types, whatever is null in it.
    types = [{"name": name, "field_name": name, "numpy_type": _DTYPES.get(name, "str")} for name in SENTENCE_COLUMNS]
    described = [{**column, "pandas_type": None, "metadata": None} for column in types]
    pandas = {"index_columns": [], "column_indexes": [], "columns": described, "pandas_version": "3"}
    schema = sentence_schema().with_metadata({"pandas": json.dumps(pandas)})
    columns = _columns(document, report, report_id)
    return pa.Table.from_arrays([_array(name, columns[name]) for name in SENTENCE_COLUMNS], schema=schema)


def _array(name: str, values: list[Any]) -> "pa.Array":
    if name in _DTYPES:
        return integer_array(values)
    if name in _OF_THE_DOCUMENT and values:
        return repeated_string(values[0], len(values))
    return string_array(values)


def _columns(document: Document, report: str, report_id: str) -> dict[str, list[Any]]:
    pages: list[int | None] = []
    sections: list[str | None] = []
    grades: list[str | None] = []
    kinds: list[str] = []
    paragraphs: list[int] = []
    texts: list[str] = []
    outline = _Outline(document.blocks)
    for paragraph, block in enumerate(document.blocks, 1):
        section, grade = outline.enter(paragraph - 1)
        whole = block.kind in _WHOLE_KINDS
        for offset, text in [(0, block.text)] if whole else split_sentences(block.text):
            pages.append(block.page_at(offset) if block.page_starts else block.page)
            sections.append(section)
            grades.append(grade)
            kinds.append(block.kind)
            paragraphs.append(paragraph)
            texts.append(text)
    count = len(texts)
    meta = document.metadata
    return {
        "report": [report] * count,
        "report_id": [report_id] * count,
        "doc_type": [meta.doc_type] * count,
        "framework": [meta.framework] * count,
        "provider": [meta.provider] * count,
        "published": [meta.published] * count,
        "page": pages,
        "section": sections,
        "section_grade": grades,
        "kind": kinds,
        "paragraph": paragraphs,
        "position": list(range(1, count + 1)),
        "text": texts,
        "key": [sentence_key(text) for text in texts],
    }


def _stem(heading: str) -> str:
    """A heading without what tells it from its like: "Findings – the board"."""
    return _DASH.split(heading, maxsplit=1)[0].casefold()


@dataclass(slots=True)
class _Section:
    level: int
    grade: str | None
    holds: bool  # whether headings of the same level that recur ("Summary") stand below this one


class _Outline:
    """Follows headings through a document: the section that a block stands in, and the grade over it."""

    def __init__(self, blocks: tuple[Block, ...]) -> None:
        self._blocks = blocks
        self._rows: dict[str, str] = {}
        self._judgements: dict[int, str] = {}
        self._find_rows()
        headings = Counter(_stem(block.text) for block in blocks if block.kind == "heading")
        self._recurring = {text for text, count in headings.items() if count > 1}
        self._first_page = blocks[0].page if blocks else None
        self._stack: list[_Section] = []
        self._section: str | None = None
        self._section_page: int | None = None
        self._below_heading = False

    def enter(self, rank: int) -> tuple[str | None, str | None]:
        """Return section and grade of the block of that rank; a heading stands in the section that it opens."""
        block = self._blocks[rank]
        if block.kind == "boilerplate":
            return None, None
        if block.aside and block.page != self._section_page:
            return None, None  # a footnote, or the imprint at the end: no part of the section that went on so far
        if block.kind in ("title", "heading"):
            self._enter_heading(block)
        elif rank in self._judgements:
            # A table of one judgement opens a section as a heading does.
            self._push(self._level_after(rank), self._judgements[rank], True)
        elif self._below_heading:
            self._below_heading = False
            self._grade_last(canonical_grade(block.text))
        return self._section, next((section.grade for section in reversed(self._stack) if section.grade), None)

    def _enter_heading(self, block: Block) -> None:
        grade = canonical_grade(block.text)
        if grade and self._below_heading and self._stack:
            self._grade_last(grade)  # the grade stands on a line of its own under the heading
            return
        grade = heading_grade(block.text) or self._rows.get(normalise(strip_number(block.text)[0]))
        if grade and self._below_heading and self._repeats_section(block.text):
            # "The board (LSCB)", and below it, in smaller type, "The board requires improvement"
            self._stack[-1].grade, self._stack[-1].holds = grade, True
        front = block.page is not None and block.page == self._first_page
        self._push(block.level, grade, grade is not None and not front, _stem(block.text) in self._recurring)
        self._section = block.text
        self._section_page = block.page
        self._below_heading = True

    def _repeats_section(self, heading: str) -> bool:
        row = row_grade(heading)
        if row is None or not self._stack or self._stack[-1].grade or not self._section:
            return False
        return normalise(self._section).startswith(normalise(row[0]))

    def _grade_last(self, grade: str | None) -> None:
        if grade and self._stack:
            self._stack[-1].grade = grade

    def _push(self, level: int, grade: str | None, holds: bool, recurring: bool = False) -> None:
        while self._stack and self._stack[-1].level >= level:
            if self._stack[-1].holds and recurring and not grade:
                break
            self._stack.pop()
        self._stack.append(_Section(level, grade, holds))

    def _level_after(self, rank: int) -> int:
        following = (block.level for block in self._blocks[rank:] if block.kind == "heading")
        return max(next(following, 1) - 1, 1)

    def _find_rows(self) -> None:
        """Read the tables: grades by name, and the tables that hold one judgement alone."""
        run: list[tuple[int, str]] = []
        for rank, block in enumerate((*self._blocks, None)):
            if block is not None and block.kind == "table_row":
                row = row_grade(block.text)
                if row:
                    self._rows.setdefault(normalise(row[0]), row[1])
                    run.append((rank, row[1]))
                continue
            if len(run) == 1:
                self._judgements[run[0][0]] = run[0][1]
            run = []
