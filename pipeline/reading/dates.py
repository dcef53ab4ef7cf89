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
            month = month or next((n for n, name in enumerate(_MONTHS, 1) if name[:3] == part.lower()[:3]), 0)
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
