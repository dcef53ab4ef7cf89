import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.labelled import measuring, picked


def test_only_answers_to_picked_sentences_are_picked():
    rows = [
        ("data/labels/reviewed/anna-2026-01-31.jsonl", "natural", False),
        ("data/labels/reviewed/anna-2026-01-31.jsonl", "uncertain", True),
        ("data/labels/reviewed/anna-2026-01-31.jsonl", "rare", True),
        ("data/labels/reviewed/anna-2026-01-31.jsonl", "disagreement", True),
        # What other label files call a pool is up to them.
        ("data/labels/ours.jsonl", "uncertain", False),
        ("data/labels/ours.jsonl", None, False),
    ]
    table = pd.DataFrame(rows, columns=["source", "pool", "expected"])
    np.testing.assert_array_equal(picked(table), table["expected"])
    assert picked(table.head(0)).shape == (0,)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=400))
def test_picked_sentences_measure_only_where_the_others_are_too_few(rows):
    truth, chosen = (np.array([row[part] for row in rows], dtype=bool) for part in (0, 1))
    found = measuring(truth[:, None], chosen)
    drawn = truth[~chosen]
    enough = min(drawn.sum(), (~drawn).sum()) >= 100
    np.testing.assert_array_equal(found, ~chosen if enough else np.ones(len(rows), dtype=bool))


@pytest.mark.parametrize(("examples", "enough"), [(100, True), (99, False)])
def test_every_label_needs_examples(examples, enough):
    labels = np.zeros((600, 2), dtype=bool)
    labels[:300, 0] = True
    labels[:examples, 1] = True
    chosen = np.arange(600) >= 550
    assert measuring(labels, chosen).all() != enough
