import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from pipeline.calibration import best_thresholds
from pipeline.cli import main
from pipeline.dataset import load_side
from pipeline.errors import ParamsError
from pipeline.fitting import fit_linear
from pipeline.labelled import Labelled
from pipeline.labels import LABELS
from pipeline.params import change_params
from pipeline.progress import SilentReporter
from pipeline.search import choose_by_fold, search_params
from pipeline.search_space import list_settings, read_space
from pipeline.tracking import open_store
from tests.conftest import PROJECT

SPACE = {"features": {"gaps": [0.0]}, "train": {"C": [0.01, 20.0]}}
SIZE = 3  # the present setting, and two with gaps 0


@pytest.fixture
def project(tmp_path, monkeypatch, params, dataset, empty_store):
    """A project folder with a dataset without test side, and a search in it that takes seconds."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(empty_store, "mlruns/mlflow.db")
    shutil.copytree(dataset, "data/dataset", ignore=shutil.ignore_patterns("test.parquet"))
    (tmp_path / "search.yaml").write_text(yaml.safe_dump(SPACE), encoding="utf-8")
    return tmp_path


@pytest.fixture
def search(project, params):
    """Run the search of the project."""

    def run(settings=params, **arguments):
        return search_params(settings, project / "data/dataset", space=project / "search.yaml", **arguments)

    return run


def logged(run_id):
    """The parent run and those below it."""
    with open_store(write=False) as store:
        below = store._search("mlflow.parentRunId", run_id)
        return store._client.get_run(run_id), {run.info.run_name: run for run in below}


def test_each_fold_is_judged_by_thresholds_of_the_others():
    generator = np.random.default_rng(5)
    labels = generator.random((300, len(LABELS))) < 0.4
    probabilities = np.clip(labels * 0.3 + generator.random(labels.shape) * 0.7, 0, 1)
    folds = np.arange(300) % 3
    # In the last fold everything is turned round: its own thresholds would be others.
    probabilities[folds == 2] = 1 - probabilities[folds == 2]
    chosen = choose_by_fold(labels, probabilities, folds)
    for fold in range(3):
        cuts = best_thresholds(probabilities[folds != fold])
        np.testing.assert_array_equal(chosen[folds == fold], probabilities[folds == fold] >= cuts)
    own = probabilities[folds == 2] >= best_thresholds(probabilities[folds == 2])
    assert (chosen[folds == 2] != own).any()


def test_the_scores_are_those_of_the_fitting_of_the_train_stage(search, params, dataset):
    report = search()
    table = load_side(dataset, "train")
    labelled = Labelled.of(table)
    for result in report.results:
        changed = change_params(params, result.setting, Path("params.yaml"))
        fitted = fit_linear(labelled, changed)
        exact = (choose_by_fold(labelled.labels, fitted.probabilities, fitted.folds) == labelled.labels).all(axis=1)
        assert result.scores["exact_match"] == pytest.approx(exact.mean(), abs=1e-4)
        # Thresholds of other folds can hardly be better than those of all.
        assert result.scores["macro_f1"] < fitted.scores["macro_f1"] + 0.005
    assert report.baseline.setting == {"features.gaps": 0.5, "train.C": 20.0}
    assert report.best.scores["macro_f1"] == max(one.scores["macro_f1"] for one in report.results)


def test_results_stand_in_the_table_the_file_and_the_store(search, project):
    report = search()
    table = pd.read_csv(project / "data/search/results.csv", encoding="utf-8-sig")
    assert len(table) == SIZE
    assert table["macro_f1"].is_monotonic_decreasing
    assert table["present"].sum() == 1
    printed = report.summary()
    assert f"{SIZE} settings: " in printed
    for value in table["macro_f1"]:
        assert f"{value:.4f}" in printed
    parent, children = logged(report.run_id)
    assert set(children) == {"present", "gaps=0.0, C=0.01", "gaps=0.0, C=20.0"}
    assert parent.info.status == "FINISHED"
    assert {run.info.status for run in children.values()} == {"FINISHED"}
    poor, row = children["gaps=0.0, C=0.01"], table[table["train.C"] == 0.01]
    assert poor.data.params["train.C"] == "0.01"
    assert poor.data.params["features.gaps"] == "0.0"
    assert poor.data.metrics["cv_macro_f1"] == pytest.approx(row["macro_f1"].item())
    assert "cv_fold_3_macro_f1" in poor.data.metrics
    # A score by cross-validation is no score on the test side.
    assert "macro_f1" not in poor.data.metrics
    assert poor.data.tags["data.train"] == parent.data.tags["data.train"]
    assert poor.data.tags["verdict"] == parent.data.tags["verdict"] == "search"
    assert parent.data.metrics["cv_macro_f1"] == pytest.approx(table["macro_f1"].max())
    assert report.advice() in parent.data.tags["mlflow.note.content"]


def test_the_advice_names_what_to_change(search, params):
    *_, worst = search().ranked
    poor = change_params(params, worst.setting, Path("params.yaml"))
    report = search(poor)
    assert report.baseline.setting == worst.setting
    for name, value in report.best.setting.items():
        assert (f"{name}: {value}" in report.advice()) == (value != worst.setting[name])
    assert "params.yaml" in report.advice()
    assert f"higher in {report.better_folds(report.best)} of {params.train.folds} folds" in report.advice()
    gain = report.best.scores["macro_f1"] - report.baseline.scores["macro_f1"]
    assert ("register.margin" in report.advice()) == (gain < params.register.margin)
    greedy = replace(poor, register=replace(poor.register, margin=0.9))
    assert "less than a new champion must gain (register.margin, 0.9)" in search(greedy).advice()
    stays = search(change_params(params, report.best.setting, Path("params.yaml")))
    assert "params.yaml can stay" in stays.advice()


class Stopping(SilentReporter):
    """Presses Ctrl-C after some settings."""

    def __init__(self, after):
        self.left = after

    def advance(self, count=1, note=""):
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


def test_a_search_that_was_stopped_goes_on(search, project):
    with pytest.raises(KeyboardInterrupt):
        search(reporter=Stopping(2))
    first = (project / "data/search/scores.jsonl").read_text(encoding="utf-8")
    assert len(first.splitlines()) == 2
    assert len(pd.read_csv(project / "data/search/results.csv")) == 2
    with open_store(write=False) as store:
        (parent,) = [run for run in store._search("", "") if "mlflow.parentRunId" not in run.data.tags]
    assert parent.info.status == "KILLED"
    report = search()
    assert report.run_id == parent.info.run_id
    whole = (project / "data/search/scores.jsonl").read_text(encoding="utf-8")
    assert whole.startswith(first)
    assert len(whole.splitlines()) == SIZE
    finished, children = logged(report.run_id)
    assert finished.info.status == "FINISHED"
    assert len(children) == SIZE


def test_the_same_search_again_scores_and_logs_nothing(search, project):
    first = search()
    before = (project / "data/search/scores.jsonl").read_bytes()
    again = search()
    assert (project / "data/search/scores.jsonl").read_bytes() == before
    assert again.run_id == first.run_id
    assert len(logged(again.run_id)[1]) == SIZE
    assert again.summary() == first.summary()


def test_a_torn_line_costs_one_setting(search, project):
    search()
    path = project / "data/search/scores.jsonl"
    whole = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([*whole[:-1], whole[-1][:40]]), encoding="utf-8")
    search()
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == SIZE + 1
    assert json.loads(lines[-1])["key"] == json.loads(whole[-1])["key"]


def test_without_a_store_nothing_is_lost(search, project):
    (project / "mlruns/mlflow.db").rename(project / "mlruns/kept.db")
    (project / "mlruns/mlflow.db").write_bytes(b"no database at all, but long enough to look like one" * 30)
    report = search()
    assert report.run_id is None
    assert "not in MLflow" in report.summary()
    assert len(report.results) == SIZE
    (project / "mlruns/kept.db").replace(project / "mlruns/mlflow.db")
    assert len(logged(search().run_id)[1]) == SIZE


def test_a_setting_that_cannot_be_fitted_is_listed(search, project):
    space = {"features": {"min_df": [100_000]}}
    (project / "search.yaml").write_text(yaml.safe_dump(space), encoding="utf-8")
    report = search()
    assert len(report.results) == 1
    assert "not scored: features.min_df=100000: " in report.summary()


def test_without_soft_labels_their_weight_is_not_tried(search, project):
    space = {"features": {"gaps": [0.0]}, "train": {"soft_weight": [0.5, 1.0], "copy_weight": [0.5, 1.0]}}
    (project / "search.yaml").write_text(yaml.safe_dump(space), encoding="utf-8")
    report = search()
    assert report.varied == ("features.gaps",)
    assert len(report.results) == 2  # the present setting, and one with gaps 0


def test_a_random_search_draws_as_many_as_asked(project, params):
    space = {"train.C": [1.0, 2.0, 4.0], "features.gaps": [0.0, 0.5]}
    drawn = list_settings(space, 4, 20)
    assert drawn == list_settings(space, 4, 20)
    assert len({json.dumps(one, sort_keys=True) for one in drawn}) == 4
    assert len(list_settings(space, 50, 20)) == len(list_settings(space, None, 20)) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found NoneType, expected the sections features and train"),
        ("- a", "found list, expected the sections"),
        ("a: [", "not valid YAML"),
        ("register: {margin: [0.1]}", "section 'register' cannot be searched; accepted: features, train"),
        ("train: [1]", "section 'train' cannot be searched"),
        ("train: {C: 5.0}", "train.C: found 5.0, expected a list of values to try, such as [5.0]"),
        ("train: {C: []}", "train.C: found [], expected a list"),
        ("train: {D: [5.0]}", "unknown key train.D (accepted: C, class_weight"),
        ("train: {C: [5.0, -1]}", "train.C: found -1"),
        ("train: {folds: [3, 5]}", "train.folds cannot be searched"),
        ("features: {sublinear_tf: [maybe]}", "features.sublinear_tf: found 'maybe'"),
    ],
)
def test_wrong_values_are_named(tmp_path, params, text, message):
    path = tmp_path / "space.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError, match=re.escape(message)) as caught:
        read_space(path, params)
    assert str(caught.value).startswith(f"{path}: ")


def test_the_shipped_values_are_accepted(params):
    space = read_space(PROJECT / "search.yaml", params)
    assert len(list_settings(space, None, 0)) <= 40


def test_the_command(project, capsys):
    shutil.copyfile(PROJECT / "params.yaml", "params.yaml")
    (project / "search.yaml").write_text("train: {class_weight: [none]}", encoding="utf-8")
    assert main(["search", "--no-soft-labels", "--trials", "1"]) == 0
    out, err = capsys.readouterr()
    assert "class_weight" in out
    assert re.search(r"2 settings: data/search/results\.csv, MLflow run [0-9a-f]{32}", out)
    assert "2 of 2 settings" in err
    assert main(["search", "--space", "nowhere.yaml"]) == 1
    assert "nowhere.yaml: cannot be read" in capsys.readouterr().err
