"""Training: fit, calibrate and choose thresholds, on the training side only."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import GroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline

from pipeline.classifier import SentenceClassifier
from pipeline.conversion import convert_pipeline
from pipeline.dataset import load_side, load_summary
from pipeline.errors import DataError
from pipeline.features import build_features
from pipeline.labels import LABELS, label_matrix
from pipeline.linear_model import DIGITS
from pipeline.model_folder import make_config, save_model
from pipeline.params import Params
from pipeline.scorer import LinearScorer
from pipeline.scores import Scored, point_scores

Floats = npt.NDArray[np.float64]
Booleans = npt.NDArray[np.bool_]
_THRESHOLD_DIGITS = 4
_BINS = 10


def train_candidate(params: Params, dataset: Path, output: Path) -> SentenceClassifier:
    """Train on the training side and save the model folder.

    Args:
        params: All settings.
        dataset: Folder that the dataset stage wrote.
        output: Model folder to write.

    Returns:
        The trained classifier.

    Raises:
        DataError: The training side is missing, or too small for a label.
    """
    table = load_side(dataset, "train")
    summary = load_summary(dataset)
    labels = label_matrix(table)
    texts = table["text"].tolist()
    # All documents about one provider share a fold: what is said of a place in one report is often said again.
    documents = table["provider"].fillna(table["document"]).to_numpy()
    pipeline, thresholds, scores = fit(texts, labels, documents, params)
    scorer = LinearScorer(convert_pipeline(pipeline))
    config = make_config(
        scorer,
        thresholds=dict(zip(LABELS, thresholds.tolist(), strict=True)),
        review_margin=params.train.review_margin,
        params={"features": asdict(params.features), "train": asdict(params.train)},
        data={"sha256": summary["train"]["sha256"], **_counts(table)},
        scores={"out_of_fold": scores},
    )
    classifier = SentenceClassifier(scorer, config)
    save_model(classifier, output)
    return classifier


def fit(
    texts: Sequence[str], labels: Booleans, documents: npt.NDArray[Any], params: Params
) -> tuple[Pipeline, Floats, dict[str, float | None]]:
    """Fit the pipeline, calibrate it and tune its thresholds on out-of-fold scores.

    Args:
        texts: Training sentences.
        labels: Truth, of shape (texts, labels).
        documents: Document id of each text; a document is never in two folds.
        params: All settings.

    Returns:
        The calibrated pipeline, the thresholds in the order of `LABELS`, and out-of-fold scores.

    Raises:
        DataError: A label has too few examples, or lies in too few documents, for the folds.
    """
    folds = _folds(labels, documents, params.train.folds)
    parts = Parallel(n_jobs=-1)(
        delayed(_held_out_scores)(texts, labels, train, held_out, params) for train, held_out in folds
    )
    scores = np.empty(labels.shape)
    for (_, held_out), part in zip(folds, parts, strict=True):
        scores[held_out] = part
    pipeline = build_pipeline(params).fit(list(texts), labels.astype(int))
    slopes, intercepts = _platt(scores, labels)
    _fold_in(pipeline, slopes, intercepts)
    probabilities = 1 / (1 + np.exp(-(scores * slopes + intercepts)))
    thresholds = np.array([best_threshold(labels[:, k], probabilities[:, k]) for k in range(labels.shape[1])])
    answers = Scored(labels, probabilities, probabilities >= thresholds, documents, np.full(len(labels), ""))
    return pipeline, thresholds, point_scores(answers, _BINS)


def build_pipeline(params: Params) -> Pipeline:
    """Make the unfitted pipeline.

    Args:
        params: All settings.

    Returns:
        TF-IDF, then one logistic regression a label.
    """
    # liblinear's dual coordinate descent is plain single-threaded code: the same numbers on every machine.
    regression = LogisticRegression(
        C=params.train.C,
        class_weight=None if params.train.class_weight == "none" else params.train.class_weight,
        solver="liblinear",
        dual=True,
        max_iter=5000,
        random_state=params.train.seed,
    )
    return Pipeline([("features", build_features(params.features)), ("labels", OneVsRestClassifier(regression))])


def best_threshold(truth: Booleans, probabilities: Floats) -> float:
    """Find the threshold with the highest F1.

    Args:
        truth: Whether each sentence has the label.
        probabilities: Out-of-fold probabilities of the label.

    Returns:
        A threshold half way to the next lower probability, so that it does not hang on one sentence; four digits.
    """
    precision, recall, cuts = precision_recall_curve(truth, probabilities)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    best = int(np.argmax(f1[:-1]))
    below = cuts[best - 1] if best else 0.0
    return round(float(cuts[best] + below) / 2, _THRESHOLD_DIGITS)


def _held_out_scores(
    texts: Sequence[str], labels: Booleans, train: npt.NDArray[Any], held_out: npt.NDArray[Any], params: Params
) -> Floats:
    """Fit on one part and give the decision scores of the other, of shape (held out, labels)."""
    pipeline = build_pipeline(params).fit([texts[i] for i in train], labels[train].astype(int))
    scores: Floats = pipeline.decision_function([texts[i] for i in held_out])
    return scores


def _folds(
    labels: Booleans, documents: npt.NDArray[Any], count: int
) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Divide the rows by document, and make sure that every part can be fitted."""
    for label, column in zip(LABELS, labels.T, strict=True):
        if not column.any() or column.all():
            found = "no example" if not column.any() else "no counter-example"
            raise DataError(
                f"label {label!r} has {found} in the training side; label at least one sentence with it and one "
                "without it in several documents (data/labels), then run `dvc repro`."
            )
    present = len(set(documents.tolist()))
    if present < count:
        raise DataError(
            f"{present} document(s) in the training side cannot make {count} folds; label more documents, or lower "
            "train.folds in params.yaml."
        )
    folds = list(GroupKFold(count).split(documents, groups=documents))
    for train, _ in folds:
        for label, column in zip(LABELS, labels[train].T, strict=True):
            if not column.any() or column.all():
                raise DataError(
                    f"label {label!r} stands in too few documents of the training side for {count} folds; label it in "
                    "more documents, or lower train.folds in params.yaml."
                )
    return folds


def _platt(scores: Floats, labels: Booleans) -> tuple[Floats, Floats]:
    """Fit p = 1 / (1 + exp(-(a s + b))) for each label (Platt 1999) on out-of-fold scores s; return (a, b)."""
    fitted = [LogisticRegression(C=1e6).fit(scores[:, [k]], labels[:, k]) for k in range(labels.shape[1])]
    slopes = np.array([model.coef_[0, 0] for model in fitted])
    intercepts = np.array([model.intercept_[0] for model in fitted])
    return np.round(slopes, DIGITS), np.round(intercepts, DIGITS)


def _fold_in(pipeline: Pipeline, slopes: Floats, intercepts: Floats) -> None:
    """Put the calibration into the weights: a (w x + c) + b is again a linear score, (a w) x + (a c + b).

    What is fitted is rounded, which makes saved models equal where processors differ in the last bit of a sum.
    """
    for _, vectorizer in pipeline.named_steps["features"].transformer_list:
        vectorizer.idf_ = np.round(vectorizer.idf_, DIGITS)
    for estimator, slope, intercept in zip(pipeline.named_steps["labels"].estimators_, slopes, intercepts, strict=True):
        estimator.coef_ = np.round(estimator.coef_ * slope, DIGITS)
        estimator.intercept_ = np.round(estimator.intercept_ * slope + intercept, DIGITS)


def _counts(table: pd.DataFrame) -> dict[str, Any]:
    """Count rows, documents and examples of each label."""
    return {
        "sentences": len(table),
        "documents": int(table["document"].nunique()),
        "examples": {label: int(table[label].sum()) for label in LABELS},
        "sources": {str(name): int(count) for name, count in table["source"].value_counts().sort_index().items()},
    }
