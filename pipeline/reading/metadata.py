"""What a document says of itself on its first page: type, framework, provider, publication date."""

import re
from collections.abc import Sequence

from pipeline.reading.dates import DATE_PATTERN, MONTH_BEGINNINGS, parse_date, parse_range
from pipeline.reading.document import DOC_TYPES, Block, Metadata
from pipeline.reading.judgements import find_judgements
from pipeline.reading.providers import canonical_provider, find_provider, find_urn, is_council, long_form

_FRONT_BLOCKS = 40
_SHORT = 160

# "Monitoring visit finds steady progress" is a headline about one.
_NO_NEWS = r"(?! (?:finds|found|praises|shows|says|report|letter))"

_DOC_TYPES: tuple[tuple[str, str], ...] = (
    ("committee_minutes", r"\bminutes\b(?! (?:late|of silence|away|to spare))"),
    ("action_plan", r"\b(?:action|improvement) plan\b"),
    (
        "council_statement",
        r"\bresponds? to\b|\b(?:council|authority|leaders?)(?:[’']s)? (?:statement|response|welcomes|apologises|vows)"
        r"|\b(?:statement|response) (?:by|from|of|on|to)\b|\b(?:we|our) (?:welcome|apologise|accept|response)\b",
    ),
    ("monitoring_visit", rf"\bmonitoring visit\b{_NO_NEWS}"),
    ("focused_visit", rf"\bfocused visit\b{_NO_NEWS}"),
    (
        "inspection_report",
        r"\binspection (?:of|report)\b|\binspection dates?\b|\bjoint targeted area inspection\b"
        r"|\breview of the effectiveness of\b",
    ),
)
# Printed wording → code; the more special first.
_FRAMEWORKS: tuple[tuple[str, str], ...] = (
    ("JTAI", r"\bjoint targeted area inspection|\bJTAI\b"),
    (
        "area SEND",
        r"\barea special educational needs|\barea SEND\b|special educational needs and/or disabilities",
    ),
    ("youth justice", r"\binspection of youth (?:justice|offending)|\byouth (?:justice|offending) services? in\b"),
    ("SCCIF", r"\bsocial care common inspection framework|\bSCCIF\b"),
    (
        "ILACS",
        r"\bILACS\b|\binspecting local authority children[’']s services"
        r"|\binspection of (?:local authority )?children[’']s social care services"
        r"|\binspection of [^.]{0,80}\bchildren[’']s services\b"
        r"|\b(?:focused|monitoring) visit\b.{0,80}\bchildren[’']s (?:social care )?services\b",
    ),
    (
        "SIF",
        r"\bsingle inspection (?:framework|of)\b|inspection of services for children in need of help and protection",
    ),
    ("EIF", r"\beducation inspection framework|\bEIF\b"),
)
_PUBLISHED = re.compile(
    rf"\b(?:report )?(?:published|publication date|date of publication)(?: on)?:?\s*({DATE_PATTERN})", re.I
)
_RETELLING = frozenset({"council_statement", "news_article", "committee_minutes", "action_plan"})
# "Inspection dates: 3 to 14 March 2025", "Dates of visit: ..."
_INSPECTION_DATES = re.compile(
    r"\b(?:inspection|visit|fieldwork)(?: dates?)?\s*(?:took place (?:between|from|on))?[:\s]+(?=\d)([^\n]{6,90})"
    r"|\bdates? of (?:the )?(?:previous )?(?:inspection|visit)[:\s]+(?=\d)([^\n]{6,90})",
    re.I,
)
# Letters name the days of their visit in running prose.
_ONE_DAY = rf"\d{{1,2}}(?:st|nd|rd|th)?(?: (?:{MONTH_BEGINNINGS})[a-z]*)?(?: \d{{4}})?"
_VISIT_DAYS = re.compile(
    rf"\b(?:on|from|between|of) ((?:{_ONE_DAY}(?:,| and| to|–| –| -)\s*)*"
    rf"\d{{1,2}}(?:st|nd|rd|th)? (?:{MONTH_BEGINNINGS})[a-z]* \d{{4}})",
    re.I,
)
_DATE_WORDS = re.compile(
    rf"(?:\d{{1,4}}(?:st|nd|rd|th)?|of|to|and|until|[-–—―─−/,.&]|(?:{MONTH_BEGINNINGS})[a-z]*|\s)+", re.I
)
_VISITED = re.compile(r"\b(?:visit(?:ed)?|inspectors|took place|fieldwork)\b", re.I)
_SHORT_DOCUMENT = 80  # blocks
_FEW_PARAGRAPHS = 3
_SHOUTED = re.compile(r"[A-Z]{5,}(?:[’']S)? (?:[A-Z]+ )?[a-z]")
_NEWSPAPER = re.compile(
    r"\b(?:this (?:newspaper|website)|told the (?:Echo|Gazette|Herald|Post|Times|Chronicle|Argus|Star))\b"
)
_QUOTED = re.compile(r"“[^”]*”|(?<!\w)‘[^’]*(?:’\w[^’]*)*’|\"[^\"]*\"|(?<!\w)'[^'\n]*(?:'\w[^'\n]*)*'")
_WE = re.compile(r"\b(?:[Ww]e|[Oo]ur)\b")
_DATED = re.compile(rf"(?:date:?\s*)?({DATE_PATTERN})", re.I)


def find_metadata(
    blocks: Sequence[Block], published: str | None = None, doc_type: str = "unknown", site: str | None = None
) -> Metadata:
    """Find what a document says of itself.

    Args:
        blocks: Its blocks in reading order.
        published: A publication date that the format itself gives.
        doc_type: A type that the format itself gives; the wording counts for more.
        site: The name of the web site that it comes from.

    Returns:
        The metadata; what the document does not say stays None.
    """
    front = _front(blocks)
    text = "\n".join(block.text for block in front)
    titles = "\n".join(block.text for block in front if block.kind == "title")
    heads = "\n".join(block.text for block in front if block.kind in ("title", "heading"))
    found = (
        _first(_DOC_TYPES, titles)
        or _first(_DOC_TYPES[-3:-1], heads)
        or _first(_DOC_TYPES[-1:], f"{heads}\n{text[:600]}")
    )
    doc_type = found or (doc_type if doc_type in DOC_TYPES and doc_type != "unknown" else _voice(blocks))
    framework = _first(_FRAMEWORKS, text)
    provider = find_provider([block.text for block in front], [block.text for block in blocks[:6]])
    if provider is None and site and is_council(site):
        provider = canonical_provider(site)
    start, end = _find_inspection(front, blocks, doc_type)
    return Metadata(
        doc_type=doc_type,
        framework=framework,
        provider=long_form(provider, blocks) if provider else None,
        published=published or _find_published(text, doc_type),
        urn=find_urn(blocks),
        inspection_start=start,
        inspection_end=end,
        judgements=find_judgements(blocks, tables_only=doc_type in _RETELLING),
    )


def _front(blocks: Sequence[Block]) -> list[Block]:
    """The first page's blocks but for running prose, which speaks of other documents too."""
    return [
        block
        for block in blocks[:_FRONT_BLOCKS]
        if block.page in (None, 1) and (block.kind != "paragraph" or len(block.text) <= _SHORT)
    ] or list(blocks[:5])


def _first(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in table if re.search(pattern, text, re.I | re.S)), None)


def _voice(blocks: Sequence[Block]) -> str:
    """Tell a newspaper and a council that speaks of itself by their voice; anything else stays unknown."""
    prose = [block.text for block in blocks if block.kind == "paragraph"]
    if len(blocks) > _SHORT_DOCUMENT or len(prose) < _FEW_PARAGRAPHS:
        return "unknown"
    if _SHOUTED.match(prose[0]) or any(_NEWSPAPER.search(text) for text in prose):
        return "news_article"
    unquoted = _QUOTED.sub(" ", "\n".join(prose))
    speaks = sum(1 for _ in _WE.finditer(unquoted))
    return "council_statement" if speaks > 1 and re.search(r"[Cc]ouncil|borough|county|city", unquoted) else "unknown"


def _find_published(text: str, doc_type: str) -> str | None:
    found = _PUBLISHED.search(text)
    if found:
        return parse_date(found[1])
    if doc_type in _RETELLING:
        for line in text.split("\n")[:8]:
            alone = _DATED.fullmatch(line.strip())
            if alone:
                return parse_date(alone[1])
    return None


def _find_inspection(front: Sequence[Block], blocks: Sequence[Block], doc_type: str) -> tuple[str | None, str | None]:
    """The first and last day of the inspection or visit that the document reports."""
    for block in front if doc_type not in _RETELLING else ():
        found = _INSPECTION_DATES.search(block.text)
        days = parse_range(_until_prose(found[1] or found[2])) if found else None
        if days:
            return days
    if doc_type in ("focused_visit", "monitoring_visit"):
        for block in blocks[:8]:
            for sentence in re.split(r"(?<=[a-z0-9]{2}\.)\s", block.text):
                found = _VISIT_DAYS.search(sentence)
                days = parse_range(found[1]) if found and _VISITED.search(sentence) else None
                if days:
                    return days
    return None, None


def _until_prose(text: str) -> str:
    """The text up to the last year in a row of dates."""
    found = _DATE_WORDS.match(text)
    return found[0] if found else text
