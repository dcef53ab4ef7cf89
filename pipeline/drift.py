"""Drift: how far newly classified documents differ from what the model was trained on, in numbers and in words."""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.classifier import PROBABILITY_COLUMNS
from pipeline.errors import DataError
from pipeline.files import json_bytes, replace_file
from pipeline.labels import LABELS
from pipeline.sentences import normalise

FORMAT = 1
ALL = "all"
_BINS = 10
# Shares below this count as this much, or one empty bin would make the index infinite.
_LEAST_SHARE = 1e-4
# Above .25 a population is commonly held to have shifted (Siddiqi, Credit Risk Scorecards, 2006, p. 137).
_SHIFTED = 0.25
_UNSEEN_MARGIN = 0.05
_SHARE_MARGIN = 0.1
_FEW_SENTENCES = 50
_DIGITS = 4


@dataclass(frozen=True)
class Reference:
    """What the training data looked like to the model.

    Attributes:
        model_version: The model.
        sentences: Number of training sentences.
        shares: Share of sentences with each label, by doc_type; `all` for all of them. 0 to 1.
        unseen: Share of words of held-out sentences that do not stand in the others, 0 to 1.
        histograms: Share of sentences by bin of probability, by label; ten bins of equal width from 0 to 1.
        words: Every word of the training sentences.
    """

    model_version: str
    sentences: int
    shares: dict[str, dict[str, float]]
    unseen: float
    histograms: dict[str, list[float]]
    words: frozenset[str]


def build_reference(train: pd.DataFrame, predictions: pd.DataFrame) -> Reference:
    """Describe the training side.

    Labels and probabilities are the model's own, so that like is compared with like. A model is surer of what it has
    trained on than of anything else, hence predictions for sentences held out are best.

    Args:
        train: The training side, with `text`, `document` and `doc_type`.
        predictions: What the model says of each row: one boolean column a label, probabilities (0 to 1) and
            `model_version`.

    Returns:
        The reference.
    """
    table = predictions[[*LABELS, *PROBABILITY_COLUMNS]].assign(doc_type=train["doc_type"].to_numpy())
    texts = [set(normalise(text).split()) for text in train["text"]]
    return Reference(
        model_version=str(predictions["model_version"].iloc[0]),
        sentences=len(train),
        shares=_shares(table),
        unseen=_unseen_of_a_fifth(texts, train["document"].tolist()),
        histograms={
            label: histogram(table[name].to_numpy(dtype=float))
            for label, name in zip(LABELS, PROBABILITY_COLUMNS, strict=True)
        },
        words=frozenset().union(*texts),
    )


def measure_drift(
    findings: pd.DataFrame, reference: Reference, thresholds: Mapping[str, float], margin: float
) -> dict[str, Any]:
    """Compare findings with the training side.

    Args:
        findings: With `text`, labels, probabilities (0 to 1) and, if known, `doc_type`.
        reference: The training side.
        thresholds: Threshold of each label, 0 to 1.
        margin: Distance from a threshold below which a sentence counts as near, 0 to 1.

    Returns:
        What drift.json holds: counts, label shares by doc_type with those of the training side, share of unseen words,
        share of sentences near a threshold and the mean probability there, population stability index by label, and
        `warnings` in plain language.
    """
    table = findings[[*LABELS, *PROBABILITY_COLUMNS]].assign(doc_type=findings.get("doc_type"))
    unseen = _unseen([set(normalise(str(text)).split()) for text in findings["text"]], reference.words)
    near, stability = {}, {}
    for label, name in zip(LABELS, PROBABILITY_COLUMNS, strict=True):
        chances = table[name].to_numpy(dtype=float)
        close = chances[np.abs(chances - thresholds[label]) < margin]
        near[label] = {
            "share": round(len(close) / len(chances), _DIGITS) if len(chances) else 0.0,
            "mean_probability": round(float(close.mean()), _DIGITS) if len(close) else None,
            "threshold": thresholds[label],
        }
        stability[label] = round(population_stability(reference.histograms[label], histogram(chances)), _DIGITS)
    counts = {ALL: len(table), **{str(name): int(n) for name, n in table["doc_type"].value_counts().items()}}
    measured = {
        "format": FORMAT,
        "model_version": reference.model_version,
        "sentences": counts,
        "label_shares": {"now": _shares(table), "training": reference.shares},
        "unseen_words": {"now": unseen, "training": reference.unseen},
        "near_threshold": near,
        "population_stability": stability,
    }
    return {**measured, "warnings": warnings_of(measured)}


def warnings_of(measured: Mapping[str, Any]) -> list[str]:
    """Say in plain words what moved.

    Args:
        measured: What `measure_drift` measures.

    Returns:
        One sentence each; none where nothing moved much, or there are fewer than fifty sentences to tell from.
    """
    counts = measured["sentences"]
    if counts[ALL] < _FEW_SENTENCES:
        return []
    found = []
    unseen = measured["unseen_words"]
    if unseen["now"] > unseen["training"] + _UNSEEN_MARGIN:
        found.append(
            f"{unseen['now']:.0%} of words unseen in training ({unseen['training']:.0%} is usual): a new framework, "
            "another kind of document, or a bad scan?"
        )
    for label, value in measured["population_stability"].items():
        if value > _SHIFTED:
            found.append(
                f"the probabilities of {label} are spread otherwise than in training (population stability index "
                f"{value:.2f}; above {_SHIFTED} counts as shifted): review a random share."
            )
    shares = measured["label_shares"]
    for kind, count in counts.items():
        if kind not in shares["training"]:
            found.append(f"no training document is of the type {kind} ({count:,} sentences here): label some.")
            continue
        for label in LABELS:
            now, before = shares["now"][kind][label], shares["training"][kind][label]
            if count >= _FEW_SENTENCES and kind != ALL and abs(now - before) > _SHARE_MARGIN:
                found.append(f"{kind}: {now:.0%} of sentences are {label}, in training {before:.0%}.")
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


def histogram(chances: npt.NDArray[np.float64]) -> list[float]:
    """Return the share of probabilities by bin.

    Args:
        chances: Probabilities, of shape (sentences,).

    Returns:
        Ten shares, for bins of equal width from 0 to 1; all 0 where there is no sentence.
    """
    counts = np.histogram(chances, bins=_BINS, range=(0, 1))[0]
    return [round(float(count) / max(len(chances), 1), _DIGITS) for count in counts]


def save_reference(reference: Reference, path: Path) -> None:
    """Write reference.json.

    Args:
        reference: The training side.
        path: The file.
    """
    content = {"format": FORMAT, **asdict(reference), "words": " ".join(sorted(reference.words))}
    with replace_file(path) as temporary:
        temporary.write_bytes(json_bytes(content, ensure_ascii=False))


def load_reference(path: Path) -> Reference:
    """Read reference.json.

    Args:
        path: The file.

    Returns:
        The training side.

    Raises:
        DataError: The file is missing, or not as documented.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        if raw.pop("format") != FORMAT:
            raise ValueError("unknown format")
        return Reference(**{**raw, "words": frozenset(raw["words"].split())})
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{path}: missing or damaged ({error}); train again with `dvc repro`.") from None


def _shares(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Give the share of each label, by doc_type and in all."""
    parts: Iterable[tuple[Any, pd.DataFrame]] = [(ALL, table), *table.groupby("doc_type", sort=True)]
    return {
        str(kind): {label: round(float(part[label].mean()), _DIGITS) if len(part) else 0.0 for label in LABELS}
        for kind, part in parts
    }


def _unseen_of_a_fifth(texts: Sequence[set[str]], documents: Sequence[str]) -> float:
    """Give the share of words of every fifth document that do not stand in the other documents."""
    fifth = set(sorted(set(documents))[::5])
    known: set[str] = set().union(*(words for words, name in zip(texts, documents, strict=True) if name not in fifth))
    return _unseen([words for words, name in zip(texts, documents, strict=True) if name in fifth], known)


def _unseen(texts: Sequence[set[str]], known: Set[str]) -> float:
    """Give the share of words, numbers aside, that are not known; a word counts once a sentence."""
    words = [word for text in texts for word in text if not word.isdigit()]
    return round(sum(word not in known for word in words) / len(words), _DIGITS) if words else 0.0
