"""Punkt's decisions with trained parameters: the algorithm of Kiss and Strunk (2006) as NLTK applies it.

NLTK trains the parameters, and a test holds every decision here against NLTK's. To load NLTK in each process that reads
documents would take longer than to read several of them, and a release of it could move the ends of sentences, on
which the keys of labels depend.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

NON_WORD = r"(?:[)\";}\]\*:@\'\({\[!\?’”‘“»])"
REALIGN = r"[\"\')\]}’”»]+?(?:\s+|(?=--)|$)"

_ENDS = (".", "?", "!")
_PUNCTUATION = frozenset(";:,.!?")
_MULTI = r"(?:\-{2,}|\.{2,}|(?:\.\s){2,}\.)"
_WORDS = re.compile(
    rf"({_MULTI}|(?=[^\(\"\`{{\[:;&\#\*@\)}}\]\-,])\S+?(?=\s|$|{NON_WORD}|{_MULTI}|,(?=$|\s|{NON_WORD}|{_MULTI}))|\S)"
)
_CONTEXT = re.compile(rf"[.?!](?=(?P<after>{NON_WORD}|\s+(?P<next>\S+)))")
_REALIGN = re.compile(REALIGN, re.MULTILINE)
_NUMERIC = re.compile(r"^-?[\.,]?\d[\d,\.-]*\.?$")
_INITIAL = re.compile(r"[^\W\d]\.$")
_ELLIPSIS = re.compile(r"\.\.+$")
_ASCII_SPACES = " \t\n\r\x0b\x0c"
# Flags of the contexts in which training met a word.
_BEGIN_UPPER, _MID_UPPER, _UNKNOWN_UPPER, _BEGIN_LOWER, _MID_LOWER, _UNKNOWN_LOWER = (1 << bit for bit in range(1, 7))
_UPPER = _BEGIN_UPPER | _MID_UPPER | _UNKNOWN_UPPER
_LOWER = _BEGIN_LOWER | _MID_LOWER | _UNKNOWN_LOWER


@dataclass(slots=True)
class _Token:
    text: str
    type: str
    breaks: bool = False
    shortened: bool = False  # an abbreviation or an ellipsis

    @property
    def bare(self) -> str:
        """The type without a full stop at its end."""
        return self.type[:-1] if len(self.type) > 1 and self.type[-1] == "." else self.type

    @property
    def plain(self) -> str:
        """The type without a full stop that ends a sentence."""
        return self.bare if self.breaks else self.type


class Punkt:
    """Finds the ends of sentences."""

    def __init__(self, stored: Mapping[str, Any]) -> None:
        """Take trained parameters.

        Args:
            stored: `abbreviations`, `sentence_starters`, `collocations` and `orthography`.
        """
        self._abbreviations = frozenset(stored["abbreviations"])
        self._starters = frozenset(stored["sentence_starters"])
        self._collocations = frozenset((first, second) for first, second in stored["collocations"])
        self._orthography: Mapping[str, int] = stored["orthography"]

    def starts(self, text: str) -> list[int]:
        """Find where sentences start.

        Args:
            text: A paragraph.

        Returns:
            Offset of each sentence but an empty one, in order.
        """
        starts: list[int] = []
        pieces = list(self._pieces(text))
        realign = 0
        for rank, (start, stop) in enumerate(pieces):
            start += realign
            following = pieces[rank + 1] if rank + 1 < len(pieces) else None
            closing = _REALIGN.match(text[following[0] : following[1]]) if following else None
            if closing is not None or text[start:stop]:
                starts.append(start)
            realign = closing.end() if closing else 0 if following else realign
        return starts

    def _pieces(self, text: str) -> Iterator[tuple[int, int]]:
        start = 0
        for end, following, context in _contexts(text):
            if self._holds_break(context):
                yield start, end
                start = following
        yield start, len(text.rstrip())

    def _holds_break(self, context: str) -> bool:
        """Whether a token of the context, the last one apart, ends a sentence."""
        tokens = [self._token(text) for line in context.split("\n") if line.strip() for text in _WORDS.findall(line)]
        for first, second in pairwise(tokens):
            if first.text.endswith("."):
                self._reconsider(first, second)
        return any(token.breaks for token in tokens[:-1])

    def _token(self, text: str) -> _Token:
        token = _Token(text, _NUMERIC.sub("##number##", text.lower()))
        if text in _ENDS:
            token.breaks = True
        elif _ELLIPSIS.match(text):
            token.shortened = True
        elif text.endswith(".") and not text.endswith(".."):
            word = text[:-1].lower()
            if word in self._abbreviations or word.split("-")[-1] in self._abbreviations:
                token.shortened = True
            else:
                token.breaks = True
        return token

    def _reconsider(self, first: _Token, second: _Token) -> None:
        """Decide by the word that follows whether a full stop ends a sentence."""
        following = second.plain
        if (first.bare, following) in self._collocations:
            first.breaks = False
            return
        initial = bool(_INITIAL.match(first.text))
        starts = self._starts_sentence(second)
        if first.shortened and not initial and (starts or (second.text[0].isupper() and following in self._starters)):
            first.breaks = True
            return
        if initial or first.bare == "##number##":
            known_lower = self._orthography.get(following, 0) & _LOWER
            if starts is False or (starts is None and initial and second.text[0].isupper() and not known_lower):
                first.breaks = False

    def _starts_sentence(self, token: _Token) -> bool | None:
        """Tell by its case whether a word starts a sentence; None where that is open."""
        if token.text in _PUNCTUATION:
            return False
        seen = self._orthography.get(token.plain, 0)
        if token.text[0].isupper() and seen & _LOWER and not seen & _MID_UPPER:
            return True
        if token.text[0].islower() and (seen & _UPPER or not seen & _BEGIN_LOWER):
            return False
        return None


def _contexts(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each possible end, where the next sentence would start, and the words around it; overlaps left out."""
    kept: tuple[int, int, re.Match[str]] | None = None
    low = high = 0
    for found in _CONTEXT.finditer(text):
        before = text[high : found.start()]
        space = max((rank for rank, char in enumerate(before) if char in _ASCII_SPACES), default=0)
        word = space + high + 1 if space else low
        if kept is not None and high <= word:
            yield _context(text, kept)
        low, high = word, found.start()
        kept = (low, high, found)
    if kept is not None:
        yield _context(text, kept)


def _context(text: str, kept: tuple[int, int, re.Match[str]]) -> tuple[int, int, str]:
    low, high, found = kept
    following = found.start("next") if found["next"] else found.end()
    return found.end(), following, text[low:high] + found[0] + found["after"]
