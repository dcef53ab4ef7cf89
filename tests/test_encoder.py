import json
import pickle
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.encoder import ENCODER_CONFIG, ENCODER_MODEL, HELD_OUT_FILE, load_encoder, load_held_out
from pipeline.errors import ModelError
from pipeline.labels import LABELS
from tests.conftest import PROJECT

SENTENCES = [
    "Leaders know their children well.",
    "Too many children wait too long for a permanent home.",
    "By May, the council will recruit six social workers.",
    "The inspection took place in spring.",
    "",
    "Plans " * 300,
]


@pytest.fixture(scope="module")
def encoder():
    return load_encoder(PROJECT / "models" / "encoder")


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(PROJECT / "models" / "encoder", tmp_path / "encoder")
    return tmp_path / "encoder"


def test_it_labels_plain_cases(encoder):
    assert (encoder.logits(SENTENCES[:4]) > 0).tolist() == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
        [False, False, False],
    ]


@settings(deadline=None, max_examples=15)
@given(st.permutations(SENTENCES), st.integers(1, 6))
def test_an_answer_does_not_depend_on_the_company(encoder, texts, count):
    alone = {text: encoder.logits([text])[0].tolist() for text in SENTENCES}
    assert [row.tolist() for row in encoder.logits(texts[:count])] == [alone[text] for text in texts[:count]]


def test_no_bit_of_an_answer_depends_on_the_company(encoder, monkeypatch):
    # Rounding hides most of what company changes.
    monkeypatch.setattr("pipeline.encoder._DIGITS", 15)
    # ONNX Runtime answers this sentence alone otherwise than beside another.
    rare = "They recognised that assessments were stronger, whilst noting that fathers were still too often overlooked."
    words = "Leaders now know that too many children wait too long for a home of their own".split()
    texts = [rare, *(" ".join([*words, *words][first:last]) for first in range(5) for last in range(first + 1, 30))]
    together = encoder.logits(texts)
    assert np.array_equal(encoder.logits(texts[::3]), together[::3])
    assert np.array_equal(np.vstack([encoder.logits([text]) for text in texts[::7]]), together[::7])


def test_what_is_kept_is_not_read_again(encoder, monkeypatch):
    keeping = load_encoder(PROJECT / "models" / "encoder")
    keeping.keep_answers()
    asked = []
    read = keeping._read
    monkeypatch.setattr(keeping, "_read", lambda texts: asked.append(list(texts)) or read(texts))
    assert np.array_equal(keeping.logits(SENTENCES[:3]), encoder.logits(SENTENCES[:3]))
    again = [SENTENCES[4], *SENTENCES[2::-1], SENTENCES[4]]
    assert np.array_equal(keeping.logits(again), encoder.logits(again))
    assert asked == [SENTENCES[:3], [SENTENCES[4]]]
    assert keeping.logits([]).shape == (0, len(LABELS))
    keeping.keep_answers()
    keeping.logits(SENTENCES[:1])
    assert asked[2:] == [[], []]


def test_no_sentences(encoder):
    assert encoder.logits([]).shape == (0, len(LABELS))


def test_another_process_loads_the_network_itself(encoder):
    encoder.logits(["Plans are clear."])
    sent = pickle.dumps(encoder)
    assert len(sent) < 100_000
    np.testing.assert_array_equal(pickle.loads(sent).logits(SENTENCES), encoder.logits(SENTENCES))


def test_it_is_small():
    size = sum(path.stat().st_size for path in (PROJECT / "models" / "encoder").iterdir())
    assert size <= 16_000_000


def test_held_out_answers_have_a_key_each(encoder):
    keys, logits = load_held_out(encoder.folder)
    assert len(set(keys.tolist())) == len(keys) == len(logits)
    assert all(len(key) == 64 for key in keys[:50])
    assert np.isfinite(logits).all()


def test_no_test_document_was_trained_on(encoder):
    from pipeline.dataset import side_of
    from pipeline.params import load_params

    share = load_params(PROJECT / "params.yaml").dataset.test_share
    assert {side_of(name, share) for name in encoder.config.data["documents"]} == {"train"}


@pytest.mark.parametrize("name", [ENCODER_MODEL, HELD_OUT_FILE, "tokenizer.json"])
def test_a_damaged_file(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 0xFF
    (folder / name).write_bytes(bytes(content))
    with pytest.raises(ModelError, match=rf"{name}: damaged"):
        load_encoder(folder)


@pytest.mark.parametrize("name", [ENCODER_CONFIG, ENCODER_MODEL])
def test_a_missing_file(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=rf"{name}: .*git checkout models/encoder"):
        load_encoder(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": 99}, "found encoder format 99"),
        ({"labels": ["good", "bad"]}, "found labels"),
        ({"files": {}}, "hashes of its files are missing"),
    ],
)
def test_a_configuration_that_does_not_fit(folder, change, message):
    path = folder / ENCODER_CONFIG
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(ModelError, match=message):
        load_encoder(folder)


def test_a_network_that_is_none(folder):
    encoder = load_encoder(folder)
    (folder / ENCODER_MODEL).write_bytes(b"no network")
    with pytest.raises(ModelError, match="cannot be loaded"):
        encoder.logits(["Plans are clear."])


def test_damaged_held_out_answers(folder):
    (folder / HELD_OUT_FILE).write_bytes(b"PK")
    with pytest.raises(ModelError, match="missing or damaged"):
        load_held_out(folder)
