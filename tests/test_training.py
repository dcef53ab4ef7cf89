import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from pipeline.dataset import load_side
from pipeline.errors import DataError
from pipeline.labels import LABELS, label_matrix
from pipeline.model_folder import MODEL_FILES, load_model
from tests.conftest import PROJECT


@pytest.fixture(scope="module")
def side(dataset):
    table = load_side(dataset, "train")
    return table["text"].tolist(), label_matrix(table), table["document"].to_numpy()


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


def test_the_best_threshold_has_the_best_f1():
    generator = np.random.default_rng(3)
    truth = generator.random(400) < 0.3
    probabilities = np.round(np.clip(truth * 0.3 + generator.random(400) * 0.6, 0, 1), 4)
    found = best_threshold(truth, probabilities)
    best = max(f1_score(truth, probabilities >= cut) for cut in np.unique(probabilities))
    assert f1_score(truth, probabilities >= found) == pytest.approx(best)


def test_thresholds_see_held_out_scores_only(side, params):
    # In-sample every training sentence is separable, so a threshold tuned there would score about 1.
    _, _, scores = fit(*side, params)
    assert 0.5 < scores["macro_f1"] < 0.95


@pytest.mark.parametrize(("value", "found"), [(False, "no example"), (True, "no counter-example")])
def test_a_label_without_examples(side, params, value, found):
    texts, labels, documents = side
    labels = labels.copy()
    labels[:, 2] = value
    with pytest.raises(DataError, match=f"label 'commitment' has {found}"):
        fit(texts, labels, documents, params)


def test_a_label_in_one_document(side, params):
    texts, labels, documents = side
    labels = labels.copy()
    labels[:, 2] &= documents == documents[0]
    assert labels[:, 2].any() or labels[:, 2].sum() == 0
    labels[0, 2] = True
    with pytest.raises(DataError, match="label 'commitment' stands in too few documents"):
        fit(texts, labels, documents, params)


def test_fewer_documents_than_folds(side, params):
    texts, labels, documents = side
    many = replace(params, train=replace(params.train, folds=50))
    with pytest.raises(DataError, match="cannot make 50 folds"):
        fit(texts, labels, documents, many)
