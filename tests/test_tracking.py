"""The MLflow store, with real SQLite stores."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest
import yaml

from pipeline.errors import TrackingError
from pipeline.model_folder import load_model
from pipeline.run_file import find_run
from pipeline.serving import REQUIREMENTS
from pipeline.store_location import tracking_uri
from pipeline.tracking import open_store
from tests.projects import TEXTS, version_of


def test_the_store_lies_in_the_project(registered: Path):
    assert (registered / "mlruns" / "mlflow.db").is_file()
    with open_store(write=False) as store:
        run = store._client.get_run(find_run())
    assert list(registered.parent.iterdir()) == [registered]
    assert (registered / "mlruns" / "artifacts" / run.info.run_id / "artifacts" / "scores.json").is_file()
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_the_run_shows_settings_scores_data_and_origin(registered: Path):
    with open_store(write=False) as store:
        run = store._client.get_run(find_run())
        artifacts = {item.path for item in store._client.list_artifacts(run.info.run_id)} | {
            item.path for item in store._client.list_artifacts(run.info.run_id, "plots")
        }
        page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/report.html")
    scores = json.loads((registered / "data/evaluation/scores.json").read_text(encoding="utf-8"))
    summary = json.loads((registered / "data/dataset/summary.json").read_text(encoding="utf-8"))
    shipped = yaml.safe_load((registered / "params.yaml").read_text(encoding="utf-8"))
    shown = {".".join(name.split(".")[:2]) for name in run.data.params}
    assert {f"{section}.{name}" for section, values in shipped.items() for name in values} <= shown
    assert run.data.params["register.tolerance.weakness"] == "0.1"
    assert run.data.params["train.C"] == str(shipped["train"]["C"])
    metrics, found = run.data.metrics, scores["scores"]
    for name in ("macro_f1", "strength_f1", "weakness_f1", "commitment_f1", "exact_match", "brier", "ece"):
        assert metrics[name] == found[name]["value"]
    assert (metrics["macro_f1_low"], metrics["macro_f1_high"]) == (found["macro_f1"]["low"], found["macro_f1"]["high"])
    assert metrics["label/weakness_recall"] == found["weakness_recall"]["value"]
    doc_type, part = next(iter(scores["by_doc_type"].items()))
    assert metrics[f"type/{doc_type}_exact_match"] == part["scores"]["exact_match"]["value"]
    assert metrics["mode/fast_macro_f1"] == scores["by_mode"]["fast"]["macro_f1"]
    # As many as a page can show; the rest is in scores.json.
    assert len(metrics) < 60
    tags = run.data.tags
    assert tags["verdict"] == "promoted"
    assert tags["data.test"] == summary["test"]["sha256"]
    assert tags["findings.model_version"] == version_of("models/champion")
    assert {"git.commit", "git.dirty", "dvc.lock"} <= set(tags)
    assert tags["labels"] == f"authored {summary['train']['sentences']:,}"
    assert tags["mlflow.note.content"].startswith("Promoted: first model.")
    assert "- commitment: F1 **" in tags["mlflow.note.content"]
    inputs = {item.tags[0].value: item.dataset for item in run.inputs.dataset_inputs}
    digests = {tag.value: item.dataset.digest for item in run.inputs.dataset_inputs for tag in item.tags}
    assert len(inputs) == 2
    assert digests["training"] == summary["train"]["sha256"][:36]
    assert digests["testing"] == summary["test"]["sha256"][:36]
    assert {"report.html", "model_card.md", "scores.json", "metrics.json", "params.yaml"} <= artifacts
    assert {"plots/confusion.png", "plots/learning_curve.png"} <= artifacts
    worst = pd.read_csv(registered / "data/evaluation/errors.csv").iloc[0]
    assert worst["report"] in page
    assert page.count("data:image/png;base64,") == 4


def test_pyfunc_gives_what_the_classifier_gives(registered: Path):
    expected = load_model("models/champion").predict(TEXTS)
    with open_store(write=False):
        served = mlflow.pyfunc.load_model("models:/findings@champion")
    pd.testing.assert_frame_equal(served.predict(pd.DataFrame({"text": TEXTS})), expected)
    assert served.metadata.get_input_schema().input_names() == ["text"]
    assert served.metadata.get_output_schema().input_names() == list(expected.columns)


def test_a_logged_model_is_complete_without_the_project(registered: Path, tmp_path: Path):
    # A process that has neither the project on its path nor its folder as working directory.
    code = (
        "import sys, json, mlflow, pandas as pd\n"
        "mlflow.set_tracking_uri(sys.argv[1])\n"
        "before = set(sys.modules)\n"
        "table = mlflow.pyfunc.load_model('models:/findings@champion').predict(pd.DataFrame({'text': sys.argv[2:]}))\n"
        "import pipeline\n"
        "print(json.dumps([pipeline.__file__, table['labels'].tolist(), sorted(set(sys.modules) - before)]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, tracking_uri(registered), *TEXTS],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    where, labels, modules = json.loads(done.stdout.splitlines()[-1])
    assert Path(where).is_relative_to(registered / "mlruns" / "artifacts") or "site-packages" in where
    assert labels == load_model("models/champion").predict(TEXTS)["labels"].tolist()
    assert {name.split(".")[0] for name in modules} & {
        "dvc",
        "typer",
        "pypdfium2",
        "docx",
        "lxml",
        "matplotlib",
    } == set()
    files = {path.relative_to(registered / "mlruns") for path in (registered / "mlruns").rglob("*")}
    assert not [path for path in files if path.name == "__pycache__" and "tmp" in str(path)]


def test_a_logged_model_is_no_pickle_and_names_what_it_needs(registered: Path):
    (model,) = (registered / "mlruns" / "artifacts").rglob("MLmodel")
    files = {path.relative_to(model.parent).as_posix() for path in model.parent.rglob("*") if path.is_file()}
    assert not [name for name in files if name.endswith((".pkl", ".pickle"))]
    assert "code/pipeline/serving.py" in files
    needed = (model.parent / "requirements.txt").read_text(encoding="utf-8").split()
    assert {line.partition("==")[0] for line in needed} == {"mlflow", *REQUIREMENTS}
    assert all("==" in line for line in needed)


def test_a_store_that_is_no_database_is_an_error(tmp_path: Path):
    (tmp_path / "mlruns").mkdir()
    (tmp_path / "mlruns" / "mlflow.db").write_bytes(b"not a database at all, but long enough to look like one" * 20)
    with (
        pytest.raises(TrackingError, match=r"mlflow\.db: not usable as MLflow store \(file is not a database\)"),
        open_store(tmp_path),
    ):
        pass


def test_a_project_that_was_moved_is_an_error(tmp_path: Path, empty_store: Path):
    old, new = tmp_path / "old", tmp_path / "new"
    (old / "mlruns").mkdir(parents=True)
    shutil.copyfile(empty_store, old / "mlruns" / "mlflow.db")
    with open_store(old) as store:
        store.page()
    old.rename(new)
    with pytest.raises(TrackingError, match="made in another folder"), open_store(new) as store:
        store.page()


@pytest.mark.parametrize("name", ["feature%2Fbranch", "50% #1"])
def test_a_percent_sign_names_no_other_folder(tmp_path: Path, empty_store: Path, name: str):
    project = tmp_path / name
    (project / "mlruns").mkdir(parents=True)
    shutil.copyfile(empty_store, project / "mlruns" / "mlflow.db")
    with open_store(project) as store:
        store.page()
    assert list(tmp_path.iterdir()) == [project]
