"""Lists → Arrow arrays from their bytes: `pyarrow.array` would load pandas, slower than reading a whole report."""

from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


def string_array(values: Sequence[str | None]) -> "pa.Array":
    """Make an Arrow array of strings.

    Args:
        values: Texts; None where one is missing.

    Returns:
        The array, of type `string`.
    """
    import pyarrow as pa

    encoded = [b"" if value is None else value.encode() for value in values]
    offsets = array("i", accumulate(map(len, encoded), initial=0))
    buffers = [_validity(values), pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(encoded), buffers)


def repeated_string(value: str | None, count: int) -> "pa.Array":
    """Make an Arrow array that says the same on every row.

    Args:
        value: A text; None where it is missing.
        count: Number of rows.

    Returns:
        The array, of type `string`.
    """
    import pyarrow as pa

    if value is None:
        return pa.nulls(count, pa.string())
    encoded = value.encode()
    end = len(encoded) * count
    offsets = array("i", range(0, end + 1, len(encoded)) if encoded else [0] * (count + 1))
    return pa.Array.from_buffers(pa.string(), count, [None, pa.py_buffer(offsets), pa.py_buffer(encoded * count)])


def integer_array(values: Sequence[int | None]) -> "pa.Array":
    """Make an Arrow array of integers.

    Args:
        values: Numbers; None where one is missing.

    Returns:
        The array, of type `int64`.
    """
    import pyarrow as pa

    numbers = array("q", [value or 0 for value in values])
    return pa.Array.from_buffers(pa.int64(), len(numbers), [_validity(values), pa.py_buffer(numbers)])


def _validity(values: Sequence[object | None]) -> "pa.Buffer | None":
    """One bit a value, the first one lowest, 1 where it is there; no bits where all are."""
    if None not in values:
        return None
    import pyarrow as pa

    bits = "".join("0" if value is None else "1" for value in reversed(values))
    return pa.py_buffer(int(bits, 2).to_bytes((len(bits) + 7) // 8, "little"))
