import os
import subprocess
import sys

import numpy as np

from pipeline.dataset import groups_of, load_side
from pipeline.labelled import Labelled, picked
from pipeline.labels import LABELS, label_matrix
from pipeline.model_folder import MODEL_FILES, load_model
from pipeline.soft_labels import TrainingFiles
from pipeline.training import EncoderAnswers
from tests.conftest import PROJECT


def test_equal_data_gives_equal_bytes(params, dataset, model, tmp_path):
    # In a process of its own: within one, memory addresses could be equal by chance.
    code = (
        "from pathlib import Path; from dataclasses import replace; from pipeline.params import load_params;"
        "from pipeline.training import train_candidate; shipped = load_params(Path(sys.argv[1]));"
        "params = replace(shipped, train=replace(shipped.train, folds=3));"
        "ballast = [object() for _ in range(12345)];"
        "train_candidate(params, Path(sys.argv[2]), Path(sys.argv[3]))"
    )
    arguments = [str(PROJECT / "params.yaml"), str(dataset), str(tmp_path / "again")]
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
