"""A hash table of 64-bit keys that finds many at once."""

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

# 2^64 over the golden ratio: its product with near keys lies far apart in the upper bits (Knuth, TAOCP 6.4).
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
# Slots a key: most of what is looked up is not there, and an empty slot says so at once.
_SLOTS = 8


class PairTable:
    """Finds the place of a key among the keys it was made of.

    Args:
        keys: Distinct integers from 0 up, of shape (keys,).
    """

    def __init__(self, keys: Integers) -> None:
        bits = max(4, int(len(keys) * _SLOTS - 1).bit_length())
        self._shift, self._mask = np.uint64(64 - bits), np.int64(2**bits - 1)
        self._slots = np.full(2**bits, -1, np.int32)
        self._keys = np.append(keys, -1)
        left, slots = np.arange(len(keys)), self._slot(keys)
        while len(left):
            free = self._slots[slots] < 0
            self._slots[slots[free]] = left[free]
            waiting = self._slots[slots] != left  # another key has the slot
            left, slots = left[waiting], (slots[waiting] + 1) & self._mask

    def find(self, keys: Integers) -> Integers:
        """Look keys up.

        Args:
            keys: Integers from 0 up, of shape (n,).

        Returns:
            The place of each, or -1, of shape (n,).
        """
        slots = self._slot(keys)
        places = self._slots.take(slots).astype(np.int64)
        # Where another key sits in the slot, the next slots are tried, up to an empty one.
        left = np.flatnonzero((self._keys.take(places) != keys) & (places >= 0))
        slots = slots[left]
        while len(left):
            slots = (slots + 1) & self._mask
            places[left] = self._slots[slots]
            going = (self._keys[places[left]] != keys[left]) & (places[left] >= 0)
            left, slots = left[going], slots[going]
        return places

    def _slot(self, keys: Integers) -> Integers:
        return ((keys.view(np.uint64) * _SPREAD) >> self._shift).view(np.int64)
