from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.words import REACH, SIGNALS, clean_text, contrast_terms, gapped_pairs, signal_pairs, words


def test_what_carries_meaning_is_kept():
    found = words(clean_text("Not all of the 25% don’t wait; well‑matched plans cost £3 by March."))
    for word in ("not", "all", "25", "%", "don't", "well-matched", "£", "3", "by", "march"):
        assert word in found


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
    assert "not consistently" in gapped_pairs("not yet consistently good")


def test_what_a_signal_word_says_of_words_far_from_it_is_seen():
    found = signal_pairs("wide new panels of young people from each part of the whole county will")
    assert "new will" in found
    assert "wide will" not in found
    assert "not good" in signal_pairs("not yet at all good")
    assert signal_pairs("plans for visits") == ["plans for", "plans visits"]
    assert not signal_pairs("visits to homes")


@given(st.lists(st.sampled_from(["will", "not", "visits", "homes", "late"]), max_size=30))
def test_each_pair_with_a_signal_word_is_there_once(found):
    pairs = [
        f"{found[a]} {found[b]}"
        for a, b in combinations(range(len(found)), 2)
        if b - a <= REACH and {found[a], found[b]} & SIGNALS
    ]
    assert signal_pairs(" ".join(found)) == pairs


@given(st.text())
def test_no_word_holds_what_joins_words(text):
    for word in words(clean_text(text)):
        assert word
        assert not set(word) & set(" \n>^$")
