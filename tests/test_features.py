import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.features import build_features, clean_text, contrast_terms, gapped_pairs, words

TEXTS = ["Plans are clear, but visits are late.", "Visits are late.", "Plans are clear and visits are not late."]


def tokens(params, text):
    """All terms of all parts."""
    union = build_features(params.features)
    return [term for _, part in union.transformer_list for term in part.build_analyzer()(text)]


def test_what_carries_meaning_is_kept(params):
    found = tokens(params, "Not all of the 25% don’t wait; well‑matched plans cost £3 by March.")
    for token in ("not", "all", "not all", "25", "%", "don't", "well-matched", "£", "3", "by", "march"):
        assert token in found


def test_one_letter_words_count(params):
    assert "a few" in tokens(params, "A few children wait.")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("DON’T", "don't"), ("eﬃcient", "efficient"), ("well‑matched", "well-matched"), ("2019–2021", "2019 2021")],
)
def test_spellings_of_one_word_are_one(text, expected):
    assert clean_text(text) == expected


def test_contrast_is_seen():
    found = contrast_terms("plans are clear but reviews are late")
    assert ">late" in found
    assert ">clear" not in found
    assert "^plans are" in found
    assert "late$" in found
    assert not [term for term in contrast_terms("plans are clear") if term.startswith(">")]


def test_negation_at_a_distance_is_seen():
    assert "not_consistently" in gapped_pairs("not yet consistently good")


@given(st.text())
def test_any_text_gives_terms(text):
    cleaned = clean_text(text)
    for term in [*words(cleaned), *contrast_terms(cleaned), *gapped_pairs(cleaned)]:
        assert "\n" not in term


def test_parts_of_no_weight_are_left_out(params):
    from dataclasses import replace

    plain = build_features(replace(params.features, contrast=0.0, gaps=0.0))
    assert [name for name, _ in plain.transformer_list] == ["runs"]


def test_a_saved_vectoriser_is_the_same(params):
    union = build_features(params.features).fit(TEXTS)
    again = pickle.loads(pickle.dumps(union))
    assert (union.transform(TEXTS) != again.transform(TEXTS)).nnz == 0
    for (_, one), (_, other) in zip(union.transformer_list, again.transformer_list, strict=True):
        assert one.vocabulary_ == other.vocabulary_
