"""The verdict on a candidate, and the log of verdicts."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.promotion import (
    Entry,
    Rival,
    Verdict,
    append_entry,
    champion_before,
    champion_of,
    decide,
    is_recorded,
    make_entry,
    put_aside,
    read_log,
)

OLD, NEW = Rival("aaaaaaaaaaaa", 0.7), Rival("bbbbbbbbbbbb", 0.712)


def entry(action: str, candidate: str, before: str | None, after: str | None, test: str = "t1") -> Entry:
    return Entry(
        "2026-01-02T03:04:05Z", action, candidate, before, after, 0.7, 0.7, 0.0, 0.005, test, "d", "c", "why", "Ada"
    )


def test_the_first_model_is_promoted():
    assert decide(NEW, None, 0.005, []) == ("promoted", "first model")


def test_a_gain_above_the_margin_promotes():
    action, reason = decide(NEW, OLD, 0.005, [])
    assert action == "promoted"
    assert reason == "macro F1 0.7120 is 0.0120 above the champion's 0.7000; more than the margin of 0.005"


@pytest.mark.parametrize(
    ("score", "words"),
    [(0.705, "0.0050 above"), (0.7, "equal to"), (0.6, "0.1000 below")],
)
def test_no_more_than_the_margin_rejects(score: float, words: str):
    action, reason = decide(replace(NEW, macro_f1=score), OLD, 0.005, [])
    assert action == "rejected"
    assert words in reason


def test_the_same_model_is_unchanged_and_never_recorded():
    assert decide(OLD, OLD, 0.0, [])[0] == "unchanged"
    verdict = Verdict("unchanged", "", OLD.version, OLD.version, OLD.version)
    assert is_recorded([], verdict, "t1")


def test_a_champion_that_cannot_be_used_any_more_is_replaced():
    stale = Rival("aaaaaaaaaaaa", None, "it was saved in an earlier format")
    action, reason = decide(NEW, stale, 0.005, [])
    assert action == "promoted"
    assert "saved in an earlier format" in reason


def test_a_test_side_without_any_label_is_an_error():
    with pytest.raises(TrackingError, match=r"macro F1 is not defined.*test_share"):
        decide(replace(NEW, macro_f1=None), OLD, 0.005, [])


def test_a_candidate_that_was_rolled_back_stays_out_until_taken_back():
    log = [entry("promoted", "b", "a", "b"), entry("rollback", "a", "b", "a")]
    assert put_aside(log, "b") == log[1]
    action, reason = decide(Rival("b", 0.9), Rival("a", 0.1), 0.005, log)
    assert action == "rejected"
    assert reason == "it was rolled back on 2026-01-02 by Ada, and stays out until it changes"
    assert decide(Rival("c", 0.9), Rival("a", 0.1), 0.005, log)[0] == "promoted"
    again = [*log, entry("manual promotion", "b", "a", "b")]
    assert put_aside(again, "b") is None
    assert put_aside(again, "a") == again[2]


def test_a_model_replaced_by_a_better_one_is_not_put_aside():
    assert put_aside([entry("promoted", "a", None, "a"), entry("promoted", "b", "a", "b")], "a") is None


def test_a_rejection_is_recorded_once_for_the_same_models_and_test_side():
    log = [entry("promoted", "a", None, "a"), entry("rejected", "b", "a", "a")]
    rejected = Verdict("rejected", "", "b", "a", "a")
    assert is_recorded(log, rejected, "t1")
    assert not is_recorded(log, rejected, "t2")
    assert not is_recorded(log, replace(rejected, candidate="c"), "t1")
    assert not is_recorded(log, replace(rejected, action="promoted"), "t1")


def test_each_rollback_goes_one_step_further_back():
    log = [entry("promoted", name, None, name) for name in "abc"]
    log.insert(2, entry("rejected", "x", "b", "b"))
    assert (champion_of(log), champion_before(log)) == ("c", "b")
    log.append(entry("rollback", "b", "c", "b"))
    assert (champion_of(log), champion_before(log)) == ("b", "a")
    log.append(entry("rollback", "a", "b", "a"))
    assert (champion_of(log), champion_before(log)) == ("a", None)
    assert (champion_of([]), champion_before([])) == (None, None)


def test_the_log_round_trips_and_grows_by_one_line(tmp_path: Path):
    path = tmp_path / "models" / "promotions.jsonl"
    assert read_log(path) == []
    first, second = entry("promoted", "a", None, "a"), entry("rejected", "b", "a", "a")
    append_entry(path, first)
    before = path.read_bytes()
    path.write_bytes(before.rstrip(b"\n"))  # as an editor may leave it
    append_entry(path, second)
    assert path.read_bytes().startswith(before)
    assert read_log(path) == [first, second]
    assert [item.name for item in path.parent.iterdir()] == ["promotions.jsonl"]


def test_an_entry_tells_when_who_and_how_much():
    verdict = Verdict("promoted", "why", "b", "a", "b", 0.71239, 0.7)
    made = make_entry(verdict, margin=0.005, test_sha256="t", train_sha256="d", git_commit="c", by="Ada")
    assert made.difference == 0.0124
    assert made.at.endswith("Z")
    assert len(made.at) == 20


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{", "not valid JSON"),
        ("[]", "found list, expected one JSON object"),
        ("<<<<<<< HEAD", "not valid JSON"),
        ({"at": None}, "'at' is None"),
        ({"difference": "much"}, "'difference' is 'much'"),
        ({"action": "unchanged"}, "found action 'unchanged'"),
        ({"by": ...}, "'by' is missing"),
    ],
)
def test_a_damaged_line_is_named(tmp_path: Path, line: str | dict[str, object], what: str):
    good = asdict(entry("promoted", "a", None, "a"))
    if isinstance(line, dict):
        line = json.dumps({name: value for name, value in {**good, **line}.items() if value is not ...})
    path = tmp_path / "promotions.jsonl"
    path.write_text(json.dumps(good) + "\n" + line + "\n", encoding="utf-8")
    with pytest.raises(TrackingError) as caught:
        read_log(path)
    assert str(caught.value).startswith(f"{path}:2: damaged ({what}")
    assert "git checkout" in str(caught.value)


def test_summaries_name_the_model_and_the_reason():
    verdict = Verdict("rejected", "it is worse", "b", "a", "a", run_id="r1", number=4)
    assert verdict.summary() == (
        "Model b does not become champion: it is worse.\nChampion a, version 4 in the MLflow registry, run r1."
    )
    assert Verdict("promoted", "first model", "b", None, "b").summary() == ("Model b is the new champion: first model.")
