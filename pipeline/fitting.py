"""Fitting the linear model: features, one logistic regression a label, calibration and thresholds."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from joblib import Parallel, delayed
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import LabelBinarizer

from pipeline.calibration import best_thresholds, choose_prior, fit_label_sets, fit_platt, held_out_scores
from pipeline.conversion import add_weights, convert_features
from pipeline.environment import added_environment
from pipeline.errors import DataError
from pipeline.features import build_features
from pipeline.label_sets import LabelSets, SetWeights
from pipeline.labelled import Labelled
from pipeline.labels import LABELS
from pipeline.linear_model import DIGITS, LinearModel
from pipeline.params import Params
from pipeline.scorer import Booleans, Floats, LinearScorer

# A soft label nearer to 0 or 1 than this share of how frequent its label is counts as that.
_SURE = 1 / 15
# Passes over the sentences end after so many visits in all, or after scikit-learn's usual hundred. From labels alone
# convergence comes long before; with soft labels and copies more visits change no score.
_VISITS = 3_600_000
_PASSES = 100
# Each fit fills some gigabyte with small pieces. By this, Linux hands it out to the processes that do it in pages of
# 2 MB, not of 4 kB.
_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
# Copies whose features are computed at once.
_CHUNK = 4096


@dataclass(frozen=True, eq=False)
class Soft:
    """Sentences that nobody labelled, with the encoder's calibrated probabilities.

    Attributes:
        texts: The sentences.
        probabilities: Of shape (sentences, labels), each between 0 and 1.
        groups: Group of each sentence, named as those of the labelled ones.
        copies: Which are altered copies of other sentences, labelled or not, of shape (sentences,).
    """

    texts: list[str]
    probabilities: Floats
    groups: npt.NDArray[Any]
    copies: Booleans


NO_SOFT = Soft([], np.empty((0, len(LABELS))), np.empty(0, dtype=object), np.empty(0, dtype=bool))


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted linear model, and what models said of sentences of groups that they had not seen.

    Attributes:
        pipeline: Features and regressions, the calibration folded in.
        model: The same as plain arrays.
        sets: How sets of labels are weighed by the log-odds of all labels (`pipeline.label_sets`).
        thresholds: Of each label, in the order of `LABELS`.
        scores: Scores on the labelled sentences, out of fold.
        labelled: Calibrated log-odds of the labelled sentences, each label by itself, out of fold, of shape (sentences,
            labels).
        folds: Number of the fold in which each labelled sentence was held out, from 0, of shape (sentences,).
        soft: The same of those soft sentences, copies left out, whose group was held out from some fold.
    """

    pipeline: Pipeline
    model: LinearModel
    sets: SetWeights
    thresholds: Floats
    scores: dict[str, float | None]
    labelled: Floats
    folds: npt.NDArray[np.intp]
    soft: Floats

    @property
    def probabilities(self) -> Floats:
        """Of the labelled sentences, out of fold, of shape (sentences, labels)."""
        return LabelSets(self.sets).probabilities(self.labelled)

    def predict_proba(self, texts: Sequence[str]) -> Floats:
        """Give what the model says of other sentences, by way of scikit-learn.

        Args:
            texts: Sentences.

        Returns:
            Probabilities of shape (texts, labels).
        """
        return LabelSets(self.sets).probabilities(self.pipeline.decision_function(texts))


@added_environment(_MEMORY)
def fit_linear(labelled: Labelled, params: Params, soft: Soft = NO_SOFT) -> Fit:
    """Fit the pipeline, calibrate it and tune its thresholds on out-of-fold scores.

    Words are counted, copies left out, and the sentences' features computed, once for all folds: that takes no label.
    A fold's model sees neither labelled nor soft sentences of the groups held out. Sentences that were picked for what
    a model made of them teach; calibration and thresholds are set on the others (`pipeline.labelled`).

    Args:
        labelled: What people labelled.
        params: All settings.
        soft: What the encoder labelled.

    Returns:
        The calibrated pipeline and its scores.

    Raises:
        DataError: A label has too few examples, or lies in too few groups, for the folds; or no feature is frequent
            enough.
    """
    folds = _folds(labelled.labels, labelled.groups, params.train.folds)
    pipeline = build_pipeline(params)
    union = pipeline.named_steps["features"]
    try:
        rows, model, columns = _features(
            union, [*labelled.texts, *soft.texts], np.append(np.zeros(len(labelled.texts), bool), soft.copies)
        )
    except ValueError:  # scikit-learn's words for it do not name the setting
        raise DataError(
            f"no feature stands in {params.features.min_df} sentences; lower features.min_df in params.yaml."
        ) from None
    size = len(labelled.texts)
    targets = np.vstack([labelled.labels.astype(float), soft.probabilities])
    weights = np.append(np.ones(size), np.where(soft.copies, params.train.copy_weight, params.train.soft_weight))
    groups = np.append(labelled.groups.astype(object), soft.groups)
    problem = Problem(rows, targets, weights, params)
    outs = [np.isin(groups, np.unique(labelled.groups[rest])) for _, rest in folds]
    # The longest first: no processor then waits long for another at the end.
    regressions, *by_fold = problem.fit_all([np.ones(len(targets), dtype=bool), *(~out for out in outs)])
    scores = np.full(targets.shape, np.nan)
    for out, fitted in zip(outs, by_fold, strict=True):
        scores[out] = np.column_stack([one.decision_function(rows[out]) for one in fitted])
    measured = np.flatnonzero(labelled.measured(np.ones(size, dtype=bool)))
    slopes, intercepts = fit_platt(scores[measured], labelled.labels[measured])
    _adopt(pipeline.named_steps["labels"], regressions, labelled.labels)
    _fold_in(pipeline, slopes, intercepts)
    log_odds = scores * slopes + intercepts
    known = log_odds[measured], labelled.labels[measured]
    prior, _ = choose_prior(*known, labelled.groups[measured])
    sets = fit_label_sets(*known, prior)
    probabilities = LabelSets(sets).probabilities(log_odds[:size])
    thresholds = best_thresholds(probabilities[measured])
    worth = held_out_scores(labelled.labels, probabilities, thresholds, labelled.groups)
    read = log_odds[size:][~np.isnan(log_odds[size:]).any(axis=1) & ~soft.copies]
    fold_of = np.empty(size, dtype=np.intp)
    for number, (_, rest) in enumerate(folds):
        fold_of[rest] = number
    model = add_weights(replace(model, idf=np.round(model.idf, DIGITS)), columns, regressions)
    return Fit(pipeline, model, sets, thresholds, worth, log_odds[:size], fold_of, read)


def _features(union: FeatureUnion, texts: list[str], copies: Booleans) -> tuple[Any, LinearModel, npt.NDArray[np.intp]]:
    """Compute features; which there are, and how frequent they are, whole sentences decide.

    Returns:
        Sparse features of shape (texts, features); and what `convert_features` returns.
    """
    whole, parts = np.flatnonzero(~copies), np.flatnonzero(copies)
    rows = union.fit_transform([texts[place] for place in whole])
    model, columns = convert_features(union)
    if len(parts):
        rows = sparse.vstack([rows, _copy_features(model, columns, [texts[place] for place in parts])])
    return rows.tocsr()[np.argsort(np.append(whole, parts))], model, columns


def _copy_features(model: LinearModel, columns: npt.NDArray[np.intp], texts: list[str]) -> Any:  # noqa: ANN401
    """Compute what scikit-learn's features would be, in a third of the time: there are many copies."""
    scorer = LinearScorer(model)
    parts = []
    for start in range(0, len(texts), _CHUNK):
        chunk = texts[start : start + _CHUNK]
        found, values = scorer.features(chunk)
        shape = (len(chunk), int(columns.max()) + 1)
        parts.append(sparse.csr_matrix((values, (found.rows, columns[found.terms])), shape=shape))
    return sparse.vstack(parts)


@dataclass(frozen=True, eq=False)
class Problem:
    """Features, targets and weights of all sentences.

    Attributes:
        rows: Sparse features, of shape (sentences, features).
        targets: Probability of each label, 0 or 1 where people labelled, of shape (sentences, labels).
        weights: Of each sentence.
        params: All settings.
    """

    rows: Any
    targets: Floats
    weights: Floats
    params: Params

    def fit_all(self, parts: list[Booleans]) -> list[list[LogisticRegression]]:
        """Fit one regression a label on each of several parts of the sentences.

        Args:
            parts: Which sentences each part holds, of shape (sentences,).

        Returns:
            For each part the fitted regressions, in the order of `LABELS`.
        """
        count = len(LABELS)
        # As many passes over a part as over the whole: else scores of a fold's model would lie elsewhere than those of
        # the model that is calibrated by them.
        passes = min(max(_VISITS // len(self.targets), 1), _PASSES)
        # Processes, not threads: liblinear has one random generator, which threads would share.
        fitted = Parallel(n_jobs=-1)(
            delayed(_fit_label)(self, np.flatnonzero(part), rank, passes) for part in parts for rank in range(count)
        )
        return [fitted[first : first + count] for first in range(0, len(fitted), count)]


def _fit_label(problem: Problem, places: npt.NDArray[Any], rank: int, passes: int) -> LogisticRegression:
    """Fit one label; a probability p counts as an example with weight p and a counter-example with 1 - p."""
    target = problem.targets[places, rank]
    sure = _SURE * target.mean()
    for_it, against = target > sure, target < 1 - sure
    truth = np.append(np.ones(for_it.sum()), np.zeros(against.sum()))
    share = np.append(np.where(against, target, 1)[for_it], np.where(for_it, 1 - target, 1)[against])
    both = np.append(places[for_it], places[against])
    weights = share * problem.weights[both]
    if problem.params.train.class_weight == "balanced":
        # As scikit-learn has it (n / (2 n_class)), with weights in the place of counts.
        total = weights.sum()
        weights = weights * np.where(truth == 1, *(total / (2 * weights[truth == side].sum()) for side in (1, 0)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _regression(problem.params, None, passes).fit(
            problem.rows[both], truth.astype(int), sample_weight=weights
        )


def _regression(params: Params, class_weight: str | None, passes: int = _PASSES) -> LogisticRegression:
    """Make the unfitted model of one label."""
    # liblinear's dual coordinate descent is plain single-threaded code: the same numbers on every machine.
    return LogisticRegression(
        C=params.train.C,
        class_weight=class_weight,
        solver="liblinear",
        dual=True,
        max_iter=passes,
        tol=0.1,
        random_state=params.train.seed,
    )


def _adopt(container: OneVsRestClassifier, regressions: list[LogisticRegression], labels: Booleans) -> None:
    """Put regressions that were fitted one by one into scikit-learn's own container."""
    container.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(labels.astype(int))
    container.classes_ = container.label_binarizer_.classes_
    container.estimators_ = regressions


def build_pipeline(params: Params) -> Pipeline:
    """Make the unfitted pipeline.

    Args:
        params: All settings.

    Returns:
        TF-IDF, then one logistic regression a label.
    """
    weight = None if params.train.class_weight == "none" else params.train.class_weight
    labels = OneVsRestClassifier(_regression(params, weight))
    return Pipeline([("features", build_features(params.features)), ("labels", labels)])


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


def _fold_in(pipeline: Pipeline, slopes: Floats, intercepts: Floats) -> None:
    """Put the calibration into the weights: a (w x + c) + b is again a linear score, (a w) x + (a c + b).

    What is fitted is rounded, which makes saved models equal where processors differ in the last bit of a sum.
    """
    for _, vectorizer in pipeline.named_steps["features"].transformer_list:
        vectorizer.idf_ = np.round(vectorizer.idf_, DIGITS)
    for estimator, slope, intercept in zip(pipeline.named_steps["labels"].estimators_, slopes, intercepts, strict=True):
        estimator.coef_ = np.round(estimator.coef_ * slope, DIGITS)
        estimator.intercept_ = np.round(estimator.intercept_ * slope + intercept, DIGITS)
