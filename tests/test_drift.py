import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset import load_side
from pipeline.drift import (
    build_reference,
    histogram,
    load_reference,
    measure_drift,
    population_stability,
    save_reference,
    warnings_of,
)
from pipeline.errors import DataError
from pipeline.model_folder import load_model

CHANCES = st.lists(st.floats(0, 1), min_size=1).map(np.array)


@pytest.fixture(scope="module")
def classifier(model):
    return load_model(model)


@pytest.fixture(scope="module")
def reference(dataset, classifier):
    train = load_side(dataset, "train")
    return build_reference(train, classifier.predict(train["text"].tolist()))


def measured(texts, classifier, reference, doc_type="inspection_report"):
    findings = classifier.predict(texts).assign(text=texts, doc_type=doc_type)
    return measure_drift(findings, reference, classifier.config.thresholds, classifier.config.review_margin)


def test_the_index_by_hand():
    # (.6 - .5) ln(.6 / .5) + (.4 - .5) ln(.4 / .5)
    assert population_stability([0.5, 0.5], [0.6, 0.4]) == pytest.approx(0.1 * np.log(1.2) - 0.1 * np.log(0.8))


@given(CHANCES, CHANCES)
def test_the_index_is_symmetric_and_never_negative(one, other):
    first, second = histogram(one), histogram(other)
    assert population_stability(first, second) == pytest.approx(population_stability(second, first))
    assert population_stability(first, second) >= 0
    assert population_stability(first, first) == 0


def test_the_training_side_does_not_differ_from_itself(dataset, classifier, reference):
    train = load_side(dataset, "train")
    found = measured(train["text"].tolist(), classifier, reference, train["doc_type"].to_numpy())
    assert found["unseen_words"]["now"] == 0
    assert set(found["population_stability"].values()) == {0.0}
    assert found["label_shares"]["now"] == found["label_shares"]["training"]
    assert found["warnings"] == []


def test_another_language_is_noticed(classifier, reference):
    texts = [f"Los niños esperan demasiado tiempo para una visita número {n}." for n in range(60)]
    found = measured(texts, classifier, reference, "unheard_of")
    told = " ".join(found["warnings"])
    assert "of words unseen in training" in told
    assert "a new framework" in told
    assert "no training document is of the type unheard_of (60 sentences here)" in told


def test_few_sentences_tell_nothing_and_none_is_no_error(classifier, reference):
    assert measured(["Los niños esperan."], classifier, reference)["warnings"] == []
    found = measured([], classifier, reference)
    assert found["sentences"] == {"all": 0}
    assert found["near_threshold"]["strength"]["mean_probability"] is None


def test_shares_of_a_kind_of_document_that_moved(classifier, reference):
    found = measured(["Children wait too long for help."] * 60, classifier, reference)
    assert any(
        line.startswith("inspection_report: 100% of sentences are weakness, in training") for line in warnings_of(found)
    )


def test_a_reference_is_kept_as_it_is(tmp_path, reference):
    path = tmp_path / "reference.json"
    save_reference(reference, path)
    assert load_reference(path) == reference
    for content in ("{", "[]", '{"format": 2}', '{"format": 1}'):
        path.write_text(content, encoding="utf-8")
        with pytest.raises(DataError, match="missing or damaged"):
            load_reference(path)
