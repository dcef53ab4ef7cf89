"""A fitted scikit-learn pipeline → the plain model that `pipeline.scorer` applies."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pipeline.linear_model import APART, PARTS, Kind, LinearModel
from pipeline.words import CONTRAST

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import FeatureUnion, Pipeline

# A term as (kind, words).
_Term = tuple[Kind, tuple[str, ...]]
_KINDS = {"runs": Kind.RUN, "gaps": Kind.GAP, "signals": Kind.SIGNAL}


def convert_pipeline(pipeline: "Pipeline") -> LinearModel:
    """Take vocabulary and weights out of a fitted pipeline.

    Args:
        pipeline: The features of `pipeline.features.build_features`, then one logistic regression a label, fitted.

    Returns:
        The same model as plain arrays; its terms are sorted, so that equal pipelines give equal models.
    """
    model, columns = convert_features(pipeline.named_steps["features"])
    return add_weights(model, columns, pipeline.named_steps["labels"].estimators_)


def add_weights(
    model: LinearModel, columns: npt.NDArray[np.intp], estimators: "list[LogisticRegression]"
) -> LinearModel:
    """Give terms the weights of fitted regressions.

    Args:
        model: Terms without weights, as `convert_features` returns them.
        columns: Column of each term, of shape (terms,).
        estimators: One logistic regression a label, fitted.

    Returns:
        The model with weights and intercepts.
    """
    coefficients = np.vstack([estimator.coef_[0] for estimator in estimators])
    return replace(
        model,
        weights=np.where(columns >= 0, coefficients[:, columns], 0.0),
        intercepts=np.array([float(estimator.intercept_[0]) for estimator in estimators]),
    )


def convert_features(union: "FeatureUnion") -> tuple[LinearModel, npt.NDArray[np.intp]]:
    """Take the vocabulary out of fitted features.

    Args:
        union: The features of `pipeline.features.build_features`, fitted.

    Returns:
        A model of these terms with weights for no label; and the column of each term, -1 for one that is there only
        since a longer one begins with it, of shape (terms,).
    """
    idf: dict[_Term, float] = {}
    places: dict[_Term, int] = {}
    offset = 0
    for name, vectorizer in union.transformer_list:
        for text, column in vectorizer.vocabulary_.items():
            term = _read_term(name, text)
            idf[term] = float(vectorizer.idf_[column])
            places[term] = offset + column
        offset += len(vectorizer.vocabulary_)
    terms = _with_shorter(idf)
    ranks = {term: rank for rank, term in enumerate(terms)}
    known = tuple(words[0] for kind, words in terms if kind is Kind.RUN and len(words) == 1)
    numbers = {word: number for number, word in enumerate(known)}
    model = LinearModel(
        words=known,
        kinds=np.array([kind for kind, _ in terms], np.uint8),
        before=np.array([_before(term, ranks) for term in terms], np.int32),
        last=np.array([numbers[words[-1]] if words else -1 for _, words in terms], np.int32),
        idf=np.array([idf.get(term, 0.0) for term in terms]),
        weights=np.empty((0, len(terms))),
        intercepts=np.empty(0),
        part_weights=np.array([float(union.transformer_weights.get(name, 0.0)) for name in PARTS]),
        sublinear_tf=bool(union.transformer_list[0][1].sublinear_tf),
    )
    return model, np.array([places.get(term, -1) for term in terms], dtype=np.intp)


def _read_term(part: str, text: str) -> _Term:
    """Read a vectoriser's term as `pipeline.words` writes it."""
    if part != "contrast":
        return _KINDS[part], tuple(text.split(" "))
    if text.startswith(">"):
        return Kind.AFTER, (text[1:],)
    if text.startswith("^"):
        return Kind.START, tuple(text[1:].split())
    return Kind.END, (text[:-1],)


def _with_shorter(terms: Iterable[_Term]) -> list[_Term]:
    """Add every word, and what longer terms begin with; sort single words first, then the rest, the shorter first."""
    found = set(terms)
    for kind, words in list(found):
        found.update((Kind.RUN, (word,)) for word in words)
        if kind in (Kind.RUN, Kind.START):
            found.update((kind, words[:length]) for length in range(1, len(words)))
    if any(kind.part == Kind.AFTER.part for kind, _ in found):
        found.update((Kind.RUN, (word,)) for word in CONTRAST)
    return sorted(found, key=lambda term: (term[0] is not Kind.RUN or len(term[1]) > 1, term[0], len(term[1]), term[1]))


def _before(term: _Term, ranks: dict[_Term, int]) -> int:
    """Give the number of what comes before the last word of a term; -1 where nothing does."""
    kind, words = term
    if len(words) < 2:
        return -1
    return ranks[(Kind.RUN, words[:1]) if APART[kind] else (kind, words[:-1])]
