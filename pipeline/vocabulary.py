"""Many sentences at once → numbers of their words; the words that `pipeline.words` finds, at a fraction of its cost."""

import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from pipeline.words import clean_text, words

_NO_ASCII = re.compile(r"[^\x00-\x7f]+")
_NO_WORD = re.compile(r"[^\w'%£-]")
_KEPT = b"_'-%\n"
# Every other ASCII character ends a word; bytes of longer characters stay, once those that end a word are gone.
_FOLDED = bytes(
    ord(chr(code).lower()) if chr(code).isalnum() or code in _KEPT else ord(" ") for code in range(128)
) + bytes(range(128, 256))
# A byte that no cleaned text holds.
_END = b"\x01"
# Text in another script would fill the memory with runs that never come again.
_MOST_FOLDED = 20_000


class Vocabulary:
    """The words that a model knows.

    Args:
        known: The words, each once.

    Attributes:
        unknown: The number of every word that the model does not know; one more than the last known.
        end: The number of the end of a sentence.
    """

    def __init__(self, known: Sequence[str]) -> None:
        self.unknown, self.end, self._nothing = len(known), len(known) + 1, len(known) + 2
        self._numbers = _Numbers(self.unknown, self._nothing)
        self._numbers.update({word.encode(): number for number, word in enumerate(known)})
        self._numbers[_END] = self.end
        self._folded = _Folded()

    def encode(self, texts: Sequence[str]) -> npt.NDArray[np.int64]:
        """Number the words of sentences.

        Args:
            texts: Sentences as read.

        Returns:
            For each sentence the numbers of `words(clean_text(text))`, then `end`; of shape (words + sentences,).
        """
        plain = [text if text.isascii() else self._fold(text) for text in texts]
        whole = "\n".join(plain)
        if whole.count("\n") >= len(plain):
            whole = "\n".join([text.replace("\n", " ") for text in plain])
        content = whole.encode().translate(_FOLDED)
        found = content.replace(b"%", b" % ").replace(b"\n", b" \x01 ").split()
        found.append(_END)
        numbers = np.fromiter(map(self._numbers.__getitem__, found), np.int64, len(found))
        nothing = numbers == self._nothing
        return numbers[~nothing] if nothing.any() else numbers

    def _fold(self, text: str) -> str:
        """Clean the characters beyond ASCII."""
        try:
            return _NO_ASCII.sub(self._folded.of, text)
        except _DependsOnNeighbours:
            return " ".join(words(clean_text(text)))


class _Numbers(dict[bytes, int]):
    """Words to their numbers; what is not there is unknown, or no word but a lone dash."""

    def __init__(self, unknown: int, nothing: int) -> None:
        super().__init__()
        self._unknown, self._nothing = unknown, nothing

    def __missing__(self, found: bytes) -> int:
        word = found.strip(b"'-")
        return self.get(word, self._unknown) if word else self._nothing


class _DependsOnNeighbours(Exception):
    """What comes of a character hangs on the one before it or after it."""


class _Folded(dict[str, str]):
    """Runs of characters beyond ASCII to their cleaned form; a text holds few different ones."""

    def of(self, match: re.Match[str]) -> str:
        return self[match[0]]

    def __missing__(self, run: str) -> str:
        normal = unicodedata.normalize("NFKC", run)
        # An accent of its own joins the letter before it; a capital sigma is written otherwise at the end of a word.
        if unicodedata.combining(normal[0]) or "Σ" in normal:
            raise _DependsOnNeighbours
        cleaned = _NO_WORD.sub(" ", clean_text(run)).replace("£", " £ ")
        if len(self) < _MOST_FOLDED:
            self[run] = cleaned
        return cleaned
