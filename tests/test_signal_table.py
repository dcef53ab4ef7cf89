from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.linear_model import Kind, LinearModel
from pipeline.signal_table import SignalTable
from pipeline.words import signal_pairs

KNOWN = ("leaders", "will", "soon", "review", "not", "plans", "and")
# "no", "xyzzy" are unknown to the model; a pair of two signal words, pairs in either order.
PAIRS = ("leaders will", "will review", "will not", "not review", "plans will", "soon not", "leaders leaders")
SENTENCES = st.lists(st.lists(st.sampled_from([*KNOWN, "no", "xyzzy"]), max_size=30), min_size=1, max_size=5)


def table():
    """The known words, and pairs with signal words; the last pair has none, as only a damaged model would."""
    places = [[KNOWN.index(word) for word in pair.split()] for pair in PAIRS]
    count = len(KNOWN) + len(PAIRS)
    return SignalTable(
        LinearModel(
            words=KNOWN,
            kinds=np.array([Kind.RUN] * len(KNOWN) + [Kind.SIGNAL] * len(PAIRS), dtype=np.uint8),
            before=np.array([-1] * len(KNOWN) + [first for first, _ in places], dtype=np.int32),
            last=np.array([*range(len(KNOWN)), *(last for _, last in places)], dtype=np.int32),
            idf=np.ones(count),
            weights=np.zeros((3, count)),
            intercepts=np.zeros(3),
            part_weights=np.ones(4),
            sublinear_tf=True,
        )
    )


@given(SENTENCES)
def test_pairs_are_those_of_the_words_themselves(sentences):
    numbers, rows, ends = [], [], []
    for row, sentence in enumerate(sentences):
        numbers += [KNOWN.index(word) if word in KNOWN else len(KNOWN) for word in sentence] + [len(KNOWN) + 1]
        rows += [row] * (len(sentence) + 1)
        ends.append(len(numbers) - 1)
    starts = [0, *(end + 1 for end in ends[:-1])]
    found = Counter()
    for where, terms in table().find(*map(np.array, (numbers, rows, starts, ends))):
        pairs = [(row, PAIRS[term - len(KNOWN)]) for row, term in zip(where, terms, strict=True) if term >= 0]
        found.update((int(row), pair) for row, pair in pairs)
    expected = Counter(
        (row, pair)
        for row, sentence in enumerate(sentences)
        for pair in signal_pairs(" ".join(sentence))
        if pair in PAIRS
    )
    assert found == expected


def test_a_model_without_signal_words():
    model = LinearModel(
        words=("plain",),
        kinds=np.zeros(1, dtype=np.uint8),
        before=np.array([-1], dtype=np.int32),
        last=np.array([0], dtype=np.int32),
        idf=np.ones(1),
        weights=np.zeros((3, 1)),
        intercepts=np.zeros(3),
        part_weights=np.ones(4),
        sublinear_tf=True,
    )
    found = SignalTable(model).find(np.array([0, 2]), np.array([0, 0]), np.array([0]), np.array([1]))
    assert all(len(rows) == len(terms) == 0 for rows, terms in found)
