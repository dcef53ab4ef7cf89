import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from hashlib import sha256
from io import BytesIO

import numpy as np
import pandas as pd
import pytest

from pipeline.classifier import SentenceClassifier
from pipeline.errors import ModelError
from pipeline.labels import LABELS
from pipeline.model_card import render_card
from pipeline.model_folder import (
    CARD_FILE,
    CONFIG_FILE,
    MODEL_FILE,
    MODEL_FILES,
    REFERENCE_FILE,
    copy_model,
    load_config,
    load_model,
    load_reference,
    older_version,
    save_model,
)
from pipeline.scorer import sigmoid

TEXTS = ["Plans are clear and regularly reviewed.", "Visits are too often late."]


@pytest.fixture
def folder(model, tmp_path):
    """A copy that a test may damage."""
    return shutil.copytree(model, tmp_path / "model")


def change_config(folder, **changes):
    path = folder / CONFIG_FILE
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8")


def replace_model(folder, content):
    """Put other bytes in the model's place, with the hash to match: as somebody would who means harm."""
    (folder / MODEL_FILE).write_bytes(content)
    change_config(folder, model_sha256=sha256(content).hexdigest())


def test_saving_and_loading_changes_no_answer(model, tmp_path):
    loaded = load_model(model)
    loaded.predict(TEXTS)  # using a model does not change what is saved
    save_model(loaded, load_reference(model), tmp_path / "again")
    again = load_model(tmp_path / "again")
    assert again.version == loaded.version
    pd.testing.assert_frame_equal(again.predict(TEXTS), loaded.predict(TEXTS))
    for name in MODEL_FILES:
        assert (tmp_path / "again" / name).read_bytes() == (model / name).read_bytes()


def test_the_version_follows_what_decides_and_not_the_scores(model):
    loaded = load_model(model)
    scored = replace(loaded.config, scores={"out_of_fold": {}, "test": {"macro_f1": 1}})
    assert SentenceClassifier(loaded.scorer, scored).version == loaded.version
    stricter = replace(loaded.config, thresholds=dict.fromkeys(LABELS, 0.9))
    assert SentenceClassifier(loaded.scorer, stricter).version != loaded.version


def test_copying_replaces_the_target_as_a_whole(model, tmp_path):
    target = tmp_path / "models" / "champion"
    target.mkdir(parents=True)
    (target / "left over").write_text("x", encoding="utf-8")
    copy_model(model, target)
    assert sorted(path.name for path in target.iterdir()) == sorted(MODEL_FILES)
    assert [path.name for path in target.parent.iterdir()] == ["champion"]


@pytest.mark.parametrize("name", MODEL_FILES)
def test_every_file_is_needed(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"{name} is missing; name another folder with --model, or retrain"):
        load_model(folder)


def test_no_folder(tmp_path):
    with pytest.raises(ModelError, match="no such model folder"):
        load_model(tmp_path / "nothing")


@pytest.mark.parametrize("name", [MODEL_FILE, REFERENCE_FILE])
def test_changed_bytes_are_noticed(folder, name):
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match="damaged .its hash is not the one in config.json.; retrain with `dvc repro`"):
        load_model(folder)


@pytest.mark.parametrize("content", [b"", b"not a zip", None])
def test_bytes_that_are_no_model(folder, content):
    if content is None:
        packed = BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr("schema.json", "{}")
        content = packed.getvalue()
    replace_model(folder, content)
    with pytest.raises(ModelError, match=r"model\.npz: damaged"):
        load_model(folder)


def test_an_array_too_many_is_named(folder):
    with np.load(folder / MODEL_FILE) as arrays:
        content = BytesIO()
        np.savez(content, **arrays, code=np.zeros(1))
    replace_model(folder, content.getvalue())
    with pytest.raises(ModelError, match=r"model\.npz: damaged .*unknown: .'code\.npy'., accepted: .*; retrain with"):
        load_model(folder)


def test_a_model_of_an_earlier_format_is_told_apart(folder):
    (folder / MODEL_FILE).rename(folder / "model.skops")
    version = load_config(folder).version
    assert older_version(folder) is None
    change_config(folder, format=1)
    with pytest.raises(ModelError, match="found model format 1, accepted: 2; retrain with `dvc repro`"):
        load_model(folder)
    assert older_version(folder) == version
    assert older_version(folder / "none") is None


def test_a_model_without_a_reference_counts_as_earlier(folder):
    version = load_config(folder).version
    path = folder / CONFIG_FILE
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["reference_sha256"]
    path.write_text(json.dumps(raw), encoding="utf-8")
    with pytest.raises(ModelError, match="damaged, reference_sha256 missing; retrain with `dvc repro`"):
        load_model(folder)
    assert older_version(folder) == version


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"format": 2}', b'{"format": 1}'])
def test_a_reference_that_is_none(folder, content):
    (folder / REFERENCE_FILE).write_bytes(content)
    change_config(folder, reference_sha256=sha256(content).hexdigest())
    with pytest.raises(ModelError, match=r"reference\.json: damaged .*; retrain with `dvc repro`"):
        load_reference(folder)


def test_a_model_saved_before_there_were_sets_of_labels_loads_and_keeps_its_version(folder):
    now = load_model(folder)
    path = folder / CONFIG_FILE
    raw = json.loads(path.read_text(encoding="utf-8"))
    del raw["sets"]
    before = {name: value for name, value in raw.items() if name not in ("format", "version", "scores")}
    path.write_text(json.dumps(raw), encoding="utf-8")
    loaded = load_model(folder)
    assert loaded.version == sha256(json.dumps(before, sort_keys=True).encode()).hexdigest()[:12] != now.version
    scores = loaded.scorer.score(TEXTS)
    assert (loaded.linear_probabilities(scores) == sigmoid(scores)).all()
    assert (loaded.linear_probabilities(scores) != now.linear_probabilities(scores)).any()


def test_using_a_model_loads_neither_sklearn_nor_pandas(model):
    code = (
        "import sys; from pipeline.model_folder import load_model; from pipeline.explanation import explain;"
        "classifier = load_model(sys.argv[1]); classifier.label(['Plans are clear.']).to_arrow();"
        "explain(classifier, 'Plans are clear.');"
        "sys.exit(sorted({'sklearn', 'scipy', 'pandas', 'joblib'} & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", code, str(model)], check=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "found model format 99, accepted: 2"),
        ({"labels": ["strength"]}, "found labels"),
        ({"thresholds": {"strength": 0.5}}, "found labels"),
        ({"thresholds": dict.fromkeys(LABELS, 2)}, "expected numbers from 0 to 1"),
        ({"sets": {"none": [0.5]}}, "damaged, expected for each set of labels"),
        ({"sets": ["none"]}, "damaged, found list, expected numbers by set of labels"),
    ],
)
def test_configurations_that_do_not_fit(folder, changes, message):
    change_config(folder, **changes)
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_damaged_configurations(folder):
    config = folder / CONFIG_FILE
    config.write_text('{"format": 2}', encoding="utf-8")
    with pytest.raises(ModelError, match="damaged, labels, thresholds"):
        load_model(folder)
    config.write_text("{", encoding="utf-8")
    with pytest.raises(ModelError, match="cannot be read"):
        load_model(folder)
    config.write_text("[]", encoding="utf-8")
    with pytest.raises(ModelError, match="found model format 'list'"):
        load_model(folder)


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"soft_sentences": 0, "copies": 0}, ""),
        ({"soft_sentences": 1200}, "Besides, 1,200 sentences that only the encoder labelled."),
        (
            {"soft_sentences": 1200, "copies": 3400},
            "Besides, 1,200 sentences and 3,400 altered copies of sentences that only the encoder labelled.",
        ),
        ({"soft_sentences": 0, "copies": 3400}, "Besides, 3,400 altered copies of sentences that only"),
    ],
)
def test_the_card_names_what_the_encoder_labelled(model, counts, expected):
    loaded = load_model(model)
    data = {name: value for name, value in loaded.config.data.items() if name not in ("soft_sentences", "copies")}
    told = SentenceClassifier(loaded.scorer, replace(loaded.config, data=data | counts))
    card = render_card(told)
    assert expected in card
    assert ("Besides" in card) == bool(expected)


def test_the_card_tells_origin_and_scores(model):
    card = (model / CARD_FILE).read_text(encoding="utf-8")
    loaded = load_model(model)
    assert loaded.version in card
    assert loaded.config.data["sha256"] in card
    assert str(loaded.config.scores["out_of_fold"]["macro_f1"]) in card
    for label in LABELS:
        assert f"| {label} | {loaded.config.thresholds[label]} | {loaded.config.data['examples'][label]} |" in card
