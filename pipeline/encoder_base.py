"""Base weights: a pretrained transformer as published, with its tokenizer and licence."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tokenizers import Tokenizer
from transformers.utils import cached_file

from pipeline.errors import UsageError
from pipeline.files import hash_file

_WEIGHTS = "model.safetensors"
_TOKENIZER = "tokenizer.json"
_CARD = "README.md"
_LICENCE = re.compile(r"^license:\s*(\S+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class BaseWeights:
    """Weights that training begins with.

    Attributes:
        source: Folder or hub name.
        weights: File of the weights.
        tokenizer: File of the tokenizer.
        licence: As its card states it.
    """

    source: str
    weights: Path
    tokenizer: Path
    licence: str

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of the weights."""
        return hash_file(self.weights)

    def open_tokenizer(self, max_length: int) -> Tokenizer:
        """Load the tokenizer; it cuts sentences off after so many tokens."""
        tokenizer = Tokenizer.from_file(str(self.tokenizer))
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_length)
        return tokenizer

    def describe(self) -> dict[str, str]:
        """Name the weights: of a folder only its last parts, since the rest is about one machine."""
        path = Path(self.source)
        name = "/".join(path.resolve().parts[-2:]) if path.is_dir() else self.source
        return {"name": name, "sha256": self.sha256, "licence": self.licence}


def open_base(source: str) -> BaseWeights:
    """Find the files of base weights.

    Args:
        source: Folder or hub name.

    Returns:
        The base weights.

    Raises:
        UsageError: They are not there.
    """
    try:
        weights, tokenizer = (Path(str(cached_file(source, name))) for name in (_WEIGHTS, _TOKENIZER))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"{source}: no base weights there ({reason}); name a folder with {_WEIGHTS}, {_TOKENIZER} and "
            "config.json with --base or --teacher, or a model's hub name."
        ) from None
    return BaseWeights(source, weights, tokenizer, _read_licence(source))


def _read_licence(source: str) -> str:
    """Find the licence in the head of the card."""
    try:
        card = Path(str(cached_file(source, _CARD))).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return "not stated"
    found = _LICENCE.search(card)
    return found.group(1) if found else "not stated"
