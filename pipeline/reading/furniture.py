"""Running heads, running feet and page numbers: found by their repetition, taken out, and listed."""

import re
from collections import defaultdict

from pipeline.reading.lines import Line

_MARGIN = 0.13  # of the page's height, above and below
_DEPTH = 5  # lines from the page's edge that can be furniture
_MIN_NUMBER_SIZE = 7.5
_DIGITS = re.compile(r"\d\d*")  # found faster than one that begins with a repetition
_PAGE_NUMBER = re.compile(
    r"(?!(?:19|20)\d\d$)(?:page\s*)?\d{1,4}(?:\s*(?:of|/)\s*\d{1,4})?|[-–—]\s*\d{1,4}\s*[-–—]|[ivxl]{1,6}", re.I
)


def remove_furniture(pages: list[list[Line]], heights: list[float]) -> tuple[list[list[Line]], list[str]]:
    """Take out lines that stand at the edge of many pages, digits apart the same, and page numbers.

    Args:
        pages: The lines of every page.
        heights: The height of every page, in points.

    Returns:
        The pages without those lines, and the text of each line taken out, in page order.
    """
    edges = [_edge_lines(lines, height) for lines, height in zip(pages, heights, strict=True)]
    seen: defaultdict[tuple[str, str], set[int]] = defaultdict(set)
    keys = [
        {rank: (zone, _mask(lines[rank].text)) for rank, zone in edge.items()}
        for lines, edge in zip(pages, edges, strict=True)
    ]
    for index, masked in enumerate(keys):
        for key in masked.values():
            seen[key].add(index)
    needed = max(2, min(len(pages) // 6, 6))
    repeated = {key for key, where in seen.items() if len(where) >= needed}
    kept: list[list[Line]] = []
    dropped: list[str] = []
    for lines, masked in zip(pages, keys, strict=True):
        out = {
            rank
            for rank, key in masked.items()
            if _is_page_number(lines[rank]) or (key in repeated and not lines[rank].text.isdigit())
        }
        dropped.extend(lines[rank].text for rank in sorted(out))
        kept.append([line for rank, line in enumerate(lines) if rank not in out] if out else lines)
    return kept, dropped


def _is_page_number(line: Line) -> bool:
    # A smaller digit is the mark of a footnote.
    return line.size >= _MIN_NUMBER_SIZE and bool(_PAGE_NUMBER.fullmatch(line.text))


def _mask(text: str) -> str:
    return _DIGITS.sub("#", text).casefold().replace(" ", "")


def _edge_lines(lines: list[Line], height: float) -> dict[int, str]:
    low, high = height * _MARGIN, height * (1 - _MARGIN)
    top = [rank for rank, line in enumerate(lines) if line.base > high]
    bottom = [rank for rank, line in enumerate(lines) if line.base < low]
    top.sort(key=lambda rank: -lines[rank].base)
    bottom.sort(key=lambda rank: lines[rank].base)
    return {**dict.fromkeys(top[:_DEPTH], "top"), **dict.fromkeys(bottom[:_DEPTH], "bottom")}
