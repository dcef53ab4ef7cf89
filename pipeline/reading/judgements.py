"""The judgements that a document prints, from its tables, headings and printed sentences of judgement."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pipeline.reading.dates import DATE_PATTERN
from pipeline.reading.document import Block
from pipeline.reading.grades import GRADE_PATTERN, canonical_grade, row_grade
from pipeline.reading.text_cleaning import strip_number

OVERALL = "Overall effectiveness"
_BOARD = "Local Safeguarding Children Board"
_MAX_NAME = 160
_MAX_LINE = 80
_FEW = 3  # blocks after a heading that can hold the sentence of judgement
# A heading says a grade as such after a mark or a verb, or as a cell of its own with a capital letter.
_STATED = re.compile(
    rf"(?:[:–—|-]\s*|\b(?:is|are|judged|it|they)\s+){GRADE_PATTERN}[.*]?$|\brequires? improvement", re.I
)
_CELL = re.compile(r"\s(?:Outstanding|Good|Requires? [Ii]mprovement(?: to be good)?|Inadequate)$")
_PAIR = re.compile(rf"([^:;|]+):\s*{GRADE_PATTERN}\b", re.I)
_OVERALL = re.compile(
    r"^(?:overall:? )?(?:the )?(?:overall (?:judgement|judgment|effectiveness|rating|grade)\b"
    r"|(?:local authority )?(?:children[’']s services|services for children)\b[^.]{0,80}$)",
    re.I,
)
_NAMED = re.compile(
    r"^the graded judge?ment (?:for|about|on|of) (?:the )?(.+?)(?: is| are)?(?: that (?:it|they))?$", re.I
)
_BOARD_NAMES = re.compile(r"\bsafeguarding children(?: board)?\b|\b[A-Z]?SCB\b", re.I)
_SAID = re.compile(rf"The overall judge?ment is(?: that [^.]{{3,90}} (?:is|are))? {GRADE_PATTERN}\.?", re.I)
_VERB = re.compile(r"\s+(?:is|are|is that|is that it|is that they|it|they|judged)$", re.I)
# Of other inspections than this one, and keys to the grades.
_ELSEWHERE = re.compile(rf"\b(?:previous|previously|last)\b|{DATE_PATTERN}|^\s*(?:grade|judgement|rating)s?\s*$", re.I)
_EXPERIENCES = re.compile(r"^(?:the )?(?:experiences? and progress of )?(?:the )?")


def find_judgements(blocks: Sequence[Block], tables_only: bool = False) -> tuple[tuple[str, str], ...]:
    """Find every judgement that a document prints, each once.

    Args:
        blocks: Its blocks in reading order.
        tables_only: Whether headings are no judgements, as in news, where they retell.

    Returns:
        (name, grade) in document order; the name as printed first, the grade one of `grades.GRADES`.
    """
    found: dict[str, tuple[str, str]] = {}
    for name, grade in _candidates(blocks, tables_only):
        key = _key(name)
        if key and key not in found:
            found[key] = (name, grade)
    return tuple(found.values())


def _candidates(blocks: Sequence[Block], tables_only: bool) -> Iterator[tuple[str, str]]:
    previous: Block | None = None
    for kind, run in groupby(blocks, key=lambda block: block.kind):
        group = list(run)
        if kind == "table_row":
            yield from _rows(_whole_first(previous, group))
        elif kind in ("title", "heading") and not tables_only:
            yield from _headings(group)
        elif not tables_only:
            grade = canonical_grade(group[0].text)
            if grade and previous is not None and previous.kind == "heading":
                yield from _judgement(previous.text, grade)  # on a line of its own under its heading
            for block in group[:_FEW]:
                said = _SAID.fullmatch(block.text)
                if said:
                    yield OVERALL, canonical_grade(said[1]) or ""
        previous = group[-1]


def _whole_first(previous: Block | None, rows: list[Block]) -> list[Block]:
    """Table rows, the first one with the line above where its name began there."""
    if previous is None or previous.kind != "paragraph" or len(previous.text) > _MAX_LINE:
        return rows
    if previous.text[-1:].isalpha() and rows[0].text[:1].islower():
        return [Block("table_row", f"{previous.text} {rows[0].text}"), *rows[1:]]
    return rows


def _rows(group: Iterable[Block]) -> Iterator[tuple[str, str]]:
    for block in group:
        pairs = _PAIR.findall(block.text) if ":" in block.text else []
        if len(pairs) > 1:
            for name, grade in pairs:
                yield from _judgement(name, canonical_grade(grade))
            continue
        row = row_grade(block.text)
        if row:
            yield from _judgement(*row)


def _headings(group: Sequence[Block]) -> Iterator[tuple[str, str]]:
    for rank, block in enumerate(group):
        grade = canonical_grade(block.text)
        if grade and rank:
            yield from _judgement(group[rank - 1].text, grade)
            continue
        row = row_grade(block.text)
        if row and (_STATED.search(block.text) or _CELL.search(block.text)):
            yield from _judgement(*row)


def _judgement(name: str, grade: str | None) -> Iterator[tuple[str, str]]:
    name = strip_number(_VERB.sub("", name.strip(" |:–—-*")))[0]
    if not grade or len(name) > _MAX_NAME or _ELSEWHERE.search(name) or not any(char.isalpha() for char in name):
        return
    named = _NAMED.match(name)
    if _BOARD_NAMES.search(name):
        name = _BOARD
    elif named:
        name = named[1][:1].upper() + named[1][1:]
    elif _OVERALL.match(name):
        name = OVERALL
    yield name, grade


def _key(name: str) -> str:
    return _EXPERIENCES.sub("", " ".join(re.findall(r"\w+", name.casefold())))
