"""Drift: how far newly labelled documents differ from what the model was trained on, in numbers and in words."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from pipeline.classifier import PROBABILITY_COLUMNS
from pipeline.errors import TrackingError
from pipeline.files import json_bytes, replace_file
from pipeline.labels import LABELS
from pipeline.reference import ALL, DIGITS, Reference, Tally
from pipeline.scorer import Floats
from pipeline.sentences import LAYOUT_KINDS

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.classifier import SentenceClassifier

T = TypeVar("T")
DRIFT_FILE = "drift.json"
FORMAT = 1
# Shares of fewer sentences are noise.
FEW = 200
# One report praises and the next one blames: only of several can it be said that labels have shifted.
SEVERAL_REPORTS = 1000
# Shares below this count as this much, or one empty bin would make the index infinite.
_LEAST_SHARE = 1e-4
# Above .25 a population is commonly held to have shifted (Siddiqi, Credit Risk Scorecards, 2006, p. 137).
_SHIFTED = 0.25
_WORDS_MARGIN = 0.05
_NEAR_MARGIN = 0.1
_SHARE_MARGIN = 0.15
_ROWS = 10_000


class DriftMeter:
    """Compares findings with the training side of their model, piece by piece and in flat memory.

    Args:
        classifier: The model that made the findings.
        reference: What its training side looked like.
    """

    def __init__(self, classifier: "SentenceClassifier", reference: Reference) -> None:
        self._classifier, self._reference = classifier, reference
        self._tally = Tally(classifier.thresholds, classifier.config.review_margin)
        self._words = self._unknown = 0
        self._chances: list[Floats] = []
        self._kinds: list[str | None] = []

    def add(self, findings: "pa.Table", words: int, unknown: int) -> None:
        """Count findings; headings, contents and the like are left out.

        Args:
            findings: With probabilities, and perhaps `kind` and `doc_type`.
            words: Number of words in `prose_rows` of them.
            unknown: Number of those that the model does not know.
        """
        self._unknown, self._words = self._unknown + unknown, self._words + words
        for start in range(0, findings.num_rows, _ROWS):
            piece = findings.slice(start, _ROWS)
            names = piece.column_names
            places = prose_rows(piece)
            # Arrow's own way to NumPy would load pandas.
            chances = np.array([piece[name].to_pylist() for name in PROBABILITY_COLUMNS], dtype=float).T[places]
            kinds = _take(piece["doc_type"].to_pylist(), places) if "doc_type" in names else None
            self._chances.append(chances)
            self._kinds.extend(None if kind is None else str(kind) for kind in kinds or [None] * len(chances))
            if len(self._kinds) >= _ROWS:
                self._count()

    def _count(self) -> None:
        """Count many sentences at once: a document may hold one."""
        if self._kinds:
            self._tally.add(np.concatenate(self._chances), self._kinds)
        self._chances, self._kinds = [], []

    def measure(self) -> dict[str, Any]:
        """Compare what was counted with the training side.

        Returns:
            What drift.json holds: counts, label shares by doc_type, share of unknown words and of sentences near a
            threshold, each beside that of the training side; population stability index by label; and `warnings`.
        """
        self._count()
        now, before = self._tally.result(), self._reference.modes[self._classifier.mode]
        measured: dict[str, Any] = {
            "format": FORMAT,
            "model_version": self._classifier.answered_by,
            "sentences": self._tally.sentences,
            "training_sentences": self._reference.sentences,
            "training_doc_types": list(self._reference.doc_types),
            "label_shares": {"now": now.shares, "training": before.shares},
            "unknown_words": {
                "now": round(self._unknown / max(self._words, 1), DIGITS),
                "training": self._reference.unknown_words,
            },
            "near_threshold": {"now": now.near, "training": before.near},
            "population_stability": {
                label: round(population_stability(before.histograms[label], now.histograms[label]), DIGITS)
                if self._tally.sentences[ALL]
                else 0.0
                for label in LABELS
            },
        }
        return {**measured, "warnings": warnings_of(measured)}


def prose_rows(sentences: "pa.Table") -> list[int] | slice:
    """Tell which sentences are prose.

    Args:
        sentences: Sentences, perhaps with `kind`.

    Returns:
        The rows that are no heading, contents or the like; without `kind` all.
    """
    if "kind" not in sentences.column_names or not sentences.num_rows:
        return slice(None)
    return [row for row, kind in enumerate(sentences["kind"].to_pylist()) if kind not in LAYOUT_KINDS]


def warnings_of(measured: Mapping[str, Any]) -> list[str]:
    """Say in plain words what moved.

    Args:
        measured: What `DriftMeter.measure` measures.

    Returns:
        One sentence each; none where nothing moved much, or there are too few sentences to tell from: 200, and 1,000
        (several reports) for what hangs on how a single report judges.
    """
    counts, before = measured["sentences"], measured["training_sentences"]
    if counts[ALL] < FEW:
        return []
    found = []
    words = measured["unknown_words"]
    if words["now"] > words["training"] + _WORDS_MARGIN:
        found.append(
            f"{words['now']:.0%} of words unseen in training ({words['training']:.0%} is usual): a new framework, "
            "another kind of document, or a bad scan?"
        )
    strange = [
        f"{kind} ({count:,} sentences)"
        for kind, count in counts.items()
        if kind != ALL and count >= FEW and kind not in measured["training_doc_types"]
    ]
    if strange:
        more = f" and {len(strange) - 3} more" if len(strange) > 3 else ""
        found.append(f"no training document is of the type {', '.join(strange[:3])}{more}: label some.")
    near = measured["near_threshold"]
    for label in LABELS:
        if near["now"][label] > near["training"][label] + _NEAR_MARGIN:
            found.append(
                f"{near['now'][label]:.0%} of sentences are a close call for {label} ({near['training'][label]:.0%} is "
                "usual): review some."
            )
    for label, value in measured["population_stability"].items():
        if counts[ALL] >= SEVERAL_REPORTS and value > _SHIFTED:
            found.append(
                f"the probabilities of {label} are spread otherwise than in training (population stability index "
                f"{value:.2f}; above {_SHIFTED} counts as shifted): review a random share."
            )
    shares = measured["label_shares"]
    for kind, count in counts.items():
        if kind == ALL or count < SEVERAL_REPORTS or before.get(kind, 0) < FEW:
            continue
        for label in LABELS:
            now, usual = shares["now"][kind][label], shares["training"][kind][label]
            if abs(now - usual) > _SHARE_MARGIN:
                found.append(f"{kind}: {now:.0%} of sentences are {label}, in training {usual:.0%}.")
    return found


def population_stability(expected: Sequence[float], actual: Sequence[float]) -> float:
    """Compare two distributions over the same bins.

    The population stability index is the sum over bins of (actual - expected) * ln(actual / expected), which is the
    symmetrised Kullback-Leibler divergence (Kullback and Leibler, "On information and sufficiency", 1951). By the usual
    rule less than .1 is no shift, and more than .25 a shift (Siddiqi, Credit Risk Scorecards, 2006).

    Args:
        expected: Share of each bin, 0 to 1.
        actual: The same of the other distribution.

    Returns:
        0 where both are equal; no upper bound. Shares below .0001 count as .0001.
    """
    one = np.maximum(np.asarray(expected, dtype=float), _LEAST_SHARE)
    other = np.maximum(np.asarray(actual, dtype=float), _LEAST_SHARE)
    return float(((other - one) * np.log(other / one)).sum())


def read_drift(path: Path, view: Callable[[Mapping[str, Any]], T], remedy: str) -> tuple[T, list[str]]:
    """Read drift.json.

    Args:
        path: The file.
        view: Takes from it what is wanted.
        remedy: The command that makes the file anew, for the error.

    Returns:
        What the view took, and the warnings.

    Raises:
        TrackingError: The file is missing or damaged.
    """
    try:
        drift = json.loads(path.read_text(encoding="utf-8"))
        return view(drift), [str(warning) for warning in drift["warnings"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise TrackingError(f"{path}: missing or damaged; run `{remedy}`.") from None


def write_drift(measured: Mapping[str, Any], path: Path) -> None:
    """Write drift.json.

    Args:
        measured: What `DriftMeter.measure` returns.
        path: The file.
    """
    with replace_file(path) as temporary:
        temporary.write_bytes(json_bytes(dict(measured)))


def _take(values: list[Any], places: list[int] | slice) -> list[Any]:
    return values[places] if isinstance(places, slice) else [values[place] for place in places]
