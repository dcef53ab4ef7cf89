from hypothesis import given
from hypothesis import strategies as st

from pipeline.substitution import Frames

SENTENCE = st.lists(st.sampled_from(["leaders", "Leaders", "will", "plan,", "review", "the", "a"]), max_size=12).map(
    " ".join
)


def frames_of(texts):
    found = {}
    for text in texts:
        words = text.split()
        around = ["", *(word.lower() for word in words), ""]
        for place, word in enumerate(words):
            found.setdefault((around[place], around[place + 2]), set()).add(word)
    return found


@given(st.lists(SENTENCE, max_size=8), SENTENCE, st.text(max_size=5))
def test_a_word_is_replaced_by_one_that_stands_between_the_same_neighbours(texts, text, seed):
    altered, frames, words = Frames(texts).substituted(text, seed), frames_of(texts), text.split()
    assert altered == Frames(texts).substituted(text, seed)
    if altered:
        new = altered.split()
        assert len(new) == len(words)
        assert new != words
        before, after = ["", *new], [*words, ""]
        for place, (old, word) in enumerate(zip(words, new, strict=True)):
            assert word == old or word in frames[before[place].lower(), after[place + 1].lower()]


def test_about_two_in_five_words_are_replaced_where_others_fit():
    frames = Frames(["a", *(f"word{number}" for number in range(200))])
    # Each sentence is one word, in one place, in which 201 fit.
    assert 350 < sum(frames.substituted("a", str(seed)) != "" for seed in range(1000)) < 450


def test_seeds_differ():
    frames = Frames(
        f"leaders will {verb} the {noun}" for verb in ("review", "widen", "fund") for noun in ("plan", "team")
    )
    altered = {frames.substituted("leaders will review the plan", str(seed)) for seed in range(100)}
    assert altered == {
        "",
        *(
            f"leaders will {verb} the {noun}"
            for verb in ("review", "widen", "fund")
            for noun in ("plan", "team")
            if (verb, noun) != ("review", "plan")
        ),
    }


def test_nothing_fits():
    assert Frames(["leaders will review the plan"]).substituted("leaders will review the plan", "1") == ""
    assert Frames([]).substituted("", "1") == ""


def test_the_order_of_the_sentences_does_not_matter():
    texts = [f"leaders will {verb} the plan" for verb in ("review", "widen", "fund", "drop")]
    for seed in map(str, range(50)):
        assert Frames(texts).substituted(texts[0], seed) == Frames(reversed(texts)).substituted(texts[0], seed)
