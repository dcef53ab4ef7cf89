"""Dates as English documents print them → ISO 8601."""

import re
from datetime import date

_MONTHS = "january february march april may june july august september october november december".split()
_MONTH = "|".join(f"{name[:3]}(?:{name[3:]})?" if name != "may" else "may" for name in _MONTHS)
DATE_PATTERN = (
    rf"\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})[a-z]{{0,2}}\.?,?\s+\d{{4}}"
    rf"|(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?\s+\d{{4}}"
    r"|\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{4}"
)
MONTH_BEGINNINGS = "|".join(name[:3] for name in _MONTHS)
_PARTS = re.compile(r"\d+|[a-z]{3,}", re.I)


def parse_date(text: str) -> str | None:
    """Read one date.

    Args:
        text: A date, e.g. "8 August 2014", "August 8, 2014", "08/08/2014" or "2014-08-08".

    Returns:
        The date as YYYY-MM-DD, or None where there is no such day.
    """
    found = re.search(DATE_PATTERN, text, re.I)
    if not found:
        return None
    numbers: list[int] = []
    month = 0
    for part in _PARTS.findall(found[0]):
        if part.isdigit():
            numbers.append(int(part))
        else:
            month = month or _month_of(part)
    if month and len(numbers) == 2:
        day, year = numbers
    elif len(numbers) == 3 and numbers[0] > 31:
        year, month, day = numbers
    elif len(numbers) == 3:
        day, month, year = numbers
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _month_of(word: str) -> int:
    """Number of the month that a word begins like; 0 where there is none."""
    return next((number for number, name in enumerate(_MONTHS, 1) if name[:3] == word.lower()[:3]), 0)


_DAY = re.compile(
    r"\b(\d{4})-(\d\d)-(\d\d)\b|\b(\d{1,2})[/.](\d{1,2})[/.](\d{4})\b"
    rf"|\b(\d{{1,2}})(?:st|nd|rd|th)?(?:\s+(?:of\s+)?({_MONTH})\b\.?(?:,?\s+(\d{{4}})\b)?)?",
    re.I,
)


# "5 to 9 December 2022 and 14 to 15 February 2023": the inspection, and a return to it.
_FIRST_RANGE = re.compile(r"(.*?\d\D*(?:to|until|[-–—─])\D*\d.*?\d{4}),? (?:and|&) \d", re.I)


def parse_range(text: str) -> tuple[str, str] | None:
    """Read the first and the last day of a range; a month or year that is not repeated is that of the next day.

    Args:
        text: For instance "31 October to 11 November 2022", "16 and 17 January 2024" or "3 May 2023"; of two ranges
            the first one counts.

    Returns:
        Both days as YYYY-MM-DD, or None where a day lacks its month or year, or is none.
    """
    first = _FIRST_RANGE.match(text)
    text = first[1] if first else text
    days: list[date] = []
    month = year = 0
    for found in reversed(list(_DAY.finditer(text))):
        if found[1]:
            year, month, day = int(found[1]), int(found[2]), int(found[3])
        elif found[4]:
            day, month, year = int(found[4]), int(found[5]), int(found[6])
        else:
            day = int(found[7])
            if found[8]:
                month = _month_of(found[8])
            year = int(found[9] or year)
        if not month or not year:
            return None
        try:
            new = date(year, month, day)
            if days and new > days[-1] and found[8] and not found[9]:
                year -= 1  # "12 December to 6 January 2023"
                new = date(year, month, day)
        except ValueError:
            return None
        days.append(new)
    if not days or days[-1] > days[0]:
        return None
    return days[-1].isoformat(), days[0].isoformat()
