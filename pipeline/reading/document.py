"""What every reader returns: metadata and blocks of text in reading order."""

from collections.abc import Iterable
from dataclasses import dataclass, field

DOC_TYPES = (
    "inspection_report",
    "focused_visit",
    "monitoring_visit",
    "council_statement",
    "news_article",
    "committee_minutes",
    "action_plan",
    "unknown",
)
KINDS = ("title", "heading", "paragraph", "bullet", "table_row", "contents", "boilerplate")


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph-like unit of a document: never more than one heading, bullet, table row or paragraph.

    Attributes:
        kind: One of `KINDS`.
        text: The text, white space folded, without bullet mark or paragraph number; a heading or table row keeps its.
        page: 1-based page on which the block begins; None where the format has no pages.
        page_starts: (character offset in `text`, page) for every further page on which the block goes on.
        level: Depth of a title or heading (0 title, 1 top heading, ...); 0 for other kinds.
        aside: Whether it is set in clearly smaller type than the body: a footnote, or the imprint at the end.
    """

    kind: str
    text: str
    page: int | None = None
    page_starts: tuple[tuple[int, int], ...] = ()
    level: int = 0
    aside: bool = False

    def page_at(self, offset: int) -> int | None:
        """Return the page of the character at `offset`.

        Args:
            offset: Rank of a character in `text`, from 0.

        Returns:
            The 1-based page, or None where the format has no pages.
        """
        page = self.page
        for start, number in self.page_starts:
            if offset >= start:
                page = number
        return page


def has_words(blocks: Iterable[Block]) -> bool:
    """Tell whether there is anything to read.

    Args:
        blocks: Blocks of a document.

    Returns:
        Whether some block holds a letter or digit.
    """
    return any(char.isalnum() for block in blocks for char in block.text)


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a document says of itself; a field is None only where the document is silent.

    Attributes:
        doc_type: One of `DOC_TYPES`.
        framework: The inspection framework, e.g. "ILACS" or "SIF".
        provider: The council or other provider that the document is about.
        published: Publication date, ISO 8601.
        urn: The provider's unique reference number, as printed.
        inspection_start: First day of the inspection or visit, ISO 8601.
        inspection_end: Its last day, ISO 8601; a later return to it does not count.
        judgements: (name, grade) of every judgement printed, in document order.
    """

    doc_type: str = "unknown"
    framework: str | None = None
    provider: str | None = None
    published: str | None = None
    urn: str | None = None
    inspection_start: str | None = None
    inspection_end: str | None = None
    judgements: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """A document as read.

    Attributes:
        metadata: What the document says of itself.
        blocks: Blocks in reading order.
        pages: Number of pages; None where the format has none.
        dropped: Lines left out as running heads, feet or page numbers, for inspection.
    """

    metadata: Metadata = field(default_factory=Metadata)
    blocks: tuple[Block, ...] = ()
    dropped: tuple[str, ...] = ()
    pages: int | None = None
