import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.review.coverage import Coverage, unsureness

WORDS = st.lists(st.sampled_from("plans are clear and visits stay late today".split()), min_size=1, max_size=6)
SENTENCES = st.lists(WORDS.map(" ".join), min_size=4, max_size=12, unique=True)


@given(SENTENCES, st.lists(st.floats(0, 3), min_size=12, max_size=12), st.integers(0, 3))
def test_at_any_time_the_one_that_adds_most_comes_next(texts, unsure, labelled):
    known, new = texts[:labelled], texts[labelled:]
    coverage = Coverage(new, np.array(unsure[: len(new)]), known)
    left = set(range(len(new)))
    for number, place in enumerate(coverage.best()):
        assert coverage.gain(place) == max(coverage.gain(other) for other in left)
        left.remove(place)
        if number % 3 < 2:
            before = [coverage.gain(other) for other in range(len(new))]
            coverage.add(place)
            # Each further example teaches less.
            assert all(coverage.gain(other) <= before[other] for other in range(len(new)))
    assert not left


def test_words_of_many_unsure_sentences_come_first_and_what_is_labelled_counts_less():
    kinship = [f"Kinship care in area {n} differs." for n in range(5)]
    sport = [f"Sport clubs in area {n} meet." for n in range(5)]
    texts = [*kinship, *sport]
    unsure = np.array([1.0] * 5 + [0.9] * 5)
    assert next(Coverage(texts, unsure, ["Nothing alike."]).best()) in range(5)
    known = [f"Kinship care in town {n} differs." for n in range(4)]
    assert next(Coverage(texts, unsure, known).best()) in range(5, 10)


def test_words_of_a_single_sentence_count_for_nothing():
    texts = ["Zyx wvu tsr."] + [f"Plans are clear on day {n}." for n in range(3)]
    coverage = Coverage(texts, np.ones(4), ["Other words."])
    assert coverage.gain(0) == 0
    assert coverage.gain(1) > 0


def test_each_label_has_as_much_say():
    chances = np.array([[0.5, 0.5, 0.01], [0.9, 0.1, 0.1], [0.1, 0.9, 0.01]])
    found = unsureness(chances)
    assert found.mean() == pytest.approx(3)
    # 0.1 is much for a label that hardly any sentence may have.
    assert found[1] > found[2]
    assert unsureness(np.empty((0, 3))).shape == (0,)
    assert np.isfinite(unsureness(np.array([[0.0, 1.0, 0.0]]))).all()
