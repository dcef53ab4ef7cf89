"""Cleaning of characters: what every reader does to the text that a format hands it."""

import re

BULLET_CHARS = "•◦▪▫■□●○◆◇►▸▶‣⁃∙◼◾❖➢➤✓✔"
PRIVATE_USE = "".join(chr(0xF000 + code) for code in range(0x20, 0x100))

_LIGATURES = {
    "ﬀ": "ff",
    "ﬁ": "fi",
    "ﬂ": "fl",
    "ﬃ": "ffi",
    "ﬄ": "ffl",
    "ﬅ": "st",
    "ﬆ": "st",
}
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_NOTHING = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
_CLEAN: dict[int, str | None] = {
    **{code: None for code in range(0x20) if code not in (0x09, 0x0A, 0x0B, 0x0C, 0x0D)},
    0x7F: None,
    **{ord(char): " " for char in _SPACES},
    **{ord(char): None for char in _NOTHING},
    **{ord(char): "•" for char in PRIVATE_USE},
    **{ord(char): text for char, text in _LIGATURES.items()},
    ord("\u2010"): "-",
    ord("\u2011"): "-",
}
_BULLET = re.compile(rf"(?:[{BULLET_CHARS}]\s*)+|[-–—−―─\u0336*]\s+(?=\S)|o\s+(?=[A-Z])")
_NUMBER = re.compile(
    r"(\d{1,3})(?:(?:\.\d{1,2}){1,3}\.?\s+(?=[A-Z‘“])"  # 2.1 Text
    r"|[.)]\s*(?=[^\W\d_]|[‘’'“\"(£])|\.\s+(?=\d)"  # 12. Text, 12.Text, 12. 40 children
    r"|\s+(?=[A-Z‘“]))"  # 12 Text
)


def clean_characters(text: str) -> str:
    """Replace characters that differ only in print.

    Args:
        text: Text as a library gives it.

    Returns:
        The text with plain spaces, plain hyphens, no ligatures, no invisible characters, and private-use symbols
        (the bullets of symbol fonts) as "•".
    """
    return text if text.isascii() and text.isprintable() else text.translate(_CLEAN)


def fold_spaces(text: str) -> str:
    """Return the text with every run of white space as one space, stripped.

    Args:
        text: Any text.

    Returns:
        The folded text.
    """
    return " ".join(text.split())


def join_lines(left: str, right: str) -> str:
    """Join two lines of a paragraph; a word broken at its hyphen comes together, hyphen kept.

    Args:
        left: The text so far, stripped.
        right: The line that follows, stripped.

    Returns:
        Both as one text.
    """
    if left.endswith("–") and left[-2:-1].isdigit() and right[:1].isdigit():
        return left + right  # a range, "2014–15"
    if left.endswith("-") and len(left) > 1 and left[-2].isalnum() and right[:1].isalnum():
        # "16- and 17-year-olds": the hyphen hangs, it joins nothing.
        return f"{left} {right}" if right.split(None, 1)[0] in ("and", "or", "to") else left + right
    return f"{left} {right}" if left and right else left or right


def strip_bullet(text: str) -> tuple[str, bool]:
    """Take a bullet mark off a line.

    Args:
        text: A line, stripped.

    Returns:
        The line without its mark, and whether there was one.
    """
    found = _BULLET.match(text)
    return (text[found.end() :], True) if found else (text, False)


def strip_number(text: str) -> tuple[str, int | None]:
    """Take a paragraph number ("12. Text", "12 Text") off a line.

    Args:
        text: A line, stripped.

    Returns:
        The line without its number, and the number or None.
    """
    found = _NUMBER.match(text)
    return (text[found.end() :], int(found[1])) if found else (text, None)
