"""The council or other provider that a document is about, and its reference number."""

import re
from collections import Counter
from collections.abc import Sequence

from pipeline.reading.document import Block

_MAX_NAME = 60
_FRONT_BLOCKS = 40
_TITLE_BELOW = re.compile(r"(?:re-)?inspection of (?:children|services|local)|review of the effectiveness of", re.I)
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
# "Inspection of a secondary school: Quarry High School", "Aldmoor responds to ..."
_SCHOOL = re.compile(rf"Inspection of an? [^:]{{3,40}}: ({_NAME})$")
_SPEAKS = re.compile(rf"({_NAME}) (?:responds|celebrates|welcomes|apologises|vows)\b")
_SERVICES_IN = re.compile(rf"(?i:services(?: for children)?) in ({_NAME})")
_NO_COUNCIL = re.compile(r"\b(?:Children|Care|Youth|Young|School|Pupil|Student|Local|Each|Every|This|That|Our)\b")
_KIND = r"(?:City|County|Borough|Metropolitan|District|London|Unitary|Royal)"
_ADORNMENTS = re.compile(
    rf"^(?:The )?(?:Council of the |(?:{_KIND} )+of (?!London\b)|{_KIND} Borough |Metropolitan )"
    r"| (?:Local )?(?:Safeguarding Children|Corporate Parenting|Improvement) (?:Board|Partnership|Panel|Committee)$"
    r"| Children[’']s$"
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


_POSSESSIVE = re.compile(rf": {_PLACE}[’']s\b")


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
        school = _SCHOOL.match(lines[0])
        if school:
            return school[1]
        named = _SPEAKS.match(lines[0])
        if named and not _NO_COUNCIL.search(named[1]) and named[1] not in ("Council", "Ofsted"):
            return canonical_provider(named[1])
        titled = _TITLED.match(lines[0])
        if titled and not (titled[1] and _POSSESSIVE.search(lines[0])):
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


_ENDING = re.compile(rf"(?: (?:of|upon|under|on)(?: the)? {_PLACE})+")
_IN_WORD = re.compile(r"(?<=\w)\w")


def long_form(provider: str, blocks: Sequence[Block]) -> str:
    """Complete a name with its ending ("... of Yorkshire") where the running text prints it so.

    Args:
        provider: The name found.
        blocks: Blocks of the document.

    Returns:
        The name, or its longer form.
    """
    counts = Counter[str]()
    for block in blocks[:_FRONT_BLOCKS]:
        text = block.text
        start = text.find(provider) if provider else -1
        while start >= 0:
            end = start + len(provider)
            ending = _ENDING.match(text, end)
            if ending and not _IN_WORD.match(text, start):
                end = ending.end()
                counts[text[start:end]] += 1
            start = text.find(provider, end)
    if not counts:
        return provider
    name, count = counts.most_common(1)[0]
    return name if count > 1 else provider


_URN = re.compile(
    r"\b(?:URN|unique reference (?:number|no\.?))(?: \(URN\))?\s*(?:is|:|–|-)?\s*((?:SC)?\d{5,8}|SC\s?\d{5,7})\b", re.I
)


def find_urn(blocks: Sequence[Block]) -> str | None:
    """Find the provider's unique reference number.

    Args:
        blocks: Blocks of the document.

    Returns:
        The number as printed, or None.
    """
    for block in blocks:
        if "URN" in block.text or "reference n" in block.text:
            found = _URN.search(block.text)
            if found:
                return found[1].replace(" ", "")
    return None


def is_council(name: str) -> bool:
    """Tell whether a name is that of a council.

    Args:
        name: For instance the name of a web site.

    Returns:
        Whether it is one and nothing else.
    """
    return bool(_COUNCIL.fullmatch(name))
