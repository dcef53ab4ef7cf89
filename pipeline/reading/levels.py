"""Levels of headings: larger and bolder type stands higher."""

from pipeline.reading.document import Block


def rank_headings(blocks: list[Block], types: list[tuple[float, bool] | None]) -> list[Block]:
    """Give headings their level; the largest type of all is the title where it stands on the first page.

    Args:
        blocks: The blocks of a document.
        types: For every block (type size, bold) where it is a heading, else None.

    Returns:
        The same blocks, headings with their level.
    """
    found = [type_ for type_ in types if type_]
    if not found:
        return blocks
    first_page = blocks[0].page
    largest = max(found)
    front = [t for b, t in zip(blocks, types, strict=True) if t and b.page == first_page]
    title = max(front)[0] if front and max(front)[0] >= largest[0] else None
    ranks = sorted({type_ for type_ in found if type_[0] != title}, reverse=True)
    level = {type_: rank for rank, type_ in enumerate(ranks, 1)}
    ranked: list[Block] = []
    for block, type_ in zip(blocks, types, strict=True):
        if type_ is None:
            ranked.append(block)
        elif title is not None and type_[0] == title and block.page == first_page:
            ranked.append(Block("title", block.text, block.page, block.page_starts, 0))
        else:
            ranked.append(Block("heading", block.text, block.page, block.page_starts, level.get(type_, 1)))
    return ranked
