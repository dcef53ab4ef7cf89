"""The scorer against the scikit-learn pipeline that it was made of."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from pipeline.conversion import convert_features, convert_pipeline
from pipeline.dataset import load_side
from pipeline.fitting import build_pipeline, fit_linear
from pipeline.labelled import Labelled
from pipeline.labels import label_matrix
from pipeline.scorer import LinearScorer, sigmoid

WORDS = (
    "plans are clear but visits not yet consistently good we will recruit by march too many children wait although "
    "is not the council's well-matched 25 % £ don't while xyzzy - ’ café"
).split()
SENTENCES = st.lists(st.lists(st.sampled_from(WORDS), max_size=14).map(" ".join), min_size=1, max_size=30)
VARIANTS = {
    "shipped": {},
    "plain": {"contrast": 0.0, "gaps": 0.0, "signals": 0.0, "ngram_max": 1},
    "long runs": {"ngram_max": 4, "min_df": 1, "gaps": 0.0},
    "signals alone": {"contrast": 0.0, "gaps": 0.0, "ngram_max": 1, "signals": 1.0, "min_df": 1},
    "raw counts": {"sublinear_tf": False, "ngram_max": 3, "contrast": 1.25, "gaps": 0.3, "signals": 0.2},
    "no contrast": {"contrast": 0.0, "min_df": 1},
}


@pytest.fixture(scope="module")
def trained(params, dataset):
    """The calibrated pipeline of the small dataset."""
    table = load_side(dataset, "train")
    labelled = Labelled(table["text"].tolist(), label_matrix(table), table["document"].to_numpy())
    return fit_linear(labelled, params).pipeline


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS)
@given(fitted=SENTENCES, asked=SENTENCES)
@settings(deadline=None, max_examples=15)
def test_scores_are_those_of_the_fitted_pipeline(params, changes, fitted, asked):
    settings = replace(params, features=replace(params.features, **changes))
    # Each word three times, so that each part has terms whatever min_df is.
    texts = [*fitted, " ".join(WORDS), " ".join([*WORDS, "late"]), " ".join([*WORDS, "late", "late"])]
    generator = np.random.default_rng(len(texts))
    truth = generator.integers(0, 2, (len(texts), 3))
    truth[-3:] = [[0, 1, 0], [1, 0, 1], [1, 1, 0]]
    pipeline = build_pipeline(settings).fit(texts, truth)
    scorer = LinearScorer(convert_pipeline(pipeline))
    every = [*asked, *texts, "", "plans", "plans plans"]
    np.testing.assert_allclose(scorer.score(every), pipeline.decision_function(every), atol=1e-9)
    np.testing.assert_allclose(scorer.predict_proba(every), pipeline.predict_proba(every), atol=1e-9)
    np.testing.assert_allclose(_features(pipeline, every), _transformed(pipeline, every), atol=1e-9)


def _features(pipeline, texts):
    """Lay the features that a model without weights finds in the pipeline's columns."""
    model, columns = convert_features(pipeline.named_steps["features"])
    found, values = LinearScorer(model).features(texts)
    table = np.zeros((len(texts), columns.max() + 1))
    table[found.rows, columns[found.terms]] = values
    return table


def _transformed(pipeline, texts):
    return pipeline.named_steps["features"].transform(texts).toarray()


def test_sample_documents_score_as_with_the_fitted_pipeline(trained, store):
    texts = [
        text
        for path in sorted(store.glob("*.parquet"))
        for text in pc.drop_null(parquet.read_table(path)["text"]).to_pylist()
    ]
    assert len(texts) > 300
    scorer = LinearScorer(convert_pipeline(trained))
    np.testing.assert_allclose(scorer.predict_proba(texts), trained.predict_proba(texts), atol=1e-6)


@given(st.lists(st.text(max_size=40), min_size=1, max_size=8))
@settings(deadline=None, max_examples=60)
def test_any_text_scores_as_with_the_fitted_pipeline(trained, texts):
    scorer = LinearScorer(convert_pipeline(trained))
    np.testing.assert_allclose(scorer.predict_proba(texts), trained.predict_proba(texts), atol=1e-6)


def test_company_changes_no_bit(trained):
    scorer = LinearScorer(convert_pipeline(trained))
    texts = [" ".join(WORDS[start : start + 9]) for start in range(len(WORDS))] * 300
    assert len(texts) > 2 * 4096
    alone = np.concatenate([scorer.score([text]) for text in texts[:40]])
    assert (scorer.score(texts)[:40] == alone).all()
    assert (scorer.score(texts[::-1])[::-1] == scorer.score(texts)).all()


def test_nothing_to_score(trained):
    scorer = LinearScorer(convert_pipeline(trained))
    assert scorer.score([]).shape == (0, 3)
    assert len(scorer.count_terms([]).terms) == 0


def test_counts_are_sorted_and_say_which_terms(trained):
    scorer = LinearScorer(convert_pipeline(trained))
    found = scorer.count_terms(["the children and the council", "xyzzy", "children wait"])
    named = {
        (row, scorer.model.term(term)): count
        for row, term, count in zip(found.rows.tolist(), found.terms.tolist(), found.counts.tolist(), strict=True)
        if term < len(scorer.model.words)
    }
    assert named[0, "the"] == 2
    assert {row for row, _ in named} == {0, 2}
    assert sorted(zip(found.rows, found.terms, strict=True)) == list(zip(found.rows, found.terms, strict=True))


def test_a_model_without_terms_gives_the_intercepts():
    empty = SimpleNamespace(
        named_steps={
            "features": SimpleNamespace(
                transformer_list=[("runs", SimpleNamespace(vocabulary_={}, idf_=np.empty(0), sublinear_tf=True))],
                transformer_weights={"runs": 1.0},
            ),
            "labels": SimpleNamespace(
                estimators_=[SimpleNamespace(coef_=np.empty((1, 0)), intercept_=np.array([k])) for k in (1.0, 2.0)]
            ),
        }
    )
    scorer = LinearScorer(convert_pipeline(empty))
    assert scorer.score(["plans", ""]).tolist() == [[1.0, 2.0], [1.0, 2.0]]


def test_sigmoid_of_extremes():
    assert sigmoid(np.array([-1e9, 0.0, 1e9])).tolist() == [0.0, 0.5, 1.0]
