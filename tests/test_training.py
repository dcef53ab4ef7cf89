import os
import subprocess
import sys
from dataclasses import asdict

import numpy as np
import pandas as pd
import yaml

from pipeline.copies import source_key
from pipeline.dataset import groups_of, load_side
from pipeline.labelled import Labelled, picked
from pipeline.labels import LABELS, label_matrix
from pipeline.model_folder import MODEL_FILES, load_model
from pipeline.soft_labels import TrainingFiles, load_soft_labels, make_soft_labels
from pipeline.training import EncoderAnswers
from tests.conftest import PROJECT


def test_equal_data_gives_equal_bytes(params, dataset, model, tmp_path):
    # In a process of its own: within one, memory addresses could be equal by chance.
    code = (
        "from pathlib import Path; from pipeline.params import load_params;"
        "from pipeline.training import train_candidate;"
        "ballast = [object() for _ in range(12345)];"
        "train_candidate(load_params(Path(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))"
    )
    settings = tmp_path / "params.yaml"
    settings.write_text(yaml.safe_dump(asdict(params)), encoding="utf-8")
    arguments = [str(settings), str(dataset), str(tmp_path / "again")]
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    subprocess.run([sys.executable, "-c", "import sys;" + code, *arguments], check=True, env=environment)
    for name in MODEL_FILES:
        assert (tmp_path / "again" / name).read_bytes() == (model / name).read_bytes()


def test_probabilities_are_calibrated(model):
    scores = load_model(model).config.scores["out_of_fold"]
    for label in LABELS:
        assert scores[f"{label}_ece"] < 0.06


def test_picked_answers_tune_no_cascade(dataset, store, tmp_path):
    table = load_side(dataset, "train")
    answered = np.arange(len(table)) % 4 == 0
    table["source"] = np.where(answered, "data/labels/reviewed/anna-2026-01-31.jsonl", table["source"])
    table["pool"] = "uncertain"
    # Commitments are too few here to leave some of them out.
    labels = label_matrix(table)[:, [0, 1, 0]]
    labelled = Labelled(table["text"].tolist(), labels, groups_of(table), picked(table))
    files = TrainingFiles(store, tmp_path / "soft_labels.parquet", PROJECT / "models" / "encoder")
    answers = EncoderAnswers(files, table, labelled)
    np.testing.assert_array_equal(answers.measured, answers.known & ~answered)
    assert (answers.known & answered).any()


def test_copies_of_what_has_left_the_training_side_do_not_teach(params, few_labels, store, tmp_path):
    files = TrainingFiles(store, tmp_path / "soft_labels.parquet", PROJECT / "models" / "encoder")
    make_soft_labels(params, few_labels, files)
    train, test = load_side(few_labels, "train"), load_side(few_labels, "test")
    moved = train["document"] == train["document"].iloc[0]
    gone = set(train.loc[moved, "key"])
    before = EncoderAnswers(files, train, Labelled.of(train)).soft(params, test)
    rest = train[~moved].reset_index(drop=True)
    after = EncoderAnswers(files, rest, Labelled.of(rest)).soft(params, pd.concat([test, train[moved]]))
    read, _ = load_soft_labels(files.soft_labels)
    names = read.index[read["copy"].notna()]
    sources = [source_key(name) for name in names]
    assert any(key in gone for key in sources)
    expected = {copy for copy, key in zip(read.loc[names, "copy"], sources, strict=True) if key not in gone}
    assert set(np.array(after.texts, dtype=object)[after.copies]) == expected
    assert set(np.array(before.texts, dtype=object)[before.copies]) > expected
