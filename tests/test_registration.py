"""The register stage, with real SQLite stores."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from pipeline.classifier import SentenceClassifier
from pipeline.dataset import build_dataset, load_side, load_summary
from pipeline.errors import TrackingError
from pipeline.evaluation import evaluate_candidate
from pipeline.labels import LABELS
from pipeline.model_folder import load_model, load_reference, save_model
from pipeline.params import Params
from pipeline.promotion_log import PROMOTIONS, read_log
from pipeline.registration import register_candidate
from pipeline.registry import list_versions, promote, rollback
from pipeline.run_file import find_run
from pipeline.tracking import open_store
from tests.projects import TEXTS, Place, aliases, clone, placing, snapshot, version_of


def evaluate(settings: Params) -> None:
    """Do what the evaluate stage does, in the working directory."""
    evaluate_candidate(
        settings,
        Path("models/candidate"),
        Path("data/dataset"),
        Path("metrics.json"),
        Path("data/evaluation"),
        Path("plots"),
    )


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


def test_a_verdict_is_recorded_with_its_comparison_and_shown_in_the_run(place: Place):
    register_candidate(place("worse"))
    settings = place("best")
    verdict = register_candidate(settings)
    table = load_side(Path("data/dataset"), "test")
    entry = read_log(PROMOTIONS)[-1]
    assert (entry.action, entry.test_sentences) == ("promoted", len(table))
    assert entry.comparison is not None
    assert set(entry.comparison) == {"macro_f1", *LABELS}
    assert entry.comparison["macro_f1"]["candidate"] == entry.candidate_macro_f1 == verdict.candidate_macro_f1
    assert entry.comparison["macro_f1"]["champion"] == entry.champion_macro_f1
    assert entry.comparison["macro_f1"]["low"] > 0
    assert entry.settings is not None
    assert entry.settings["tolerance"] == asdict(settings.register.tolerance)
    with open_store(write=False) as store:
        tags = store._client.get_run(verdict.run_id).data.tags
    change = entry.comparison["weakness"]
    assert tags["verdict.weakness_f1"] == (
        f"{change['difference']:+.4f} ({change['low']:+.4f} to {change['high']:+.4f})"
    )
    assert f"Beside champion `{entry.champion_before}` on the same test side" in tags["mlflow.note.content"]


def test_a_candidate_with_fewer_labels_needs_a_person(place: Place):
    settings = place("worse")
    trained = load_model("models/candidate")
    # What a champion trained with the public reports would state.
    data = {**trained.config.data, "sentences": 2 * trained.config.data["sentences"]}
    rich = SentenceClassifier(trained.scorer, replace(trained.config, data=data))
    save_model(rich, load_reference(Path("models/candidate")), Path("models/candidate"))
    evaluate(settings)
    champion = register_candidate(settings).champion_after
    verdict = register_candidate(place("best"))
    assert (verdict.action, verdict.champion_after) == ("rejected", champion)
    assert "less than 0.8 of the champion's" in verdict.reason
    assert version_of("models/champion") == champion
    assert promote(verdict.candidate).action == "manual promotion"
    assert version_of("models/champion") == verdict.candidate


def test_a_grown_test_side_is_recorded_and_the_champion_scored_again(
    place: Place, small_labels: Path, store: Path, tmp_path: Path
):
    settings = place("worse")
    grown = load_summary(Path("data/dataset"))["test"]
    dropped = load_side(Path("data/dataset"), "test")["report"].iloc[0]
    labels = tmp_path / "fewer"
    labels.mkdir()
    for path in small_labels.iterdir():
        lines = path.read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if json.loads(line)["report"] != dropped]
        (labels / path.name).write_text("\n".join(kept) + "\n", encoding="utf-8")
    build_dataset(settings, labels, store, Path("data/dataset"))
    small = load_summary(Path("data/dataset"))["test"]
    evaluate(settings)
    first = register_candidate(settings)
    assert (first.action, first.test_change) == ("promoted", "")

    # The candidate is still the champion, and yet the growth is written down.
    again = register_candidate(place("worse"))
    assert again.action == "unchanged"
    entries = read_log(PROMOTIONS)
    assert [entry.action for entry in entries] == ["promoted", "new test side"]
    assert (entries[0].test_sentences, entries[1].test_sentences) == (small["sentences"], grown["sentences"])
    assert entries[1].candidate_macro_f1 == again.candidate_macro_f1 != first.candidate_macro_f1
    assert f"had {first.candidate_macro_f1:.4f} on the one before" in entries[1].reason
    before = snapshot()
    assert register_candidate(place("worse")).test_change == ""
    assert snapshot() == before
    # The next candidate is held against the champion's score on the grown side.
    assert register_candidate(place("best")).champion_macro_f1 == entries[1].candidate_macro_f1


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
