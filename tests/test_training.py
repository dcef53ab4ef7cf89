import os
import subprocess
import sys

from pipeline.labels import LABELS
from pipeline.model_folder import MODEL_FILES, load_model
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
