"""Fixtures that several test modules share: a small authored corpus and a model trained on it."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.dataset import build_dataset, load_side
from pipeline.evaluation import evaluate_candidate
from pipeline.extract import extract_sentences
from pipeline.learning_curve import measure_learning_curve
from pipeline.params import CopiesParams, Params, ToleranceParams, load_params
from pipeline.training import train_candidate
from tests.projects import ODD_NAME, Place, placing

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
    return replace(
        shipped,
        copies=CopiesParams(spans=2, thinned=2, substituted=4, crossed=2),
        train=replace(shipped.train, folds=3),
        evaluate=replace(shipped.evaluate, bootstrap=20),
        # On a test side of a few documents, a better model may well be worse at one label.
        register=replace(shipped.register, tolerance=ToleranceParams(strength=0.1, weakness=0.1, commitment=0.1)),
    )


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
def few_labels(tmp_path_factory: pytest.TempPathFactory, dataset: Path) -> Path:
    """The small dataset with a quarter of the labels: the encoder reads several copies of each sentence."""
    folder = tmp_path_factory.mktemp("few") / "dataset"
    shutil.copytree(dataset, folder)
    load_side(dataset, "train").iloc[::4].reset_index(drop=True).to_parquet(folder / "train.parquet")
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, params: Params, dataset: Path) -> Path:
    """A model folder trained on the small dataset."""
    folder = tmp_path_factory.mktemp("model") / "model"
    train_candidate(params, dataset, folder)
    return folder


@pytest.fixture(scope="session")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, params: Params, dataset: Path, model: Path
) -> dict[str, tuple[Params, Path]]:
    """What the stages before `register` leave: settings and folder of a worse, a better and a best candidate."""
    # Hardly a word is that frequent.
    few_words = replace(params.features, ngram_max=1, min_df=60, contrast=0.0, gaps=0.0, signals=0.0)
    variants = {
        "best": params,
        "near": replace(params, train=replace(params.train, C=params.train.C * 0.97)),
        "worse": replace(params, features=few_words, train=replace(params.train, C=0.002)),
    }
    made = {}
    curve = tmp_path_factory.mktemp("curve") / "learning_curve.csv"
    measure_learning_curve(params, dataset, curve)
    for name, settings in variants.items():
        folder = tmp_path_factory.mktemp("outcome") / name
        candidate = folder / "models" / "candidate"
        if name == "best":
            shutil.copytree(model, candidate)
        else:
            train_candidate(settings, dataset, candidate)
        shutil.copytree(dataset, folder / "data" / "dataset")
        evaluate_candidate(
            settings,
            candidate,
            dataset,
            folder / "metrics.json",
            folder / "data" / "evaluation",
            folder / "plots",
        )
        shutil.copyfile(PROJECT / "params.yaml", folder / "params.yaml")
        shutil.copyfile(curve, folder / "data" / curve.name)
        made[name] = (settings, folder)
    return made


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a run: its making takes seconds, a copy does not."""
    from pipeline.tracking import open_store  # MLflow takes seconds to import, and few tests need it

    folder = tmp_path_factory.mktemp("empty")
    with open_store(folder):
        pass
    return folder / "mlruns" / "mlflow.db"


@pytest.fixture
def place(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    outcomes: dict[str, tuple[Params, Path]],
    empty_store: Path,
) -> Place:
    """A project of its own, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(empty_store, tmp_path / "mlruns" / "mlflow.db")
    return placing(tmp_path, outcomes)


@pytest.fixture(scope="session")
def registered_project(tmp_path_factory: pytest.TempPathFactory, outcomes: dict[str, tuple[Params, Path]]) -> Path:
    """A project in an oddly named folder whose first candidate was registered."""
    from pipeline.registration import register_candidate

    project = tmp_path_factory.mktemp("odd") / ODD_NAME
    project.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        verdict = register_candidate(placing(project, outcomes)("best"))
    assert (verdict.action, verdict.reason, verdict.recorded) == ("promoted", "first model", True)
    return project


@pytest.fixture
def registered(registered_project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with a registered candidate as working directory; only for reading."""
    monkeypatch.chdir(registered_project)
    return registered_project


@pytest.fixture(scope="session")
def findings(tmp_path_factory: pytest.TempPathFactory, store: Path, model: Path) -> Path:
    """The findings table of the sample documents, with a page a report beside it."""
    from pipeline.batch import classify

    folder = tmp_path_factory.mktemp("findings")
    classify([store], folder, model=model, formats=["parquet", "csv", "jsonl"])
    return folder / "findings.parquet"
