"""Reading order of a page's lines, where the file gives them in another one."""

from collections.abc import Sequence
from itertools import pairwise

from pipeline.reading.lines import Line


def order_lines(lines: list[Line]) -> list[Line]:
    """Move what stands at the top of a page, but at the end in the file, to where it is read.

    Columns and the cells of tables keep their order in the file: only what stands wholly above the rest, over the same
    width, moves.

    Args:
        lines: The lines of one page in source order, without running heads and feet.

    Returns:
        The same lines in reading order; the same list where nothing moves.
    """
    rises = [rank for rank, (above, line) in enumerate(pairwise(lines), 1) if _rises(above, line)]
    if not rises:
        return lines
    runs = [lines[start:end] for start, end in zip([0, *rises], [*rises, len(lines)], strict=True)]
    ordered: list[list[Line]] = []
    for run in runs:
        place = len(ordered)
        while place and _stands_above(run, ordered[place - 1]):
            place -= 1
        ordered.insert(place, run)
    return [line for run in ordered for line in run]


def _rises(above: Line, line: Line) -> bool:
    """Whether a line stands higher than the one before it, over the same width."""
    return line.base > above.base + line.size and line.left < above.right and above.left < line.right


def _stands_above(run: Sequence[Line], other: Sequence[Line]) -> bool:
    return min(line.base for line in run) > max(line.base for line in other)
