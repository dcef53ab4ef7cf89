"""The MLflow store and the registry of models on it, with real SQLite stores."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import mlflow
import pandas as pd
import pytest
import yaml

from pipeline.errors import TrackingError
from pipeline.evaluation import evaluate_candidate
from pipeline.mlflow_server import HOST, free_port
from pipeline.model_folder import load_config, load_model
from pipeline.params import Params
from pipeline.promotion import read_log
from pipeline.registry import list_versions, promote, register_candidate, render_versions, rollback
from pipeline.tracking import REQUIREMENTS, find_run, open_store, serve_ui, tracking_uri
from pipeline.training import train_candidate

PROJECT = Path(__file__).resolve().parent.parent
PROMOTIONS = Path("models/promotions.jsonl")
TRACKED = ("models/champion", "models/promotions.jsonl", "models/run.json", "mlruns/receipt.json")
TEXTS = ["Leaders know their children well.", "By May, the council will recruit six social workers."]
# A folder as a person may name it.
ODD_NAME = "inspection findings #2 (50%) ü" + ("" if os.name == "nt" else " what?")

Place = Callable[[str], Params]


@pytest.fixture(scope="session")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, params: Params, dataset: Path, model: Path
) -> dict[str, tuple[Params, Path]]:
    """What the stages before `register` leave: settings and folder of a worse, a better and a best candidate."""
    variants = {
        "best": params,
        "near": replace(params, train=replace(params.train, C=9.5)),
        "worse": replace(params, features=replace(params.features, ngram_max=1), train=replace(params.train, C=0.002)),
    }
    made = {}
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
        made[name] = (settings, folder)
    return made


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store without a run: its making takes seconds, a copy does not."""
    folder = tmp_path_factory.mktemp("empty")
    with open_store(folder):
        pass
    return folder / "mlruns" / "mlflow.db"


def placing(project: Path, outcomes: dict[str, tuple[Params, Path]]) -> Place:
    """Return a function that puts a candidate into a project and returns its settings."""

    def place(name: str) -> Params:
        settings, folder = outcomes[name]
        for part in ("models/candidate", "data", "plots"):
            shutil.rmtree(project / part, ignore_errors=True)
        shutil.copytree(folder, project, dirs_exist_ok=True)
        return settings

    return place


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


@pytest.fixture(scope="module")
def registered(tmp_path_factory: pytest.TempPathFactory, outcomes: dict[str, tuple[Params, Path]]) -> Iterator[Path]:
    """A project in an oddly named folder whose first candidate was registered; only for reading."""
    project = tmp_path_factory.mktemp("odd") / ODD_NAME
    project.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project)
        settings = placing(project, outcomes)("best")
        verdict = register_candidate(settings)
        assert (verdict.action, verdict.reason, verdict.recorded) == ("promoted", "first model", True)
        yield project


def snapshot(project: Path = Path()) -> dict[str, bytes]:
    """All that `register` leaves in the working tree."""
    files: dict[str, bytes] = {}
    for name in TRACKED:
        path = project / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            files[str(file)] = file.read_bytes()
    return files


def clone(monkeypatch: pytest.MonkeyPatch, project: Path, empty_store: Path) -> dict[str, bytes]:
    """Go to a copy of the project that lacks what git does not carry: the store's content."""
    before = snapshot()
    copy = project / "clone"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("mlruns", "clone"))
    (copy / "mlruns").mkdir()
    shutil.copyfile(empty_store, copy / "mlruns" / "mlflow.db")
    monkeypatch.chdir(copy)
    return before


def aliases() -> dict[str, str]:
    return {alias: version.model_version for version in list_versions() for alias in version.aliases}


def version_of(folder: str) -> str:
    return load_config(Path(folder)).version


def test_the_champion_is_the_candidate_with_its_test_scores(registered: Path):
    champion, candidate = load_model("models/champion"), load_model("models/candidate")
    assert champion.version == candidate.version
    assert (registered / "models/champion/model.skops").read_bytes() == (
        registered / "models/candidate/model.skops"
    ).read_bytes()
    assert champion.config.scores["test"]["scores"]["macro_f1"]["value"] == list_versions()[0].macro_f1
    assert "On the test side" in (registered / "models/champion/README.md").read_text(encoding="utf-8")


def test_registering_again_changes_no_file_and_makes_no_second_run(registered: Path, params: Params):
    before = snapshot()
    verdict = register_candidate(params)
    assert (verdict.action, verdict.recorded, verdict.run_id) == ("unchanged", False, find_run())
    assert snapshot() == before
    with open_store(write=False) as store:
        assert store.runs() == [verdict.run_id]
    assert [version.number for version in list_versions()] == [1]
    assert aliases() == {"champion": version_of("models/champion")}


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
        page = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/errors/worst_errors.html")
    scores = json.loads((registered / "data/evaluation/scores.json").read_text(encoding="utf-8"))
    summary = json.loads((registered / "data/dataset/summary.json").read_text(encoding="utf-8"))
    shipped = yaml.safe_load((registered / "params.yaml").read_text(encoding="utf-8"))
    assert {f"{section}.{name}" for section, values in shipped.items() for name in values} <= set(run.data.params)
    assert run.data.params["train.C"] == str(shipped["train"]["C"])
    for name, score in scores["scores"].items():
        assert run.data.metrics.get(name) == score["value"]
        assert run.data.metrics.get(f"{name}_low") == score["low"]
    doc_type, part = next(iter(scores["by_doc_type"].items()))
    assert run.data.metrics[f"type/{doc_type}/exact_match"] == part["scores"]["exact_match"]["value"]
    tags = run.data.tags
    assert tags["verdict"] == "promoted"
    assert tags["data.test"] == summary["test"]["sha256"]
    assert tags["findings.model_version"] == version_of("models/champion")
    assert {"git.commit", "git.dirty", "dvc.lock"} <= set(tags)
    assert "| commitment |" in tags["mlflow.note.content"]
    inputs = {item.tags[0].value: item.dataset for item in run.inputs.dataset_inputs}
    digests = {tag.value: item.dataset.digest for item in run.inputs.dataset_inputs for tag in item.tags}
    assert len(inputs) == 2
    assert digests["training"] == summary["train"]["sha256"][:36]
    assert digests["testing"] == summary["test"]["sha256"][:36]
    assert {"model_card.md", "scores.json", "metrics.json", "params.yaml", "plots/confusion.png"} <= artifacts
    worst = pd.read_csv(registered / "data/evaluation/errors.csv").iloc[0]
    assert worst["document"] in page
    assert page.index("<th>truth") < page.index("<th>section")


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


def test_versions_are_listed(registered: Path):
    head, line = render_versions(list_versions()).splitlines()
    assert head.split()[0] == "version"
    assert line.split()[:2] == ["1", version_of("models/champion")]
    assert line.endswith("champion")
    assert "dvc repro" in render_versions([])


def test_a_better_candidate_is_promoted_and_a_rollback_sticks(place: Place):
    register_candidate(place("worse"))
    worse = version_of("models/champion")
    settings = place("best")
    verdict = register_candidate(settings)
    best = verdict.candidate
    assert (verdict.action, verdict.recorded, verdict.champion_before) == ("promoted", True, worse)
    assert verdict.difference is not None
    assert verdict.difference > settings.register.margin
    assert aliases() == {"champion": best}
    promoted = snapshot()

    back = rollback()
    assert (back.action, back.candidate, back.champion_before) == ("rollback", worse, best)
    assert version_of("models/champion") == worse
    assert aliases() == {"champion": worse, "challenger": best}

    before = snapshot()
    again = register_candidate(settings)
    assert (again.action, again.recorded) == ("rejected", False)
    assert "rolled back on" in again.reason
    assert snapshot() == before
    with pytest.raises(TrackingError, match="nothing to go back to"):
        rollback()

    by_hash = promote(best[:5])
    assert (by_hash.action, by_hash.candidate, by_hash.recorded) == ("manual promotion", best, True)
    assert aliases()["champion"] == best
    restored = {name: content for name, content in snapshot().items() if "champion" in name}
    assert restored == {name: content for name, content in promoted.items() if "champion" in name}
    assert promote("2").action == "unchanged"
    by_number = promote("1")
    assert by_number.candidate == worse
    assert version_of("models/champion") == worse
    actions = [entry.action for entry in read_log(PROMOTIONS)]
    assert actions == ["promoted", "promoted", "rollback", "manual promotion", "manual promotion"]
    with pytest.raises(TrackingError, match=r"'zz' is no version of the registry; there are: 2 \("):
        promote("zz")


def test_no_better_is_rejected_once_and_a_fresh_store_is_filled_from_the_files(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_store: Path
):
    register_candidate(place("best"))
    champion = version_of("models/champion")
    settings = place("near")
    verdict = register_candidate(settings)
    assert (verdict.action, verdict.recorded, verdict.champion_after) == ("rejected", True, champion)
    assert aliases() == {"champion": champion, "challenger": verdict.candidate}
    before = snapshot()
    assert register_candidate(settings).recorded is False
    assert snapshot() == before

    before = clone(monkeypatch, tmp_path, empty_store)
    assert find_run() is None
    fresh = register_candidate(settings)
    assert (fresh.action, fresh.recorded) == ("rejected", False)
    assert snapshot() == before
    assert aliases() == {"champion": champion, "challenger": verdict.candidate}
    assert find_run() == fresh.run_id
    with open_store(write=False):
        served = mlflow.pyfunc.load_model("models:/findings@champion")
    assert served.predict(pd.DataFrame({"text": TEXTS}))["model_version"].tolist() == [champion] * 2

    # A champion that was damaged comes back from the store, to the byte.
    Path("models/champion/model.skops").write_bytes(b"")
    assert register_candidate(settings).recorded is False
    assert snapshot() == before
    shutil.rmtree("models/champion")
    assert register_candidate(settings).recorded is False
    assert snapshot() == before


def test_a_fresh_store_tells_how_the_champion_came_to_be(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_store: Path
):
    settings = place("best")
    register_candidate(settings)
    before = clone(monkeypatch, tmp_path, empty_store)
    verdict = register_candidate(settings)
    assert (verdict.action, verdict.recorded) == ("unchanged", False)
    assert snapshot() == before
    assert aliases() == {"champion": verdict.candidate}
    with open_store(write=False) as store:
        assert store._client.get_run(verdict.run_id).data.tags["verdict"] == "promoted"


def test_a_promotion_that_stopped_half_way_is_completed(place: Place):
    register_candidate(place("worse"))
    old = snapshot()
    settings = place("best")
    register_candidate(settings)
    done = snapshot()
    for name, content in old.items():
        if "champion" in name:
            Path(name).write_bytes(content)
    assert register_candidate(settings).recorded is False
    assert snapshot() == done


def test_a_lost_champion_that_the_store_lacks_is_an_error(place: Place):
    settings = place("best")
    log = {"at": "2026-01-02T03:04:05Z", "action": "promoted", "candidate": "0123456789ab", "champion_before": None}
    log |= {"champion_after": "0123456789ab", "candidate_macro_f1": 0.5, "champion_macro_f1": None, "difference": None}
    log |= {"margin": 0.0, "test_sha256": "t", "train_sha256": "d", "git_commit": "c", "reason": "r", "by": "Ada"}
    PROMOTIONS.write_text(json.dumps(log) + "\n", encoding="utf-8")
    with pytest.raises(TrackingError, match=r"by the log of promotions 0123456789ab is champion.*git checkout"):
        register_candidate(settings)
    PROMOTIONS.write_text("{\n", encoding="utf-8")
    for call in (lambda: register_candidate(settings), rollback, lambda: promote("1")):
        with pytest.raises(TrackingError, match=r"promotions\.jsonl:1: damaged"):
            call()
    assert not Path("models/champion").exists()


def test_scores_of_another_model_are_refused(place: Place):
    settings = place("best")
    path = Path("data/evaluation/scores.json")
    scores = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(scores | {"model_version": "0123456789ab"}), encoding="utf-8")
    with pytest.raises(TrackingError, match=r"scores of model 0123456789ab.*dvc repro"):
        register_candidate(settings)
    path.write_text("{}", encoding="utf-8")
    with pytest.raises(TrackingError, match="missing or damaged"):
        register_candidate(settings)


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


def test_another_store_can_be_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    assert tracking_uri(tmp_path) == "http://127.0.0.1:9"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", " ")
    assert tracking_uri(tmp_path).startswith("sqlite:///")


def test_without_runs_the_ui_says_what_to_do(tmp_path: Path):
    with pytest.raises(TrackingError, match="no runs yet: run `dvc repro`"):
        serve_ui(project=tmp_path)
    assert not (tmp_path / "mlruns").exists()


def test_a_taken_port_leads_to_the_next():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) > port


def test_the_ui_serves_the_store_and_stops_on_interrupt(registered: Path):
    code = (
        "import sys; from pathlib import Path; from pipeline.tracking import serve_ui\n"
        "serve_ui(int(sys.argv[1]), lambda line: print(line, flush=True), Path(sys.argv[2]))\n"
        "print('stopped', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(free_port(25100)), str(registered)],
        cwd=PROJECT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("MLflow UI with 1 run: http://127.0.0.1:"), process.communicate()
        address = line.split()[-1].partition("/#/")[0]
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        request = urllib.request.Request(
            f"{address}/ajax-api/2.0/mlflow/runs/search",
            data=json.dumps({"experiment_ids": ["1"]}).encode(),
            headers={"Content-Type": "application/json", "Origin": address},
        )
        with opener.open(request, timeout=30) as answer:
            (run,) = json.load(answer)["runs"]
        assert run["info"]["run_id"] == find_run()
        with opener.open(f"{address}/get-artifact?path=scores.json&run_id={find_run()}", timeout=30) as answer:
            assert "by_doc_type" in json.load(answer)
    finally:
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "")
    assert output.endswith("stopped\n")
    with pytest.raises(OSError, match="refused"):
        opener.open(address, timeout=5)
