"""The sentence classifier: text in, labels and calibrated probabilities out, by one prediction path."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pipeline.cascade import Cascade
from pipeline.encoder import Encoder
from pipeline.errors import ModelError, UsageError
from pipeline.label_sets import LabelSets, SetWeights
from pipeline.labels import LABELS, format_labels
from pipeline.modes import Mode
from pipeline.reading.arrow_columns import repeated_string, string_array
from pipeline.scorer import LinearScorer, sigmoid

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

PROBABILITY_COLUMNS = tuple(f"p_{label}" for label in LABELS)
PREDICTION_COLUMNS = (*LABELS, "labels", *PROBABILITY_COLUMNS, "uncertain", "model_version")
_FLOAT_DIGITS = 6


@dataclass(frozen=True)
class ModelConfig:
    """What a model folder says of its model.

    Attributes:
        labels: The labels, in the order of the model's outputs.
        thresholds: Probability from which a label is given in the mode fast, by label.
        sets: How sets of labels are weighed by the linear log-odds of all labels (`pipeline.label_sets`); None for a
            model saved before there were sets, which reads each label by itself.
        cascade: How the encoder takes part; None for a model that answers in the mode fast only.
        review_margin: Distance from a threshold below which a sentence counts as uncertain.
        params: The sections `features` and `train` of params.yaml at training.
        data: Hash and counts of the training data.
        scores: Scores by set: `out_of_fold` at training, `test` once evaluated.
        libraries: Versions that the model was fitted with.
        model_sha256: Hash of the file model.npz.
        reference_sha256: Hash of the file reference.json.
    """

    labels: tuple[str, ...]
    thresholds: dict[str, float]
    sets: SetWeights | None
    cascade: Cascade | None
    review_margin: float
    params: dict[str, dict[str, Any]]
    data: dict[str, Any]
    scores: dict[str, Any]
    libraries: dict[str, str]
    model_sha256: str
    reference_sha256: str

    @cached_property
    def version(self) -> str:
        """First 12 hex digits of the hash of everything that decides an answer, and of what it was trained on."""
        content = asdict(self)
        del content["scores"]
        if self.sets is None:
            del content["sets"]
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def default_mode(config: ModelConfig) -> Mode:
    """Name the mode in which a model answers unless asked otherwise.

    Args:
        config: What the model's folder says of it.

    Returns:
        Balanced for a model that was trained with an encoder, else fast.
    """
    return Mode.fast if config.cascade is None else Mode.balanced


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a model says of some sentences.

    Attributes:
        chosen: Whether each label is given, of shape (texts, labels).
        probabilities: Calibrated, rounded to six digits, of shape (texts, labels).
        uncertain: Whether some probability lies within the review margin of its threshold, of shape (texts,).
        words: Number of words, and of those that the linear model does not know, of shape (texts, 2).
        model_version: Version of the model, with the mode unless it is the usual one.
    """

    chosen: npt.NDArray[np.bool_]
    probabilities: npt.NDArray[np.float64]
    uncertain: npt.NDArray[np.bool_]
    words: npt.NDArray[np.int64]
    model_version: str

    @property
    def labels(self) -> list[str]:
        """The labels of each sentence in words."""
        masks = list(map(tuple, self.chosen.tolist()))
        names = {mask: format_labels(mask) for mask in set(masks)}
        return [names[mask] for mask in masks]

    def to_frame(self) -> "pd.DataFrame":
        """Return `PREDICTION_COLUMNS` as a frame, one row a sentence."""
        import pandas as pd

        return pd.DataFrame(
            {
                **{label: self.chosen[:, rank] for rank, label in enumerate(LABELS)},
                "labels": pd.Series(self.labels, dtype="str"),
                **{name: self.probabilities[:, rank] for rank, name in enumerate(PROBABILITY_COLUMNS)},
                "uncertain": self.uncertain,
                "model_version": pd.Series([self.model_version] * len(self.chosen), dtype="str"),
            }
        )

    def to_arrow(self) -> "pa.Table":
        """Return `PREDICTION_COLUMNS` as an Arrow table, one row a sentence, without loading pandas."""
        import pyarrow as pa

        return pa.table(
            {
                **{label: _arrow_booleans(self.chosen[:, rank]) for rank, label in enumerate(LABELS)},
                "labels": string_array(self.labels),
                **{name: _arrow_floats(self.probabilities[:, rank]) for rank, name in enumerate(PROBABILITY_COLUMNS)},
                "uncertain": _arrow_booleans(self.uncertain),
                "model_version": repeated_string(self.model_version, len(self.chosen)),
            }
        )


class SentenceClassifier:
    """A linear model and, where it is unsure, an encoder; one set of thresholds a mode.

    Args:
        scorer: Takes texts, gives calibrated log-odds of each label by itself, of shape (texts, labels).
        config: Labels, thresholds and origin.
        encoder: The encoder that the model was trained with; its network is loaded when a sentence needs it.
        mode: Who reads the sentences.

    Raises:
        ModelError: The mode needs an encoder, and there is none, or another.
    """

    def __init__(
        self, scorer: LinearScorer, config: ModelConfig, encoder: Encoder | None = None, mode: Mode = Mode.fast
    ) -> None:
        self.scorer = scorer
        self.config = config
        self.encoder = encoder
        self.mode = mode
        self._sets = None if config.sets is None else LabelSets(config.sets)
        if mode is Mode.fast:
            return
        if config.cascade is None:
            raise UsageError(f"model {config.version} has no encoder: it answers in the mode {Mode.fast} only.")
        if encoder is None or encoder.version != config.cascade.encoder:
            found = "none" if encoder is None else f"{encoder.version} in {encoder.folder}"
            raise ModelError(
                f"model {config.version} was trained with encoder {config.cascade.encoder}, found {found}; restore "
                f"models/encoder, retrain with `dvc repro`, or answer without it (--mode {Mode.fast})."
            )

    @property
    def version(self) -> str:
        """Identifier of this model: equal for equal models, wherever they lie."""
        return self.config.version

    @property
    def answered_by(self) -> str:
        """What stands beside each answer: the version and, unless it is the default, the mode."""
        usual = default_mode(self.config)
        return self.version if self.mode is usual else f"{self.version}-{self.mode}"

    @property
    def thresholds(self) -> npt.NDArray[np.float64]:
        """Thresholds in the order of `LABELS`."""
        cascade = self.config.cascade
        by_label = self.config.thresholds
        if self.mode is not Mode.fast and cascade is not None:
            by_label = cascade.thresholds[self.mode]
        return np.array([by_label[label] for label in LABELS])

    def in_mode(self, mode: Mode) -> "SentenceClassifier":
        """Return the same model in another mode.

        Args:
            mode: Who reads the sentences.

        Returns:
            A classifier that shares everything else with this one.

        Raises:
            ModelError: The mode needs an encoder, and there is none.
        """
        return SentenceClassifier(self.scorer, self.config, self.encoder, mode)

    def unsure(self, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Tell which sentences the encoder reads in this mode.

        Args:
            texts: Sentences.

        Returns:
            Truth values, of shape (texts,).
        """
        return self._read_by_encoder(self.linear_probabilities(self.scorer.score(texts)))

    def linear_probabilities(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn what the scorer says into the linear model's answer.

        Args:
            scores: Log-odds of each label by itself, of shape (sentences, labels).

        Returns:
            Calibrated probabilities, of the same shape.
        """
        return sigmoid(scores) if self._sets is None else self._sets.probabilities(scores)

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Give the probability of each label.

        Args:
            texts: Sentences.

        Returns:
            Calibrated probabilities, rounded to six digits, of shape (texts, labels), each between 0 and 1.

        Raises:
            ModelError: The encoder is needed, and cannot be loaded.
        """
        return self._probabilities(texts, self.scorer.score(texts))

    def _probabilities(self, texts: Sequence[str], scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        probabilities = self.linear_probabilities(scores)
        places = np.flatnonzero(self._read_by_encoder(probabilities))
        if len(places) and self.encoder is not None and self.config.cascade is not None:
            logits = self.encoder.logits([texts[place] for place in places.tolist()])
            probabilities[places] = self.config.cascade.probabilities(logits, scores[places])
        return np.round(probabilities, _FLOAT_DIGITS)

    def _read_by_encoder(self, plain: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        if self.mode is Mode.balanced and self.config.cascade is not None:
            return self.config.cascade.unsure(plain)
        return np.full(len(plain), self.mode is Mode.accurate)

    def label(self, texts: Iterable[str]) -> Predictions:
        """Label sentences.

        Args:
            texts: Sentences.

        Returns:
            Labels and probabilities, in the order of the sentences.

        Raises:
            TypeError: `texts` is a single string.
        """
        if isinstance(texts, str):
            raise TypeError("predict takes a list of sentences; put the single sentence into a list")
        return self.judge(*self.read(list(texts)))

    def read(self, texts: Sequence[str]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
        """Read sentences.

        Args:
            texts: Sentences.

        Returns:
            Probabilities as `predict_proba` gives them; and number of words, and of those that the linear model does
            not know, of shape (texts, 2).

        Raises:
            ModelError: The encoder is needed, and cannot be loaded.
        """
        scores, words = self.scorer.score_and_count(texts)
        return self._probabilities(texts, scores), words

    def judge(self, probabilities: npt.NDArray[np.float64], words: npt.NDArray[np.int64]) -> Predictions:
        """Say what follows from what was read.

        Args:
            probabilities: As `read` gives them, of shape (sentences, labels).
            words: As `read` gives them, of shape (sentences, 2).

        Returns:
            Labels and probabilities of these sentences.
        """
        near = np.abs(probabilities - self.thresholds) < self.config.review_margin
        uncertain: npt.NDArray[np.bool_] = np.any(near, axis=1)
        return Predictions(probabilities >= self.thresholds, probabilities, uncertain, words, self.answered_by)

    def predict(self, texts: Iterable[str]) -> "pd.DataFrame":
        """Label sentences.

        Args:
            texts: Sentences.

        Returns:
            One row a sentence, with `PREDICTION_COLUMNS`.

        Raises:
            TypeError: `texts` is a single string.
        """
        return self.label(texts).to_frame()


def _arrow_booleans(values: npt.NDArray[np.bool_]) -> "pa.Array":
    import pyarrow as pa

    bits = np.packbits(values, bitorder="little").tobytes()
    return pa.Array.from_buffers(pa.bool_(), len(values), [None, pa.py_buffer(bits)])


def _arrow_floats(values: npt.NDArray[np.float64]) -> "pa.Array":
    import pyarrow as pa

    return pa.Array.from_buffers(pa.float64(), len(values), [None, pa.py_buffer(values.tobytes())])
