"""What stands in a document without being part of what it says: contents pages and closing boilerplate."""

import re
from collections.abc import Sequence
from dataclasses import replace

from pipeline.reading.document import Block

_HEADINGS = frozenset({"contents", "table of contents", "contents page"})
_ENTRY = re.compile(r"\S.*?[\s.…_]\d{1,3}$")
_MAX_ENTRY = 200
_MIN_ENTRIES = 3
# What publishers print at the end (or inside the cover) of whatever they publish.
_CLUES = (
    "crown copyright",
    "©",
    "textphone",
    "text phone",
    "open government licence",
    "in a different format",
    "large print or braille",
    "reproduced in whole or in part",
    "copy all or parts",
    "further copies of this",
    "free of charge in any format",
    "subscribe to our",
    "email alerts about",
    "this report is available at",
    "this publication is available at",
    "regulates and inspects to achieve",
    "complaints about the inspection or the report",
)
_CONTACT = re.compile(r"(?:T|E|W|Tel|Telephone|Email|Website):? *(?:\d|\S+@|https?:|www\.)", re.I)
_POSTCODE = re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b")
_MAX_ADDRESS = 120
_REACH = 2  # blocks between two clues that belong to the same imprint
_MIN_CLUES = 2
_EDGE = 40  # blocks
_MOVED = frozenset({"paragraph", "bullet", "table_row"})


def mark_matter(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Give contents entries and closing boilerplate kinds of their own.

    Args:
        blocks: The blocks of a document in reading order.

    Returns:
        The same blocks, some of them of kind "contents" or "boilerplate".
    """
    kinds = [block.kind for block in blocks]
    _find_contents(blocks, kinds)
    _find_imprint(blocks, kinds)
    return tuple(
        block if kind == block.kind else replace(block, kind=kind) for block, kind in zip(blocks, kinds, strict=True)
    )


def _find_contents(blocks: Sequence[Block], kinds: list[str]) -> None:
    for rank, block in enumerate(blocks):
        if block.kind not in ("heading", "title") or block.text.strip(" :").casefold() not in _HEADINGS:
            continue
        last, entries = rank, 0
        for index in range(rank + 1, len(blocks)):
            entry = blocks[index]
            if entry.kind not in _MOVED or len(entry.text) > _MAX_ENTRY:
                break
            if _ENTRY.fullmatch(entry.text):
                last, entries = index, entries + 1
            elif index - last > 1:
                break  # one line without a number may be the first of a long entry
        if entries >= _MIN_ENTRIES:
            kinds[rank + 1 : last + 1] = ["contents"] * (last - rank)


def _find_imprint(blocks: Sequence[Block], kinds: list[str]) -> None:
    # An imprint stands inside the cover or at the end; what is between is the document.
    edges = (*range(min(_EDGE, len(blocks))), *range(max(_EDGE, len(blocks) - _EDGE), len(blocks)))
    found = [rank for rank in edges if kinds[rank] in _MOVED and _is_clue(blocks[rank])]
    runs: list[list[int]] = []
    for rank in found:
        if runs and rank - runs[-1][-1] <= _REACH + 1 and _together(blocks[runs[-1][-1] : rank + 1]):
            runs[-1].append(rank)
        else:
            runs.append([rank])
    for run in runs:
        if len(run) < _MIN_CLUES:
            continue
        for rank in range(run[0], run[-1] + 1):
            if kinds[rank] in _MOVED:
                kinds[rank] = "boilerplate"


def _is_clue(block: Block) -> bool:
    text = block.text.lower()
    if any(clue in text for clue in _CLUES):
        return True
    return len(text) < _MAX_ADDRESS and bool(_CONTACT.match(text) or _POSTCODE.search(block.text))


def _together(blocks: Sequence[Block]) -> bool:
    """Whether no heading parts them."""
    return all(block.kind in _MOVED for block in blocks)
