import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from pipeline.copies import plan_copies, span, thinned

SENTENCES = st.lists(st.text("abcdé'-", min_size=1, max_size=6), min_size=1, max_size=40).map(" ".join)


def table(count, start=0):
    keys = [f"{place:04x}" for place in range(start, start + count)]
    texts = [f"sentence {key} has more than seven words, as it must" for key in keys]
    return pd.DataFrame({"key": keys, "text": texts, "group": [f"group {key}" for key in keys]})


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


KINDS = [f"{kind} {number}" for kind in ("span", "thinned") for number in range(3)]


def test_each_labelled_sentence_gives_six_copies():
    copies = plan_copies(table(2), table(0), np.empty((0, 3)))
    assert sorted(copies["name"]) == [f"{key} {kind}" for key in ("0000", "0001") for kind in KINDS]
    assert (copies["group"] == "group " + copies["name"].str.split(" ").str[0]).all()
    assert copies["name"].is_unique


def test_only_the_likeliest_of_a_rare_label_give_copies():
    unlabelled = table(100, start=50)
    logits = np.column_stack([np.full(100, 1.0), np.full(100, -2.0), np.linspace(-3, 0.1, 100)])
    logits[:10, 1] = 3.0  # a tenth bears it: not rare
    copies = plan_copies(table(0), unlabelled, logits)
    likeliest = unlabelled["key"].iloc[-2:]
    assert sorted(copies["name"]) == [f"{key} {kind}" for key in likeliest for kind in KINDS]


def test_copies_do_not_depend_on_the_sentences_beside():
    whole = plan_copies(table(5), table(0), np.empty((0, 3))).set_index("name")
    part = plan_copies(table(2), table(0), np.empty((0, 3))).set_index("name")
    pd.testing.assert_frame_equal(whole.loc[part.index], part)


def test_nothing_to_shorten():
    short = pd.DataFrame({"key": ["a"], "text": ["Too short."], "group": ["g"]})
    copies = plan_copies(short, table(0), np.empty((0, 3)))
    assert copies.empty
    assert list(copies.columns) == ["name", "text", "group"]
