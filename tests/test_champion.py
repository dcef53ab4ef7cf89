"""The champion's folder, held against the log of promotions."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.champion import version_in
from pipeline.errors import TrackingError
from pipeline.promotion_log import PROMOTIONS
from pipeline.registration import register_candidate
from pipeline.registry import promote, rollback
from tests.projects import Place, snapshot, version_of


def test_only_a_whole_model_has_a_version(model: Path, tmp_path: Path):
    assert version_in(model) == version_of(str(model))
    assert version_in(tmp_path / "none") is None
    damaged = Path(shutil.copytree(model, tmp_path / "damaged"))
    (damaged / "model.npz").write_bytes(b"")
    assert version_in(damaged) is None
    (damaged / "model.npz").unlink()
    assert version_in(damaged) is None


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
