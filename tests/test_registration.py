"""The register stage, with real SQLite stores."""

import json
import shutil
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from pipeline.errors import TrackingError
from pipeline.model_folder import load_model
from pipeline.params import Params
from pipeline.registration import register_candidate
from pipeline.registry import list_versions, rollback
from pipeline.run_file import find_run
from pipeline.tracking import open_store
from tests.projects import TEXTS, Place, aliases, clone, placing, snapshot, version_of


def test_the_champion_is_the_candidate_with_its_test_scores(registered: Path):
    champion, candidate = load_model("models/champion"), load_model("models/candidate")
    assert champion.version == candidate.version
    assert (registered / "models/champion/model.npz").read_bytes() == (
        registered / "models/candidate/model.npz"
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
    for name in ("model.npz", "reference.json"):
        (Path("models/champion") / name).write_bytes(b"")
        assert register_candidate(settings).recorded is False
        assert snapshot() == before
    shutil.rmtree("models/champion")
    assert register_candidate(settings).recorded is False
    assert snapshot() == before


def test_a_champion_of_an_earlier_format_gives_way(place: Place):
    register_candidate(place("best"))
    old = version_of("models/champion")
    config = Path("models/champion/config.json")
    config.write_text(json.dumps(json.loads(config.read_text(encoding="utf-8")) | {"format": 1}), encoding="utf-8")
    verdict = register_candidate(place("worse"))
    assert (verdict.action, verdict.champion_before) == ("promoted", old)
    assert verdict.reason == f"the champion {old} cannot be used any more (it was saved in an earlier format)"
    assert version_of("models/champion") == verdict.candidate


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


def test_a_champion_from_the_repository_can_be_rolled_back_to(
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    empty_store: Path,
    outcomes: dict[str, tuple[Params, Path]],
):
    register_candidate(place("worse"))
    before = version_of("models/champion")
    # On another machine, whose store has never seen the champion, a better candidate takes its place.
    clone(monkeypatch, tmp_path, empty_store)
    assert register_candidate(placing(Path.cwd(), outcomes)("best")).action == "promoted"
    assert aliases() == {"champion": version_of("models/candidate")}
    assert rollback().champion_after == before
    assert version_of("models/champion") == before
    assert aliases()["champion"] == before
