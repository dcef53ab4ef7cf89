"""Footnotes: told from the text by their place and small type, and kept apart from the sentence they interrupt."""

import re

from pipeline.reading.document import Block
from pipeline.reading.lines import Line
from pipeline.reading.text_cleaning import join_lines

_START = re.compile(r"(?:\d{1,2}|\*)(?:\s+|$)")
_SMALLER = 0.9  # points below the body type


def split_notes(lines: list[Line], body: float) -> tuple[list[Line], list[Line]]:
    """Set apart a page's footnotes: the small type below its last line of body type.

    Args:
        lines: The lines of the page.
        body: The size of the body type.

    Returns:
        The other lines, and those of the footnotes.
    """
    small = [line for line in lines if line.size < body - _SMALLER]
    if not small:
        return lines, []
    floor = min((line.base for line in lines if line.size >= body - _SMALLER), default=0.0)
    notes = [line for line in small if line.base < floor - 2]
    if not notes or not _START.match(notes[0].text):
        return lines, []
    taken = {id(line) for line in notes}
    return [line for line in lines if id(line) not in taken], notes


def join_notes(lines: list[Line]) -> list[Block]:
    """Join the lines of footnotes, each note without its mark.

    Args:
        lines: The lines that `split_notes` set apart.

    Returns:
        One paragraph a note.
    """
    notes: list[Block] = []
    text, page = "", 0
    for line in lines:
        start = _START.match(line.text)
        if start and text:
            notes.append(Block("paragraph", text, page, aside=True))
            text = ""
        part = line.text[start.end() :] if start else line.text
        if part:
            text, page = join_lines(text, part), line.page
    return [*notes, Block("paragraph", text, page, aside=True)] if text else notes
