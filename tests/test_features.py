import pytest

from pipeline.features import build_vectorizer, clean_text


def tokens(params, text):
    return build_vectorizer(params.features).build_analyzer()(text)


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
