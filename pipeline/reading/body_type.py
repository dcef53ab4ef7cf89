"""The type in which most of a document is set, against which headings, notes and ends of paragraphs are told."""

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from pipeline.reading.lines import Line

_SAMPLE = 60  # pages


@dataclass(frozen=True, slots=True)
class BodyType:
    """The body type.

    Attributes:
        size: Its size, in points.
        leading: Distance from one base line to the next, in points.
        right: The right margin: where full lines end, in points from the page's left edge.
    """

    size: float
    leading: float
    right: float


def measure_body(pages: list[list[Line]]) -> BodyType:
    """Measure the body type on a document's first pages.

    Args:
        pages: The lines of every page, without running heads and feet.

    Returns:
        The type in which most characters are set; that of a plain page where there is no text.
    """
    pages = pages[:_SAMPLE]
    sizes = Counter[float]()
    for lines in pages:
        for line in lines:
            sizes[round(line.size * 2) / 2] += len(line.text)
    size = sizes.most_common(1)[0][0] if sizes else 12.0
    rights = sorted(line.right for lines in pages for line in lines if abs(line.size - size) < 0.6)
    right = rights[int(0.97 * (len(rights) - 1))] if rights else 500.0
    return BodyType(size, _usual_leading(pages, size), right)


def _usual_leading(pages: list[list[Line]], size: float) -> float:
    gaps: list[float] = []
    for lines in pages:
        for above, below in pairwise(lines):
            gap = above.base - below.base
            if size < gap < 2 * size and abs(above.size - size) < 0.6:
                gaps.append(gap)
    return sorted(gaps)[len(gaps) // 2] if gaps else 1.2 * size
