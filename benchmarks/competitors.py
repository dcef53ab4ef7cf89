"""Methods that the champion is compared with: TF-IDF and logistic regression, fastText, VADER, a plain transformer.

Those that learn see the labels of the training side alone; their thresholds maximise F1 on out-of-fold probabilities
there. The transformer's are .5: it is trained once, not anew for each fold.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import GroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline

from pipeline.dataset import groups_of
from pipeline.labels import LABELS, label_matrix
from pipeline.params import EncoderParams, Params
from pipeline.progress import SilentReporter
from pipeline.scorer import Booleans, Floats, sigmoid

if TYPE_CHECKING:
    from pipeline.encoder_base import BaseWeights

Predict = Callable[[Sequence[str]], Floats]
Fit = Callable[[Sequence[str], Booleans], Predict]
# What VADER's authors take as positive and negative.
_POLAR = 0.05
# How a sentence transformer is usually fine-tuned.
_PLAIN = {"epochs": 2, "batch": 16, "learning_rate": 5e-5, "head_rate": 1.0, "dropout": 0.1}
_TRANSFORMER = ("torch", "transformers")


@dataclass(frozen=True)
class Competitor:
    """A method that can label sentences.

    Attributes:
        name: What it is called in the table.
        predict: Sentences to probabilities, of shape (sentences, labels).
        thresholds: Probability from which a label is given.
        calibrated: Whether its numbers are meant as probabilities.
    """

    name: str
    predict: Predict
    thresholds: Floats
    calibrated: bool = True


def competitors(train: pd.DataFrame, params: Params, base: str | None) -> tuple[list[Competitor], list[str]]:
    """Fit every method whose package is installed.

    Args:
        train: The training side.
        params: All settings; they say how many folds over providers set the thresholds.
        base: Folder or hub name of the base weights of a transformer that is fine-tuned plainly; None for none.

    Returns:
        The methods, and a note on each that is missing.
    """
    fits: dict[str, Fit] = {
        "TF-IDF 1-2 grams, logistic regression": fit_tfidf,
        "the same without English stop words": lambda texts, labels: fit_tfidf(texts, labels, "english"),
    }
    notes = []
    if find_spec("fasttext"):
        fits["fastText, one against all, pairs of words"] = fit_fasttext
    else:
        notes.append("fastText is not installed (`pip install 'inspection-findings[bench]'`): its row is left out.")
    texts, labels, groups = train["text"].tolist(), label_matrix(train), groups_of(train)
    found = [
        Competitor(name, fit(texts, labels), tuned_thresholds(fit, texts, labels, groups, params.train.folds))
        for name, fit in fits.items()
    ]
    if base is None or not all(find_spec(name) for name in _TRANSFORMER):
        notes.append(
            "No transformer fine-tuned plainly: that row needs --base and `pip install 'inspection-findings[encoder]'`."
        )
    else:
        from pipeline.encoder_base import open_base

        weights = open_base(base)
        plain = fit_transformer(weights, replace(params.encoder, **_PLAIN), texts, labels)
        found.append(Competitor(f"{weights.describe()['name']}, fine-tuned plainly", plain, np.full(len(LABELS), 0.5)))
    if find_spec("vaderSentiment"):
        found.append(Competitor("VADER, polarity beyond ±.05", vader(), np.full(len(LABELS), 0.5), calibrated=False))
    else:
        notes.append("VADER is not installed (`pip install 'inspection-findings[bench]'`): its row is left out.")
    return found, notes


def tuned_thresholds(
    fit: Fit, texts: Sequence[str], labels: Booleans, groups: npt.NDArray[np.object_], folds: int
) -> Floats:
    """Find the thresholds with the best F1 on answers about groups that were held out."""
    held_out = np.empty(labels.shape)
    for train, rest in GroupKFold(folds).split(labels, groups=groups):
        held_out[rest] = fit([texts[place] for place in train], labels[train])([texts[place] for place in rest])
    return np.array([_best_threshold(labels[:, k], held_out[:, k]) for k in range(labels.shape[1])])


def _best_threshold(truth: Booleans, probabilities: Floats) -> float:
    """Find the threshold with the highest F1: not all that are compared give calibrated probabilities."""
    precision, recall, cuts = precision_recall_curve(truth, probabilities)
    return float(cuts[np.argmax((precision * recall / np.maximum(precision + recall, 1e-12))[:-1])])


def fit_tfidf(texts: Sequence[str], labels: Booleans, stop_words: str | None = None) -> Predict:
    """Fit scikit-learn's TF-IDF and logistic regression as they come, with pairs of words added."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), stop_words=stop_words)
    regression = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
    predict: Predict = make_pipeline(vectorizer, regression).fit(texts, labels.astype(int)).predict_proba
    return predict


def fit_fasttext(texts: Sequence[str], labels: Booleans) -> Predict:
    """Fit fastText with the settings of its own tutorial for sentences with several labels."""
    import fasttext

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "train.txt"
        marks = [" ".join(f"__label__{label}" for label, on in zip(LABELS, row, strict=True) if on) for row in labels]
        rows = zip(marks, texts, strict=True)
        file.write_text("".join(f"{mark or '__label__none'} {plain_words(text)}\n" for mark, text in rows))
        model = fasttext.train_supervised(
            str(file), loss="ova", wordNgrams=2, lr=0.5, epoch=25, dim=50, bucket=200_000, thread=1, verbose=0
        )

    def predict(sentences: Sequence[str]) -> Floats:
        # The wrapper's own method does not run with numpy 2.
        answers = model.f.multilinePredict(
            [f"{plain_words(text)}\n" for text in sentences], len(LABELS) + 1, 0.0, "strict"
        )
        found = np.zeros((len(sentences), len(LABELS)))
        ranks = {f"__label__{label}": rank for rank, label in enumerate(LABELS)}
        for row, (names, values) in enumerate(zip(*answers, strict=True)):
            for value, name in zip(values, names, strict=True):
                if name in ranks:
                    found[row, ranks[name]] = min(value, 1.0)
        return found

    return predict


def fit_transformer(base: "BaseWeights", settings: EncoderParams, texts: Sequence[str], labels: Booleans) -> Predict:
    """Fine-tune all weights of a transformer, and neither prune nor quantise it."""
    from pipeline.encoder_network import EncoderNetwork, encode, fine_tune, predict

    network = EncoderNetwork(base.source, settings.seed, settings.dropout)
    tokenizer = base.open_tokenizer(settings.max_length)
    fine_tune(network, encode(tokenizer, texts), labels.astype(float), settings, SilentReporter())
    return lambda sentences: sigmoid(predict(network, encode(tokenizer, sentences), SilentReporter()).logits)


def plain_words(text: str) -> str:
    """Part words from punctuation and fold case, as fastText's tutorial does; it splits at spaces alone."""
    return " ".join("".join(sign if sign.isalnum() else f" {sign} " for sign in text.casefold()).split())


def vader() -> Predict:
    """Read polarity as strength or weakness; VADER knows no commitment."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyser = SentimentIntensityAnalyzer()

    def predict(sentences: Sequence[str]) -> Floats:
        return from_polarity([analyser.polarity_scores(text)["compound"] for text in sentences])

    return predict


def from_polarity(compound: Sequence[float]) -> Floats:
    """Turn VADER's compound score into strength or weakness."""
    values = np.asarray(compound)
    return np.column_stack([values >= _POLAR, values <= -_POLAR, np.zeros(len(values), dtype=bool)]).astype(float)
