import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import load_model
from pipeline.classifier import PREDICTION_COLUMNS, PROBABILITY_COLUMNS
from pipeline.labels import LABELS, format_labels, label_matrix

TEXTS = [
    "Leaders know their services well and act quickly.",
    "Too many children wait too long for an assessment.",
    "We will recruit twelve more social workers by March.",
    "Inspection dates: 3 to 14 June 2019",
]


@pytest.fixture(scope="module")
def classifier(model):
    return load_model(model)


def test_columns_and_types(classifier):
    table = classifier.predict(TEXTS)
    assert tuple(table.columns) == PREDICTION_COLUMNS
    assert len(table) == len(TEXTS)
    assert (table.dtypes[list(LABELS)] == bool).all()
    assert set(table["model_version"]) == {classifier.version}
    empty = classifier.predict([])
    assert tuple(empty.columns) == PREDICTION_COLUMNS
    pd.testing.assert_series_equal(empty.dtypes, table.dtypes)


def test_clear_cases_and_none(classifier):
    assert classifier.predict(TEXTS)["labels"].tolist() == ["strength", "weakness", "commitment", "none"]


def test_thresholds_decide(classifier):
    table = classifier.predict(TEXTS)
    probabilities = table[list(PROBABILITY_COLUMNS)].to_numpy()
    chosen = probabilities >= classifier.thresholds
    assert (label_matrix(table) == chosen).all()
    assert table["labels"].tolist() == [format_labels(mask) for mask in chosen]
    near = (np.abs(probabilities - classifier.thresholds) < classifier.config.review_margin).any(axis=1)
    assert (table["uncertain"] == near).all()


@given(st.lists(st.text(max_size=60), min_size=1, max_size=8))
@settings(deadline=None, max_examples=30)
def test_a_sentence_does_not_depend_on_its_company(model, texts):
    classifier = load_model(model)
    together = classifier.predict(texts)
    alone = pd.concat([classifier.predict([text]) for text in texts], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone)
    assert together[list(PROBABILITY_COLUMNS)].to_numpy().min() >= 0
    assert together[list(PROBABILITY_COLUMNS)].to_numpy().max() <= 1


def test_arrow_and_pandas_say_the_same(classifier):
    for texts in (TEXTS, [], TEXTS * 5):
        predictions = classifier.label(texts)
        pd.testing.assert_frame_equal(predictions.to_arrow().to_pandas(), predictions.to_frame())


def test_a_single_string_is_refused(classifier):
    with pytest.raises(TypeError, match="put the single sentence into a list"):
        classifier.predict("Plans are clear.")
