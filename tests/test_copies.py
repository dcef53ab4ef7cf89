from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies import Partners, plan_copies, source_key, span, thinned
from pipeline.params import CopiesParams

SENTENCES = st.lists(st.text("abcdé'-", min_size=1, max_size=6), min_size=1, max_size=40).map(" ".join)


def table(count, start=0):
    keys = [f"{place:04x}" for place in range(start, start + count)]
    texts = [f"sentence {key} has more than seven words, as it must" for key in keys]
    return pd.DataFrame({"key": keys, "text": texts, "group": [f"provider {place % 3}" for place in range(count)]})


@given(SENTENCES, st.text(max_size=5))
def test_a_span_is_a_run_of_words(text, seed):
    words, short = text.split(), span(text, seed)
    if len(words) < 7:
        assert short == ""
    else:
        assert f" {short} " in f" {text} "
        assert 4 <= len(short.split()) <= min(len(words) - 1, round(0.9 * len(words)))
        assert short == span(text, seed)


@given(SENTENCES, st.text(max_size=5))
def test_a_thinned_sentence_keeps_the_order(text, seed):
    words, short = text.split(), thinned(text, seed)
    if len(words) < 7:
        assert short == ""
    left = iter(words)
    assert all(word in left for word in short.split())
    assert short == thinned(text, seed)


def test_seeds_differ():
    text = " ".join(f"word{place}" for place in range(30))
    assert len({span(text, str(seed)) for seed in range(20)}) > 10
    lengths = [len(thinned(text, str(seed)).split()) for seed in range(200)]
    assert 21 < np.mean(lengths) < 24


SHORTENED = {f"{kind} {number}" for kind in ("span", "thinned") for number in range(3)}
COPIES = CopiesParams(spans=3, thinned=3, substituted=20, crossed=0)
NO_LOGITS = np.empty((0, 3))


def kinds_by_key(copies):
    names = copies["name"].str.rsplit(" ", n=1).str[0].str.split(" ", n=1)
    return {key: set(part) for key, part in names.str[1].groupby(names.str[0])}


def test_each_labelled_sentence_gives_six_shortened_copies():
    copies = plan_copies(table(2), table(0), NO_LOGITS, COPIES)
    by_key = kinds_by_key(copies)
    assert set(by_key) == {"0000", "0001"}
    assert all(kinds >= SHORTENED for kinds in by_key.values())
    assert {source_key(name) for name in copies["name"]} == {"0000", "0001"}
    assert copies["name"].is_unique


def test_and_up_to_twenty_with_words_of_others():
    others = table(100, start=50)
    others["text"] = others["text"].str.replace("sentence", "word")
    copies = plan_copies(table(10), others, np.full((100, 3), 9.0), COPIES)
    substituted = copies[copies["name"].str.contains("substituted")]
    assert substituted["name"].str[:4].value_counts().max() <= 20
    assert 40 < len(substituted) < 200
    for text in substituted["text"]:
        first, _, *rest = text.split()
        assert first in {"sentence", "word"}
        assert rest == "has more than seven words, as it must".split()


def test_only_the_likeliest_of_a_rare_label_give_copies():
    unlabelled = table(100, start=50)
    logits = np.column_stack([np.full(100, 1.0), np.full(100, -2.0), np.linspace(-3, 0.1, 100)])
    logits[:10, 1] = 3.0  # a tenth bears it: not rare
    copies = plan_copies(table(0), unlabelled, logits, COPIES)
    by_key = kinds_by_key(copies)
    assert set(by_key) == set(unlabelled["key"].iloc[-5:])
    assert all(kinds >= SHORTENED for kinds in by_key.values())


def test_new_sentences_leave_most_copies_as_they_are():
    params = replace(COPIES, crossed=4)
    before, after = (
        plan_copies(table(100), table(count, start=200), np.full((count, 3), 9.0), params).set_index("name")
        for count in (100, 101)
    )
    kept = before.index.intersection(after.index)
    assert len(kept) > 0.95 * len(before)
    pd.testing.assert_frame_equal(before.loc[kept], after.loc[kept])


def test_a_name_means_one_text():
    before, after = (
        plan_copies(table(40), table(count, start=200), np.full((count, 3), 9.0), COPIES).set_index("name")["text"]
        for count in (2, 300)
    )
    assert set(after.index) - set(before.index)
    both = before.index.intersection(after.index)
    assert (before[both] == after[both]).all()


def test_kinds_can_be_left_out():
    copies = plan_copies(table(10), table(0), NO_LOGITS, CopiesParams(spans=0, thinned=2, substituted=0, crossed=0))
    assert set(map(frozenset, kinds_by_key(copies).values())) == {frozenset({"thinned 0", "thinned 1"})}
    assert plan_copies(table(10), table(0), NO_LOGITS, CopiesParams(0, 0, 0, 0)).empty


def test_nothing_to_alter():
    short = pd.DataFrame({"key": ["a"], "text": ["Too short."]})
    copies = plan_copies(short, table(0), NO_LOGITS, COPIES)
    assert copies.empty
    assert list(copies.columns) == ["name", "text"]


@given(SENTENCES, st.lists(SENTENCES, min_size=1, max_size=4, unique=True), st.text(max_size=5))
def test_a_crossed_sentence_is_half_of_either(text, others, seed):
    partners = pd.DataFrame({"key": [str(place) for place in range(len(others))], "text": others})
    crossed = Partners(partners).crossed(text, seed)
    assert crossed == Partners(partners[::-1]).crossed(text, seed)
    words, made = text.split(), crossed.split()
    halves = [
        (first, last)
        for other in others
        for first, last in ((words, other.split()), (other.split(), words))
        if min(len(words), len(other.split())) >= 7
    ]
    if not made:
        assert len(halves) < 2 * len(others)
    else:
        assert any(
            made == first[:cut] + last[cut - len(made) :]
            for first, last in halves
            for cut in range(1, len(made))
            if 0.2 <= cut / len(first) <= 0.8 and 0.2 <= (len(made) - cut) / len(last) <= 0.8
        )


def test_unlabelled_sentences_are_crossed_with_others_of_their_group():
    unlabelled = table(60)
    unlabelled["text"] = unlabelled["group"].str[-1] + " " + unlabelled["text"]
    unlabelled["text"] += " " + unlabelled["group"].str[-1]
    params = CopiesParams(spans=0, thinned=0, substituted=0, crossed=4)
    copies = plan_copies(table(5, start=100), unlabelled, np.full((60, 3), -9.0), params)
    kinds = kinds_by_key(copies)
    assert set(kinds) == set(unlabelled["key"])
    assert all(found == {f"crossed {number}" for number in range(4)} for found in kinds.values())
    groups = unlabelled.set_index("key")["group"]
    for name, text in copies.itertuples(index=False):
        assert text[0] == text[-1] == groups[source_key(name)][-1]
    own_begins = sum(source_key(name) in text for name, text in copies.itertuples(index=False))
    assert 60 < own_begins < 200
