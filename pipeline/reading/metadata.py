"""What a document says of itself on its first page: type, framework, provider, publication date."""

import re
from collections import Counter
from collections.abc import Sequence

from pipeline.reading.dates import DATE_PATTERN, parse_date
from pipeline.reading.document import DOC_TYPES, Block, Metadata

_TITLE_BELOW = re.compile(r"(?:re-)?inspection of (?:children|services|local)|review of the effectiveness of", re.I)
_MAX_NAME = 60
_FRONT_BLOCKS = 40
_SHORT = 160

_DOC_TYPES: tuple[tuple[str, str], ...] = (
    ("committee_minutes", r"\bminutes\b(?! (?:late|of silence|away|to spare))"),
    ("action_plan", r"\b(?:action|improvement) plan\b"),
    (
        "council_statement",
        r"\bresponds? to\b|\b(?:council|authority|leaders?)(?:[’']s)? (?:statement|response|welcomes|apologises|vows)"
        r"|\b(?:statement|response) (?:by|from|of|on|to)\b|\b(?:we|our) (?:welcome|apologise|accept|response)\b",
    ),
    ("monitoring_visit", r"\bmonitoring visit\b"),
    ("focused_visit", r"\bfocused visit\b"),
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
    ("SIF", r"\bsingle inspection framework|\binspection of services for children in need of help and protection"),
    ("EIF", r"\beducation inspection framework|\bEIF\b"),
)
_PUBLISHED = re.compile(
    rf"\b(?:report )?(?:published|publication date|date of publication)(?: on)?:?\s*({DATE_PATTERN})", re.I
)
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
        doc_type: A type that the format itself gives; the wording counts for more.

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
    doc_type = found or (doc_type if doc_type in DOC_TYPES else "unknown")
    framework = _first(_FRAMEWORKS, text)
    provider = find_provider([block.text for block in front], [block.text for block in blocks[:6]])
    if provider is None and site and _COUNCIL.fullmatch(site):
        provider = canonical_provider(site)
    return Metadata(
        doc_type=doc_type,
        framework=framework,
        provider=_long_form(provider, blocks) if provider else None,
        published=published or _find_published(text, doc_type),
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


def _find_published(text: str, doc_type: str) -> str | None:
    found = _PUBLISHED.search(text)
    if found:
        return parse_date(found[1])
    if doc_type in ("council_statement", "news_article", "committee_minutes", "action_plan"):
        for line in text.split("\n")[:8]:
            alone = _DATED.fullmatch(line.strip())
            if alone:
                return parse_date(alone[1])
    return None


_PLACE = r"(?!The\b)[A-Z][\w’'-]*"
_LINK = r"(?:upon|on|of|and|&|the|with|in|under|le)"
_NAME = rf"{_PLACE}(?:,? (?:{_LINK} )*{_PLACE}|\.){{0,6}}"
_COUNCIL = re.compile(
    rf"\b((?:The )?(?:London Borough of|Royal Borough of|Metropolitan Borough of|City of) {_NAME}(?: Council)?"
    rf"|{_NAME} (?:[Cc]ouncil|[Ll]ocal [Aa]uthority))\b"
)
_INSPECTED = re.compile(
    rf"\b(?i:inspection|visit) (?:of|to) (?:the )?({_PLACE}[^.\n]{{0,60}}?)"
    r"(?i:[’']s|s’)?(?: (?i:local authority)(?:[’']s)?)? (?i:children[’']s (?:social care )?services)"
)
# "Barnsley: inspection of ...", "Barnsley children's services improvement plan"
_TITLED = re.compile(
    rf"({_NAME}): .*(?i:inspection|minutes|visit|plan)|({_NAME}?) (?i:children[’']s (?:social care )?services)\b"
)
_SERVICES_IN = re.compile(rf"(?i:services(?: for children)?) in ({_NAME})")
_NO_COUNCIL = re.compile(r"\b(?:Children|Care|Youth|Young|School|Pupil|Student|Local|Each|Every|This|That|Our)\b")
_KIND = r"(?:City|County|Borough|Metropolitan|District|London|Unitary|Royal)"
_ADORNMENTS = re.compile(
    rf"^(?:The )?(?:Council of the |(?:{_KIND} )+of (?!London\b)|{_KIND} Borough |Metropolitan )"
    r"| (?:Local )?(?:Safeguarding Children|Corporate Parenting|Improvement) (?:Board|Partnership|Panel|Committee)$"
    rf"|,? (?:{_KIND} )*(?:Council|Local Authority|Authority)(?: of)?$"
    rf"| (?:{_KIND} )*(?:Borough|County|City)$",
    re.I,
)


def canonical_provider(name: str) -> str:
    """Take off what only tells the kind of council.

    Args:
        name: A name as printed, e.g. "Metropolitan Borough of Barnsley Council".

    Returns:
        The place alone, e.g. "Barnsley".
    """
    before = ""
    name = " ".join(name.replace("&", " and ").split()).strip(" ,.:;")
    before_comma, comma, last = name.rpartition(", ")
    if comma and " and " not in last and before_comma:
        name = last  # "Scrutiny Committee, Aldmoor Council"
    while before != name:
        before = name
        shorter = _ADORNMENTS.sub("", name).strip(" ,.:;")
        name = shorter if len(shorter) > 2 else name
    return name


def find_provider(lines: Sequence[str], prose: Sequence[str] = ()) -> str | None:
    """Find the council or other provider that a front page names.

    Args:
        lines: Texts of the front page's blocks.
        prose: Texts of the first blocks, running prose as well; they are searched last.

    Returns:
        Its canonical name, or None.
    """
    text = "\n".join(lines[:12])
    found = _INSPECTED.search(text)
    if found:
        return canonical_provider(found[1]) or None
    if lines:
        titled = _TITLED.match(lines[0])
        if titled:
            return canonical_provider(titled[1] or titled[2])
    for rank, line in enumerate(lines[:8]):
        council = _COUNCIL.search(line)
        if council and not _NO_COUNCIL.search(council[1]):
            return canonical_provider(council[1])
        following = lines[rank + 1] if rank + 1 < len(lines) else ""
        if _TITLE_BELOW.match(following) and len(line) < _MAX_NAME:
            return canonical_provider(line)
    for line in (*lines[:8], *prose):
        for named in (*_COUNCIL.finditer(line), *_SERVICES_IN.finditer(line)):
            if not _NO_COUNCIL.search(named[1]):
                return canonical_provider(named[1])
    return None


def _long_form(provider: str, blocks: Sequence[Block]) -> str:
    """The name with its ending ("... of Yorkshire") where the running text prints it so."""
    ending = re.compile(rf"\b{re.escape(provider)}(?: (?:of|upon|under|on)(?: the)? {_PLACE})+")
    counts = Counter(name for block in blocks[:_FRONT_BLOCKS] for name in ending.findall(block.text))
    if not counts:
        return provider
    name, count = counts.most_common(1)[0]
    return name if count > 1 else provider
