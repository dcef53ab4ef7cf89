"""Tables for a terminal."""

from collections.abc import Sequence


def align_columns(rows: Sequence[Sequence[str]]) -> str:
    """Lay rows out so that their columns stand below each other.

    Args:
        rows: Cells, as many in each row; the first row is usually the head.

    Returns:
        A line a row.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
