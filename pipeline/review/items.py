"""One row of a review file: a sentence, what is shown of it, and what was answered."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pipeline.labels import LABELS, NATURAL

POOLS = (NATURAL, "disagreement", "rare", "uncertain")
COMMENT = "comment"
CONTEXT_COLUMNS = ("id", "text", "before", "section", "report", "page", "link")
ANSWER_COLUMNS = (*LABELS, COMMENT)
MODEL_COLUMNS = ("why", "model_labels", *(f"p_{label}" for label in LABELS), "model_version")
YES, NO = "yes", "no"
_WORDS = {"yes": True, "y": True, "true": True, "no": False, "n": False, "false": False}
_ID_DIGITS = 15


@dataclass(frozen=True)
class Item:
    """A sentence to judge.

    Attributes:
        id: Identifier of the sentence in its document, and of the pool that it was drawn for.
        text: The sentence.
        before: The sentence before it, or an empty string.
        section: Heading above, or an empty string.
        report: Name of its document.
        page: Page, or None.
        link: Address of the sentence on the page made from its report, relative to the file; or an empty string.
        why: Why it was picked.
        model_labels: The model's labels, as words.
        probabilities: The model's probability of each label, in the order of `LABELS`, 0 to 1.
        model_version: The model.
        answer: One truth value a label, in the order of `LABELS`; None while nobody has answered.
        comment: What the reviewer remarked.
    """

    id: str
    text: str
    before: str
    section: str
    report: str
    page: int | None
    link: str
    why: str
    model_labels: str
    probabilities: tuple[float, ...]
    model_version: str
    answer: tuple[bool, ...] | None = None
    comment: str = ""

    def row(self, *, blind: bool) -> dict[str, Any]:
        """Lay the item out as a row of a file.

        Args:
            blind: Whether to leave out `MODEL_COLUMNS`.

        Returns:
            Values by column: text, numbers and None, in the order of `columns_of`.
        """
        answers = (None,) * len(LABELS) if self.answer is None else tuple(YES if on else NO for on in self.answer)
        values = {
            **{name: getattr(self, name) for name in CONTEXT_COLUMNS},
            **dict(zip(LABELS, answers, strict=True)),
            COMMENT: self.comment,
            "why": self.why,
            "model_labels": self.model_labels,
            **{f"p_{label}": value for label, value in zip(LABELS, self.probabilities, strict=True)},
            "model_version": self.model_version,
        }
        return {name: values[name] for name in columns_of(blind=blind)}


@dataclass(frozen=True)
class Answer:
    """What one person said of one sentence.

    Attributes:
        place: Where it stands, for messages: "line 5", "task 3".
        id: `Item.id`.
        text: The sentence as the file has it.
        labels: One truth value a label, in the order of `LABELS`.
        comment: Remark, or an empty string.
        model_version: The model whose view was shown, or an empty string.
        annotator: Identifier that the labelling tool gives the person; empty where the file does not tell people apart.
    """

    place: str
    id: str
    text: str
    labels: tuple[bool, ...]
    comment: str = ""
    model_version: str = ""
    annotator: str = ""


def columns_of(*, blind: bool) -> tuple[str, ...]:
    """Name the columns of a review file.

    Args:
        blind: Whether the model's view is left out.

    Returns:
        Names in order.
    """
    return (*CONTEXT_COLUMNS[:2], *ANSWER_COLUMNS, *CONTEXT_COLUMNS[2:], *(() if blind else MODEL_COLUMNS))


def item_id(document: str, key: str, pool: str) -> str:
    """Name a sentence so that a file need not show where it comes from, nor a spreadsheet take it for a number.

    Args:
        document: Document id.
        key: The sentence's key.
        pool: One of `POOLS`. It is part of the name, so that also a blind file leads back to it.

    Returns:
        The letter s and 15 hex digits.
    """
    return "s" + sha256(f"{document}|{key}|{pool}".encode()).hexdigest()[:_ID_DIGITS]


def parse_answer(values: Iterable[Any]) -> tuple[bool, ...] | None:
    """Read the answer cells of a row: one "yes" or three answers settle all labels, and empty cells settle nothing.

    Args:
        values: The cells of the label columns, in the order of `LABELS`.

    Returns:
        One truth value a label, or None where all cells are empty.

    Raises:
        ValueError: A cell is neither yes nor no, or some are "no" and the others are empty.
    """
    found: list[bool | None] = []
    for label, value in zip(LABELS, values, strict=True):
        if isinstance(value, bool) or value is None:
            found.append(value)
            continue
        word = str(value).strip().lower()
        if word and word not in _WORDS:
            raise ValueError(f"{label}: found {str(value)[:40]!r}; accepted: {YES}, {NO}, or an empty cell")
        found.append(_WORDS[word] if word else None)
    if all(value is None for value in found):
        return None
    if None in found and True not in found:
        empty = ", ".join(label for label, value in zip(LABELS, found, strict=True) if value is None)
        raise ValueError(f'{empty} empty beside "{NO}"; answer all three, or say {YES} where a label applies')
    return tuple(bool(value) for value in found)


def one_line(value: Any) -> str:  # noqa: ANN401
    """Reduce a remark to one line, the same whichever way it is stored.

    Args:
        value: A cell: text, a number or None.

    Returns:
        Its words, joined by single spaces.
    """
    return "" if value is None else " ".join(str(value).split())
