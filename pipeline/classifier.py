"""The sentence classifier: text in, labels and calibrated probabilities out, by one prediction path."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.labels import LABELS, format_labels

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

PROBABILITY_COLUMNS = tuple(f"p_{label}" for label in LABELS)
PREDICTION_COLUMNS = (*LABELS, "labels", *PROBABILITY_COLUMNS, "uncertain", "model_version")
_FLOAT_DIGITS = 6


@dataclass(frozen=True)
class ModelConfig:
    """What a model folder says of its model.

    Attributes:
        labels: The labels, in the order of the model's outputs.
        thresholds: Probability from which a label is given, by label.
        review_margin: Distance from a threshold below which a sentence counts as uncertain.
        params: The sections `features` and `train` of params.yaml at training.
        data: Hash and counts of the training data.
        scores: Scores by set: `out_of_fold` at training, `test` once evaluated.
        libraries: Versions that the model was fitted with.
        model_sha256: Hash of the file model.skops.
    """

    labels: tuple[str, ...]
    thresholds: dict[str, float]
    review_margin: float
    params: dict[str, dict[str, Any]]
    data: dict[str, Any]
    scores: dict[str, Any]
    libraries: dict[str, str]
    model_sha256: str

    @property
    def version(self) -> str:
        """First 12 hex digits of the hash of everything that decides an answer, and of what it was trained on."""
        content = asdict(self)
        del content["scores"]
        return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


class SentenceClassifier:
    """A fitted scikit-learn pipeline with its thresholds.

    Args:
        pipeline: Takes texts, gives calibrated probabilities of shape (texts, labels).
        config: Labels, thresholds and origin.
    """

    def __init__(self, pipeline: "Pipeline", config: ModelConfig) -> None:
        self.pipeline = pipeline
        self.config = config

    @property
    def version(self) -> str:
        """Identifier of this model: equal for equal models, wherever they lie."""
        return self.config.version

    @property
    def thresholds(self) -> npt.NDArray[np.float64]:
        """Thresholds in the order of `LABELS`."""
        return np.array([self.config.thresholds[label] for label in LABELS])

    def predict_proba(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Give the probability of each label.

        Args:
            texts: Sentences.

        Returns:
            Calibrated probabilities, rounded to six digits, of shape (texts, labels), each between 0 and 1.
        """
        if not len(texts):
            return np.empty((0, len(LABELS)))
        probabilities: npt.NDArray[np.float64] = self.pipeline.predict_proba(list(texts))
        return np.round(probabilities, _FLOAT_DIGITS)

    def predict(self, texts: Iterable[str]) -> pd.DataFrame:
        """Label sentences.

        Args:
            texts: Sentences.

        Returns:
            One row a sentence, with `PREDICTION_COLUMNS`.

        Raises:
            TypeError: `texts` is a single string.
        """
        if isinstance(texts, str):
            raise TypeError("predict takes a list of sentences; put the single sentence into a list")
        probabilities = self.predict_proba(list(texts))
        chosen = probabilities >= self.thresholds
        near = np.abs(probabilities - self.thresholds) < self.config.review_margin
        names = {mask: format_labels(mask) for mask in set(map(tuple, chosen.tolist()))}
        return pd.DataFrame(
            {
                **{label: chosen[:, rank] for rank, label in enumerate(LABELS)},
                "labels": pd.Series([names[tuple(mask)] for mask in chosen.tolist()], dtype="str"),
                **{name: probabilities[:, rank] for rank, name in enumerate(PROBABILITY_COLUMNS)},
                "uncertain": near.any(axis=1),
                "model_version": pd.Series([self.version] * len(chosen), dtype="str"),
            }
        )
