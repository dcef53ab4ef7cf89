"""Fixtures that several test modules share: a small authored corpus and a model trained on it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.dataset import build_dataset
from pipeline.extract import extract_sentences
from pipeline.params import Params, load_params
from pipeline.training import train_candidate

PROJECT = Path(__file__).resolve().parent.parent
SHARED = PROJECT.parent / "shared"

# No test may reach for a person's own MLflow server.
os.environ.pop("MLFLOW_TRACKING_URI", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs the real reports where they are not beside the project."""
    if not SHARED.is_dir():
        for item in items:
            if item.get_closest_marker("shared"):
                item.add_marker(pytest.mark.skip(reason="../shared is not there"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real reports beside the project."""
    return SHARED


@pytest.fixture(scope="session")
def samples() -> Path:
    """The sample documents."""
    return PROJECT / "data" / "samples"


@pytest.fixture(scope="session")
def params() -> Params:
    """The shipped settings, made cheap where that changes no code path."""
    shipped = load_params(PROJECT / "params.yaml")
    return replace(shipped, train=replace(shipped.train, folds=3), evaluate=replace(shipped.evaluate, bootstrap=20))


@pytest.fixture(scope="session")
def small_labels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two of the authored label files."""
    folder = tmp_path_factory.mktemp("labels")
    for stem in ("authored-ilacs-and-statements", "authored-ilacs-focused-monitoring"):
        name = f"{stem}.jsonl"
        (folder / name).write_bytes((PROJECT / "data" / "labels" / name).read_bytes())
    return folder


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, samples: Path) -> Path:
    """The sentence store of the sample documents."""
    folder = tmp_path_factory.mktemp("store") / "sentences"
    extract_sentences([samples], folder)
    return folder


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory, params: Params, small_labels: Path, store: Path) -> Path:
    """Both sides of the small dataset."""
    folder = tmp_path_factory.mktemp("dataset") / "dataset"
    build_dataset(params, small_labels, store, folder)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, params: Params, dataset: Path) -> Path:
    """A model folder trained on the small dataset."""
    folder = tmp_path_factory.mktemp("model") / "model"
    train_candidate(params, dataset, folder)
    return folder
