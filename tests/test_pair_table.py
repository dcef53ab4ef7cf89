import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.pair_table import PairTable

KEYS = st.lists(st.one_of(st.integers(0, 40), st.integers(0, 2**62)), unique=True, max_size=60)


@given(KEYS, KEYS)
def test_it_finds_what_it_holds_and_nothing_else(held, others):
    table = PairTable(np.array(held, np.int64))
    asked = [*others, *held]
    assert table.find(np.array(asked, np.int64)).tolist() == [held.index(key) if key in held else -1 for key in asked]


def test_keys_that_share_slots():
    held = np.arange(5000, dtype=np.int64) << 40
    assert (PairTable(held).find(held) == np.arange(5000)).all()
    assert (PairTable(held).find(held + 1) == -1).all()
