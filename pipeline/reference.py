"""What a model's training data looked like to the model: the yardstick for documents that it labels later."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.files import json_bytes
from pipeline.labels import LABELS, NATURAL
from pipeline.scorer import Booleans, Floats
from pipeline.sentences import LAYOUT_KINDS
from pipeline.words import clean_text, words

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
ALL = "all"
BINS = 10
DIGITS = 4
# Sentences in this pool were drawn at random; other pools were picked for what the model made of them.
_ENOUGH = 1000


@dataclass(frozen=True)
class ModeReference:
    """What a model says of the training side in one mode, of sentences that it had not seen.

    Attributes:
        shares: Share of sentences with each label, by doc_type; `all` for all of them. 0 to 1.
        histograms: Share of sentences by bin of probability, by label; ten bins of equal width from 0 to 1.
        near: Share of sentences within the review margin of the threshold, by label. 0 to 1.
    """

    shares: dict[str, dict[str, float]]
    histograms: dict[str, list[float]]
    near: dict[str, float]


@dataclass(frozen=True)
class Reference:
    """What the training side looked like to the model.

    Attributes:
        sentences: Number of sentences that the shares are of, by doc_type; `all` for all of them.
        doc_types: Every doc_type of the training side.
        unknown_words: Share of words of documents held out that the others do not teach, 0 to 1.
        modes: By mode.
    """

    sentences: dict[str, int]
    doc_types: tuple[str, ...]
    unknown_words: float
    modes: dict[str, ModeReference]


class Tally:
    """Counts of what a model says, in memory that does not grow with the number of sentences.

    Args:
        thresholds: In the order of `LABELS`.
        margin: Distance from a threshold below which a sentence counts as near.
    """

    def __init__(self, thresholds: Floats, margin: float) -> None:
        self._thresholds, self._margin = thresholds, margin
        self._kinds: Counter[str] = Counter()
        self._labels: dict[str, Floats] = {}
        self._bins = np.zeros((len(LABELS), BINS), dtype=np.int64)
        self._near = np.zeros(len(LABELS), dtype=np.int64)

    def add(self, probabilities: Floats, kinds: Sequence[str | None] | None = None) -> None:
        """Count sentences.

        Args:
            probabilities: Of shape (sentences, labels).
            kinds: The doc_type of each; None where it is not known.
        """
        if not len(probabilities):
            return
        chosen = probabilities >= self._thresholds
        self._near += (np.abs(probabilities - self._thresholds) < self._margin).sum(axis=0)
        for rank, column in enumerate(probabilities.T):
            self._bins[rank] += np.histogram(column, bins=BINS, range=(0, 1))[0]
        self._count(ALL, len(chosen), chosen.sum(axis=0))
        if kinds is None:
            return
        named = [kind or "" for kind in kinds]
        names = sorted(set(named))
        ranks = {name: rank for rank, name in enumerate(names)}
        codes = np.array([ranks[name] for name in named])
        sums = np.column_stack([np.bincount(codes, weights=column, minlength=len(names)) for column in chosen.T])
        for name, count, row in zip(names, np.bincount(codes), sums, strict=True):
            if name:
                self._count(str(name), int(count), row)

    @property
    def sentences(self) -> dict[str, int]:
        """Number of sentences by doc_type, and under `all`."""
        return {ALL: self._kinds[ALL], **{name: self._kinds[name] for name in sorted(self._kinds) if name != ALL}}

    def result(self) -> ModeReference:
        """Return the shares."""
        total = max(self._kinds[ALL], 1)
        return ModeReference(
            shares={kind: self._shares(kind, count) for kind, count in self.sentences.items()},
            histograms={
                label: [round(int(count) / total, DIGITS) for count in row]
                for label, row in zip(LABELS, self._bins, strict=True)
            },
            near={label: round(int(n) / total, DIGITS) for label, n in zip(LABELS, self._near, strict=True)},
        )

    def _count(self, kind: str, count: int, labels: npt.NDArray[Any]) -> None:
        self._kinds[kind] += count
        self._labels[kind] = self._labels.get(kind, np.zeros(len(LABELS))) + labels

    def _shares(self, kind: str, count: int) -> dict[str, float]:
        sums = self._labels.get(kind, np.zeros(len(LABELS)))
        return {label: round(float(n) / max(count, 1), DIGITS) for label, n in zip(LABELS, sums, strict=True)}


@dataclass(frozen=True, eq=False)
class HeldOut:
    """What a model says in one mode of sentences of the training side that it had not seen.

    Attributes:
        probabilities: Of shape (sentences, labels).
        thresholds: In the order of `LABELS`.
        known: For each row of the training side, whether it is among them.
    """

    probabilities: Floats
    thresholds: Floats
    known: Booleans


def build_reference(
    table: "pd.DataFrame", by_mode: Mapping[str, HeldOut], *, margin: float, unknown_words: float
) -> Reference:
    """Describe the training side.

    Labels are the model's own, so that like is compared with like; and of sentences held out, since a model is surer
    of what it has trained on. Where a thousand of them were drawn at random, those alone count: the others were picked
    for being hard or rare, which reports as they come are not.

    Args:
        table: The training side, with `doc_type`, `kind` and `pool`.
        by_mode: Answers by mode.
        margin: Distance from a threshold below which a sentence counts as near.
        unknown_words: As `unknown_share` gives it.

    Returns:
        The reference.
    """
    prose = ~table["kind"].isin(LAYOUT_KINDS).to_numpy()
    natural = prose & (table["pool"] == NATURAL).to_numpy(dtype=bool)
    sentences: dict[str, int] = {}
    modes = {}
    for mode, answers in by_mode.items():
        wanted = natural if (natural & answers.known).sum() >= _ENOUGH else prose
        tally = Tally(answers.thresholds, margin)
        kinds = table["doc_type"].where(table["doc_type"].notna(), None)[wanted & answers.known]
        tally.add(answers.probabilities[wanted[answers.known]], kinds.tolist())
        sentences = tally.sentences
        modes[str(mode)] = tally.result()
    return Reference(sentences, tuple(sorted(set(table["doc_type"].dropna()))), unknown_words, modes)


def unknown_share(texts: Iterable[str], groups: Iterable[Any], least: int) -> float:
    """Measure how many words of a new document are usually unknown to a model.

    Args:
        texts: Sentences that a model trains on.
        groups: Group of each; sentences of a group are held out together.
        least: In how many sentences a word must stand to be known.

    Returns:
        Share of words of every fifth group that stand in too few sentences of the others, 0 to 1; 0 for one group.
    """
    rows = [(words(clean_text(text)), str(group)) for text, group in zip(texts, groups, strict=True)]
    fifth = set(sorted({group for _, group in rows})[::5])
    seen = Counter(word for found, group in rows if group not in fifth for word in set(found))
    asked = [word for found, group in rows if group in fifth for word in found]
    if not seen or not asked:
        return 0.0
    return round(sum(seen[word] < least for word in asked) / len(asked), DIGITS)


def pack_reference(reference: Reference) -> bytes:
    """Write reference.json.

    Args:
        reference: The reference.

    Returns:
        Its bytes, the same for equal references.
    """
    return json_bytes({"format": FORMAT, **asdict(reference)})


def parse_reference(content: bytes) -> Reference:
    """Read reference.json.

    Args:
        content: Its bytes.

    Returns:
        The reference.

    Raises:
        ValueError: They are not as documented.
    """
    try:
        raw = json.loads(content)
        if raw["format"] != FORMAT:
            raise ValueError(f"found format {raw['format']!r}, accepted: {FORMAT}")
        modes = {mode: _parse_mode(part) for mode, part in raw["modes"].items()}
        counts = {str(kind): int(count) for kind, count in raw["sentences"].items()}
        if not modes or ALL not in counts or any(set(part.shares) != set(counts) for part in modes.values()):
            raise ValueError("its parts do not fit together")
        return Reference(counts, tuple(map(str, raw["doc_types"])), _share(raw["unknown_words"]), modes)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from None


def _parse_mode(raw: Any) -> ModeReference:  # noqa: ANN401
    part = ModeReference(
        shares={
            str(kind): {label: _share(by_label[label]) for label in LABELS} for kind, by_label in raw["shares"].items()
        },
        histograms={label: [_share(value) for value in raw["histograms"][label]] for label in LABELS},
        near={label: _share(raw["near"][label]) for label in LABELS},
    )
    if any(len(row) != BINS for row in part.histograms.values()):
        raise ValueError(f"a histogram has not {BINS} bins")
    return part


def _share(value: Any) -> float:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise ValueError(f"found {value!r}, expected a number from 0 to 1")
    return float(value)
