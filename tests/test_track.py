"""The track stage, with real SQLite stores and a server that is not there."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import StoreError, TrackingError
from pipeline.labels import LABELS
from pipeline.promotion_log import PROMOTIONS, read_log
from pipeline.registration import register_candidate
from pipeline.registry import list_versions, rollback
from pipeline.run_file import find_run
from pipeline.track import RECEIPT, track_run
from pipeline.tracking import open_store
from tests.projects import Place, aliases, snapshot, version_of


def label() -> None:
    """Leave what the classify stage leaves of drift; that of the test side has the same form."""
    Path("data/findings").mkdir(parents=True, exist_ok=True)
    shutil.copyfile("data/evaluation/drift.json", "data/findings/drift.json")


@pytest.fixture
def no_server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    return monkeypatch


def test_drift_stands_in_the_run_and_once_however_often_it_is_tracked(place: Place):
    settings = place("best")
    verdict = register_candidate(settings)
    label()
    drift = json.loads(Path("data/findings/drift.json").read_text(encoding="utf-8"))
    assert not RECEIPT.exists()
    assert track_run(settings) == drift["warnings"]
    first = RECEIPT.read_bytes()
    track_run(settings)
    assert RECEIPT.read_bytes() == first
    with open_store(write=False) as store:
        run = store._client.get_run(verdict.run_id)
        assert run.data.metrics["drift/unknown_words"] == drift["unknown_words"]["now"]
        assert {f"drift/psi_{label}" for label in LABELS} <= set(run.data.metrics)
        assert run.data.tags["drift"]
        assert "drift.json" in {item.path for item in store._client.list_artifacts(verdict.run_id)}
        assert len(store._client.get_metric_history(verdict.run_id, "drift/unknown_words")) == 1


def test_without_its_server_the_pipeline_goes_on_and_the_next_call_logs_the_run(place: Place, no_server):
    with no_server.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI")
        register_candidate(place("worse"))
    old = version_of("models/champion")

    settings = place("best")
    verdict = register_candidate(settings)
    label()
    assert (verdict.action, verdict.recorded, verdict.run_id) == ("promoted", True, None)
    assert "Not in MLflow yet: MLflow store http://127.0.0.1:9: does not answer" in verdict.summary()
    assert version_of("models/champion") == verdict.candidate
    assert read_log(PROMOTIONS)[-1].champion_after == verdict.candidate
    with pytest.raises(StoreError, match="does not answer"):
        track_run(settings)
    assert not RECEIPT.exists()
    before = snapshot()

    no_server.delenv("MLFLOW_TRACKING_URI")
    track_run(settings)
    assert RECEIPT.exists()
    assert snapshot() == before
    assert aliases()["champion"] == verdict.candidate
    with open_store(write=False) as store:
        run = store._client.get_run(find_run())
    assert run.data.tags["verdict"] == "promoted"
    assert {version.model_version for version in list_versions()} == {old, verdict.candidate}
    rollback()
    assert version_of("models/champion") == old


def test_a_champion_that_goes_unlogged_waits_for_the_store(place: Place, no_server):
    first, second = place("worse"), None
    register_candidate(first)
    old = version_of("models/champion")
    second = place("best")
    register_candidate(second)
    assert [folder.name for folder in Path("mlruns/waiting").iterdir()] == [old]
    no_server.delenv("MLFLOW_TRACKING_URI")
    label()
    track_run(second)
    assert list(Path("mlruns/waiting").iterdir()) == []
    assert old in {version.model_version for version in list_versions()}


def test_a_champion_that_is_lost_is_not_guessed_without_the_store(place: Place, no_server):
    register_candidate(place("best"))
    shutil.rmtree("models/champion")
    settings = place("worse")
    with pytest.raises(TrackingError, match="the MLflow store does not answer; restore the folder with `git checkout"):
        register_candidate(settings)


@pytest.mark.parametrize("content", [None, b"{", b"[]", b'{"warnings": []}'])
def test_findings_without_drift_are_named(place: Place, content: bytes | None):
    settings = place("best")
    if content is not None:
        label()
        Path("data/findings/drift.json").write_bytes(content)
    with pytest.raises(TrackingError, match=r"drift\.json: missing or damaged; run `dvc repro --force classify`"):
        track_run(settings)
