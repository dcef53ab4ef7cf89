import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.explanation import ReasonFinder, explain, render_explanation
from pipeline.labels import LABELS, label_matrix
from pipeline.model_folder import load_model

TEXT = "Plans are thorough, but too many children still wait and visits are not yet consistently purposeful."
WORDS = st.lists(st.sampled_from([*TEXT.lower().replace(",", "").split(), "we", "will", "by", "march"]), max_size=25)


@pytest.fixture(scope="module")
def classifier(model):
    return load_model(model)


@given(WORDS.map(" ".join))
@settings(deadline=None, max_examples=40)
def test_contributions_sum_to_the_score(model, text):
    classifier = load_model(model)
    scores = classifier.scorer.score([text])[0]
    probabilities = classifier.predict_proba([text])[0]
    for one, score, probability in zip(explain(classifier, text), scores, probabilities, strict=True):
        assert one.base + sum(part.value for part in one.contributions) == pytest.approx(score)
        assert one.score == pytest.approx(score)
        assert one.probability == pytest.approx(probability, abs=1e-6)


def test_it_agrees_with_the_prediction(classifier):
    explained = explain(classifier, TEXT)
    assert [one.label for one in explained] == list(LABELS)
    assert [one.given for one in explained] == label_matrix(classifier.predict([TEXT]))[0].tolist()


def test_the_weightiest_come_first_and_read_well(classifier):
    for one in explain(classifier, TEXT):
        sizes = [abs(part.value) for part in one.contributions]
        assert sizes == sorted(sizes, reverse=True)
    text = render_explanation(explain(classifier, TEXT), top=5)
    assert "weakness: " in text
    assert "other features together" in text
    features = {part.feature for one in explain(classifier, TEXT) for part in one.contributions}
    assert {"too many", "too ... children", "after a contrast: children", "begins: plans"} <= features


def test_a_sentence_of_unknown_words_has_the_base_score(classifier):
    for one in explain(classifier, "xyzzy"):
        assert one.contributions == ()
        assert one.score == one.base


def test_reasons_are_features_that_speak_for_the_label(classifier):
    texts = ["Too many children wait too long for help.", "", "Leaders know their children well."]
    chosen = classifier.label(texts).chosen
    reasons = ReasonFinder(classifier.scorer).find(texts, chosen)
    for text, row, found in zip(texts, chosen, reasons, strict=True):
        assert list(found) == [label for label, has in zip(LABELS, row, strict=True) if has]
        explained = {one.label: one for one in explain(classifier, text)}
        for label, names in found.items():
            speaking = [part.feature for part in explained[label].contributions if part.value > 0]
            assert list(names[:1]) == speaking[:1]
            assert set(names) <= set(speaking[:8])
            assert len(names) <= 3
