"""Table rows: cells that stand beside each other, found by place alone."""

from dataclasses import dataclass

from pipeline.reading.lines import Line
from pipeline.reading.text_cleaning import join_lines, strip_bullet, strip_number

_MAX_CELL_LINES = 6
_MAX_LEADING = 1.75  # of the type size, between the lines of one cell


@dataclass(slots=True)
class Row:
    """A table row.

    Attributes:
        text: The cells' texts, one space between.
        lines: The lines that it is made of.
    """

    text: str
    lines: list[Line]


def find_rows(lines: list[Line]) -> list[Line | Row]:
    """Put together the rows of tables; every other line passes as it is.

    Args:
        lines: Lines of one page in source order.

    Returns:
        Lines and rows in source order.
    """
    items: list[Line | Row] = []
    index = 0
    while index < len(lines):
        line = lines[index]
        before = items[-1] if items else None
        if isinstance(before, Line) and _beside(before, line):
            left = _take_left(items, line)
            right = _take_right(lines, index)
            if left and right:
                del items[len(items) - len(left) :]
                items.append(Row(_row_text([*left, *right]), [*left, *right]))
                index += len(right)
                continue
        items.append(line)
        index += 1
    return items


def _beside(left: Line, right: Line) -> bool:
    gap = right.left - left.right
    if gap < right.size or right.base < left.base - 0.6 * left.size:
        return False
    if len(left.text) <= 4 and (strip_bullet(left.text + " x")[1] or strip_number(left.text + " X")[1] is not None):
        return False  # a hanging bullet or number; a year is none
    return left.cell or right.left - left.left > 8 * right.size


def _take_left(items: list[Line | Row], right: Line) -> list[Line]:
    taken: list[Line] = []
    for item in reversed(items):
        if isinstance(item, Row) or item.right > right.left or len(taken) > _MAX_CELL_LINES:
            break
        if taken:
            below = taken[-1]
            leading = item.base - below.base
            if leading < 0.5 * below.size and not below.cell:
                break
            if leading > _MAX_LEADING * below.size or item.size > below.size + 0.6:
                break
            if item.bold != below.bold and (item.bold or strip_number(item.text)[1] is None):
                break  # a number may be set in lighter type than its text
            if strip_number(below.text)[1] is not None and below.left <= item.left + 1:
                break
        taken.append(item)
    if len(taken) > _MAX_CELL_LINES:
        return []
    return taken[::-1]


def _take_right(lines: list[Line], start: int) -> list[Line]:
    first = lines[start]
    taken = [first]
    for line in lines[start + 1 :]:
        last = taken[-1]
        level = abs(line.base - last.base) < 0.5 * line.size
        if level and line.left > last.right:
            taken.append(line)  # the next column
            continue
        below = 0 < last.base - line.base <= _MAX_LEADING * line.size
        if not below or line.left < first.left - 20 or line.cell:
            if line.base > last.base and line.left > last.right and not line.cell:
                taken.append(line)
                continue
            break
        if len(line.text) > 120:
            break
        taken.append(line)
        if len(taken) > 4 * _MAX_CELL_LINES:
            return []
    return taken


def _row_text(lines: list[Line]) -> str:
    text = ""
    for line in lines:
        text = join_lines(text, line.text)
    return text
