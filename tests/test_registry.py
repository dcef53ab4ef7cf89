"""Promotion and rollback by hand, with real SQLite stores."""

from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.promotion_log import PROMOTIONS, read_log
from pipeline.registration import register_candidate
from pipeline.registry import list_versions, promote, rollback
from tests.projects import Place, aliases, snapshot, version_of


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
    entries = read_log(PROMOTIONS)
    assert entries[1].comparison is not None
    assert entries[1].comparison["macro_f1"]["difference"] == verdict.difference
    assert {entry.test_documents for entry in entries} == {entries[0].test_documents}
    actions = [entry.action for entry in entries]
    assert actions == ["promoted", "promoted", "rollback", "manual promotion", "manual promotion"]
    with pytest.raises(TrackingError, match=r"'zz' is no version of the registry; there are: 2 \("):
        promote("zz")


def test_a_model_of_an_earlier_format_is_no_way_back(place: Place):
    register_candidate(place("worse"))
    register_candidate(place("best"))
    (reference,) = (path for path in Path("mlruns").rglob("reference.json") if "-" in str(path) and is_of_one(path))
    reference.unlink()
    before = snapshot()
    with pytest.raises(TrackingError, match=r"^version 1 \(\w+\) cannot be used any more \(reference.json is missing"):
        rollback()
    assert snapshot() == before


def is_of_one(path: Path) -> bool:
    """Whether a file belongs to the first version."""
    return version_of(str(path.parent)) == list_versions()[-1].model_version


def test_without_a_store_there_is_no_version_and_none_is_made(tmp_path: Path):
    assert list_versions(tmp_path) == []
    assert list(tmp_path.iterdir()) == []
