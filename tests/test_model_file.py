"""The file of a model: written in one way, and refused where it is not as documented."""

import io
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.linear_model import Kind, LinearModel
from pipeline.model_file import pack_model, unpack_model
from pipeline.words import CONTRAST

WORDS = tuple(sorted({*CONTRAST, "late", "plans"}))
KINDS = [Kind.RUN] * len(WORDS) + [Kind.RUN, Kind.AFTER, Kind.END, Kind.START, Kind.START, Kind.GAP, Kind.SIGNAL]
LATE, PLANS = WORDS.index("late"), WORDS.index("plans")
COUNT = len(KINDS)
RUN, START = len(WORDS), len(WORDS) + 3
MODEL = LinearModel(
    words=WORDS,
    kinds=np.array(KINDS, np.uint8),
    before=np.array([-1] * len(WORDS) + [PLANS, -1, -1, -1, START, LATE, LATE], np.int32),
    last=np.array([*range(len(WORDS)), LATE, LATE, LATE, PLANS, LATE, PLANS, PLANS], np.int32),
    idf=np.full(COUNT, 1.5),
    weights=np.arange(3 * COUNT).reshape(3, COUNT) / 7,
    intercepts=np.array([-1.0, 0.25, 2.0]),
    part_weights=np.array([1.0, 0.5, 0.5, 0.6]),
    sublinear_tf=True,
)


def changed(name, place, value):
    array = getattr(MODEL, name).copy()
    array[place] = value
    return replace(MODEL, **{name: array})


def repacked(change):
    """The model's bytes with its arrays changed: as somebody would who means harm."""
    with zipfile.ZipFile(io.BytesIO(pack_model(MODEL))) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    change(contents)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return packed.getvalue()


def array_bytes(array):
    file = io.BytesIO()
    np.lib.format.write_array(file, array)
    return file.getvalue()


def test_what_was_written_is_read():
    again = unpack_model(pack_model(MODEL), 3)
    assert again.words == MODEL.words
    assert again.sublinear_tf is True
    for name in ("kinds", "before", "last", "idf", "intercepts", "part_weights"):
        np.testing.assert_array_equal(getattr(again, name), getattr(MODEL, name))
    np.testing.assert_allclose(again.weights, MODEL.weights, atol=5e-7)
    assert pack_model(again) == pack_model(MODEL)


def test_models_saved_before_there_were_signal_words_are_read():
    several = slice(COUNT - 1)
    earlier = replace(
        MODEL,
        **{name: getattr(MODEL, name)[several] for name in ("kinds", "before", "last", "idf")},
        weights=MODEL.weights[:, several],
        part_weights=MODEL.part_weights[:3],
    )
    assert unpack_model(pack_model(earlier), 3).part_weights.tolist() == [1.0, 0.5, 0.5, 0.0]


def test_numpy_reads_the_file_without_pickle(tmp_path):
    (tmp_path / "model.npz").write_bytes(pack_model(MODEL))
    with np.load(tmp_path / "model.npz", allow_pickle=False) as arrays:
        assert arrays["weights"].shape == (3, COUNT)
        assert arrays["words"].tobytes().decode().split("\n") == list(WORDS)


@pytest.mark.parametrize("value", [np.nan, np.inf, 3000.0])
def test_numbers_that_the_file_cannot_hold(value):
    with pytest.raises(OverflowError, match="beyond 2147"):
        pack_model(changed("weights", (0, 0), value))


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (changed("kinds", -1, 9), "array kinds: found a term that cannot be"),
        (changed("kinds", 0, Kind.GAP), "found a term that cannot be|not the first terms"),
        (changed("before", -1, COUNT), "array before"),
        (changed("before", -1, -1), "array before"),
        (changed("before", -1, -2), "array before"),
        (changed("before", RUN, START - 1), "array before"),
        (changed("before", RUN, -1), "not the first terms"),
        (changed("before", START + 1, PLANS), "array before"),
        (changed("before", RUN + 1, PLANS), "array before"),
        (changed("last", 0, len(WORDS)), "array last"),
        (changed("last", 0, 1), "not the first terms"),
        (changed("last", -1, -1), "array last"),
        (changed("idf", 0, -1.0), "array idf"),
        (changed("part_weights", 1, np.nan), "expected finite numbers from 0 up"),
        (changed("part_weights", 1, -1.0), "expected finite numbers from 0 up"),
        (replace(MODEL, part_weights=np.ones(2)), r"array part_weights: found shape \(2,\), expected \(4,\)"),
        (replace(MODEL, idf=np.ones(2)), "array idf: found shape"),
        (replace(MODEL, weights=MODEL.weights[:2]), "array weights: found shape"),
        (replace(MODEL, words=(*WORDS[:-1], WORDS[0])), "found a word twice"),
        (replace(MODEL, words=(*WORDS[:-1], "")), "found a word twice, or an empty one"),
        (replace(MODEL, words=("x", *WORDS[1:])), "a word of contrast is missing"),
        (replace(MODEL, words=WORDS + tuple(f"w{k}" for k in range(20))), "array words: found words that are not"),
        (changed("kinds", RUN + 1, Kind.END), "found a term twice"),
        (changed("kinds", -1, Kind.GAP), "found a term twice"),
    ],
)
def test_arrays_that_do_not_belong_together(model, message):
    with pytest.raises(ValueError, match=message):
        unpack_model(pack_model(model), 3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: arrays.pop("idf.npy"), r"missing arrays: \['idf.npy'\]"),
        (lambda arrays: arrays.update({"more.npy": b""}), r"unknown: \['more.npy'\], accepted: words"),
        (lambda arrays: arrays.update({"idf.npy": b"x"}), "magic|header|read"),
        (lambda arrays: arrays.update({"idf.npy": arrays["idf.npy"][:-1]}), "array idf: found .* bytes, expected"),
        (lambda arrays: arrays.update({"idf.npy": arrays["idf.npy"] + b"x"}), "array idf: found .* bytes, expected"),
        (
            lambda arrays: arrays.update({"idf.npy": array_bytes(np.ones(COUNT))}),
            "array idf: found float64 with shape .*, accepted: int32 with 1 axes",
        ),
        (
            lambda arrays: arrays.update({"idf.npy": array_bytes(np.array([{}], dtype=object))}),
            "array idf: found object",
        ),
        (
            lambda arrays: arrays.update({"words.npy": array_bytes(np.full((4,), 255, np.uint8))}),
            "codec can't decode",
        ),
        (
            lambda arrays: arrays.update({"words.npy": bytes(501 * 2**20)}),
            "unpacks to 501 MiB, accepted: up to 500 MiB",
        ),
    ],
)
def test_files_that_are_not_as_documented(change, message):
    with pytest.raises(ValueError, match=message):
        unpack_model(repacked(change), 3)


@given(st.data())
@settings(deadline=None, max_examples=200)
def test_damaged_bytes_are_a_value_error_or_a_model(data):
    content = bytearray(data.draw(st.sampled_from([pack_model(MODEL), repacked(lambda arrays: None)])))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = unpack_model(bytes(content[: data.draw(st.integers(0, len(content)))]), 3)
    except ValueError:
        return
    assert len(found.kinds) == COUNT
