"""Grades that a document prints over its sections."""

import re

from pipeline.reading.text_cleaning import strip_number

GRADES = ("outstanding", "good", "requires improvement", "inadequate")

GRADE_PATTERN = r"(outstanding|good|requires? improvement(?: to be good)?|inadequate)"
_ALONE = re.compile(rf"{GRADE_PATTERN}[.*]?", re.I)
# Few texts end in the word of a grade; to look for that first takes a tenth of the time.
_LAST_WORD = re.compile(r"(?:outstanding|good|improvement|inadequate)[.*]?$", re.I)
_REACH = 13  # characters of the longest match of it: a word, a mark, a line end
_AT_END = re.compile(rf"(?:[:–—|-]|\b(?:is|are|was|were|judged|grade|judgement))?\s*\b{GRADE_PATTERN}[.*]?$", re.I)


def canonical_grade(text: str) -> str | None:
    """Read a text that is a grade and nothing else.

    Args:
        text: For instance "Requires improvement to be good".

    Returns:
        One of `GRADES`, or None.
    """
    found = _ALONE.fullmatch(text.strip())
    return _canonical(found[1]) if found else None


def heading_grade(text: str) -> str | None:
    """Find the grade that a heading ends in.

    Args:
        text: For instance "The experiences of care leavers: good".

    Returns:
        One of `GRADES`, or None.
    """
    found = row_grade(text)
    return found[1] if found else None


def row_grade(text: str) -> tuple[str, str] | None:
    """Read a table row "name grade".

    Args:
        text: A row, its cells joined by spaces.

    Returns:
        The name without its number and one of `GRADES`, or None where the row ends in no grade.
    """
    found = _AT_END.search(text) if _LAST_WORD.search(text[-_REACH:]) else None
    name = strip_number(text[: found.start()].strip(" |:"))[0] if found else ""
    return (name, _canonical(found[1])) if found and name else None


def _canonical(text: str) -> str:
    lowered = text.lower()
    return "requires improvement" if lowered.startswith("require") else lowered
