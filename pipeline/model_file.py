"""The file of a model: plain arrays, checked before use; no pickle, no library's own classes."""

import zipfile
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.linear_model import APART, DIGITS, PARTS, Floats, Integers, Kind, LinearModel
from pipeline.words import CONTRAST

_UNIT = 10**DIGITS
_MAX_BYTES = 500 * 2**20
# Name in the file: type and number of axes.
_ARRAYS = {
    "words": (np.uint8, 1),
    "kinds": (np.uint8, 1),
    "before": (np.int32, 1),
    "last": (np.int32, 1),
    "idf": (np.int32, 1),
    "weights": (np.int32, 2),
    "intercepts": (np.int32, 1),
    "part_weights": (np.float64, 1),
    "sublinear_tf": (np.bool_, 0),
}


def pack_model(model: LinearModel) -> bytes:
    """Write a model as the bytes of an .npz file; equal bytes for equal models.

    Args:
        model: The model; weights, idf and intercepts are kept to `DIGITS` digits.

    Returns:
        A zip archive of .npy files, without compression, whose bytes would hang on the release of zlib.

    Raises:
        OverflowError: A number is too large for the file.
    """
    arrays = {
        "words": np.frombuffer("\n".join(model.words).encode(), np.uint8),
        "kinds": model.kinds,
        "before": model.before,
        "last": model.last,
        "idf": _millionths(model.idf),
        "weights": _millionths(model.weights),
        "intercepts": _millionths(model.intercepts),
        "part_weights": model.part_weights,
        "sublinear_tf": np.array(model.sublinear_tf),
    }
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, (kind, _) in _ARRAYS.items():
            content = BytesIO()
            little = np.dtype(kind).newbyteorder("<")
            np.lib.format.write_array(content, np.array(arrays[name], little, order="C"), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3  # otherwise Windows writes another byte
            archive.writestr(entry, content.getvalue())
    return packed.getvalue()


def unpack_model(content: bytes, labels: int) -> LinearModel:
    """Read a model from the bytes of an .npz file, and check that it is one.

    Args:
        content: As `pack_model` returns it.
        labels: Number of labels that the model must have.

    Returns:
        The model.

    Raises:
        ValueError: The bytes are no such file, an array is missing or not as documented, or the arrays do not belong
            together; the message says what was found and what is accepted.
    """
    arrays = _read_arrays(content)
    words = tuple(arrays["words"].tobytes().decode().split("\n")) if arrays["words"].size else ()
    model = LinearModel(
        words=words,
        kinds=arrays["kinds"],
        before=arrays["before"],
        last=arrays["last"],
        idf=arrays["idf"] / _UNIT,
        weights=arrays["weights"] / _UNIT,
        intercepts=arrays["intercepts"] / _UNIT,
        part_weights=_all_parts(arrays["part_weights"]),
        sublinear_tf=bool(arrays["sublinear_tf"]),
    )
    _check(model, labels)
    return model


def _all_parts(weights: Floats) -> Floats:
    """Add the part that models saved before there were signal words do not have; a weight of 0 leaves it out."""
    return np.append(weights, 0.0) if len(weights) == len(PARTS) - 1 else weights


def _millionths(values: Floats) -> Integers:
    """Write numbers as whole millionths."""
    scaled: Floats = np.rint(values * _UNIT)
    if not (np.abs(scaled) <= np.iinfo(np.int32).max).all():
        raise OverflowError(f"found a weight beyond {np.iinfo(np.int32).max / _UNIT:.0f}, or not a number")
    return scaled.astype(np.int32)


def _read_arrays(content: bytes) -> dict[str, Any]:
    """Read the arrays of an .npz file, each of the type and number of axes that it must have."""
    arrays: dict[str, Any] = {}
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            entries = {entry.filename: entry for entry in archive.infolist()}
            missing = sorted({f"{name}.npy" for name in _ARRAYS} - entries.keys())
            foreign = sorted(entries.keys() - {f"{name}.npy" for name in _ARRAYS})
            if missing or foreign or len(entries) != len(archive.infolist()):
                raise ValueError(f"missing arrays: {missing}, unknown: {foreign}, accepted: {', '.join(_ARRAYS)}")
            size = sum(entry.file_size for entry in entries.values())
            if size > _MAX_BYTES:
                raise ValueError(f"unpacks to {size // 2**20} MiB, accepted: up to {_MAX_BYTES // 2**20} MiB")
            for name in _ARRAYS:
                arrays[name] = _read_array(name, archive.read(entries[f"{name}.npy"]))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise ValueError(f"no .npz file ({error})") from None
    return arrays


def _read_array(name: str, content: bytes) -> npt.NDArray[Any]:
    """Read one .npy file, and nothing but numbers."""
    kind, axes = _ARRAYS[name]
    file = BytesIO(content)
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"array {name}: found .npy version {version}, accepted: (1, 0)")
    shape, column_major, found = np.lib.format.read_array_header_1_0(file)
    accepted = np.dtype(kind).newbyteorder("<")
    if found != accepted or len(shape) != axes or column_major:
        raise ValueError(
            f"array {name}: found {found} with shape {shape}, accepted: {accepted} with {axes} axes, by row"
        )
    data = content[file.tell() :]
    if any(length < 0 for length in shape) or len(data) != accepted.itemsize * int(np.prod(shape, dtype=object)):
        raise ValueError(f"array {name}: found {len(data)} bytes, expected those of shape {shape}")
    return np.frombuffer(data, accepted).reshape(shape).astype(kind, copy=False)


def _check(model: LinearModel, labels: int) -> None:
    """Make sure that the arrays belong together: nothing may point outside them."""
    count, known = len(model.kinds), len(model.words)
    shapes = {
        "before": (model.before.shape, (count,)),
        "last": (model.last.shape, (count,)),
        "idf": (model.idf.shape, (count,)),
        "weights": (model.weights.shape, (labels, count)),
        "intercepts": (model.intercepts.shape, (labels,)),
        "part_weights": (model.part_weights.shape, (len(PARTS),)),
    }
    for name, (found, expected) in shapes.items():
        if found != expected:
            raise ValueError(f"array {name}: found shape {found}, expected {expected}")
    if len(set(model.words)) != known or "" in model.words:
        raise ValueError("array words: found a word twice, or an empty one")
    if not (np.isfinite(model.part_weights) & (model.part_weights >= 0)).all():
        raise ValueError(f"array part_weights: found {model.part_weights.tolist()}, expected finite numbers from 0 up")
    if model.part_weights[Kind.AFTER.part] > 0 and not CONTRAST.issubset(model.words):
        raise ValueError("array words: a word of contrast is missing")
    ranks = np.arange(count)
    single = ranks[:known]
    kind_before = model.kinds[np.clip(model.before, 0, max(count - 1, 0))]
    lone = np.isin(model.kinds, (Kind.AFTER, Kind.END))
    chained = np.isin(model.kinds, (Kind.RUN, Kind.START))
    right = {
        "kinds": model.kinds <= max(Kind),
        "before": (model.before >= -1)
        & (model.before < ranks)
        & ((model.before == -1) | ~lone)
        & ((model.before == -1) | (kind_before == model.kinds) | ~chained)
        & (((model.before >= 0) & (model.before < known)) | (APART[np.minimum(model.kinds, max(Kind))] == 0)),
        "last": (model.last >= 0) & (model.last < known) | (model.last == -1) & (model.kinds == Kind.START),
        "idf": model.idf >= 0,
    }
    for name, row in right.items():
        if not row.all():
            raise ValueError(f"array {name}: found a term that cannot be ({int(np.argmin(row))})")
    if known > count or (model.kinds[:known] != Kind.RUN).any() or (model.last[:known] != single).any():
        raise ValueError("array words: found words that are not the first terms")
    if (model.before[:known] != -1).any() or ((model.kinds == Kind.RUN) & (model.before == -1))[known:].any():
        raise ValueError("array before: found words that are not the first terms")
    several = model.keys[model.before >= 0]
    single_keys = model.kinds[model.before < 0].astype(np.int64) * (known + 1) + model.last[model.before < 0]
    if _repeats(several) or _repeats(single_keys):
        raise ValueError("found a term twice")


def _repeats(keys: npt.NDArray[np.int64]) -> bool:
    """Whether a key stands there twice; `numpy.unique` would load masked arrays, and takes ten times as long."""
    ordered = np.sort(keys)
    return bool((ordered[1:] == ordered[:-1]).any())
