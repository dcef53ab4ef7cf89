"""The log of verdicts, and what follows from it."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.promotion_log import (
    NEW_TEST_SIDE,
    PROMOTIONS,
    Entry,
    append_entry,
    champion_before,
    champion_of,
    put_aside,
    read_log,
)
from tests.conftest import PROJECT


def entry(action: str, candidate: str, before: str | None, after: str | None, test: str = "t1") -> Entry:
    return Entry(
        "2026-01-02T03:04:05Z", action, candidate, before, after, 0.7, 0.7, 0.0, 0.005, test, "d", "c", "why", "Ada"
    )


def test_what_was_taken_out_by_hand_is_put_aside_until_it_comes_back():
    log = [entry("promoted", "b", "a", "b"), entry("rollback", "a", "b", "a")]
    assert put_aside(log, "b") == log[1]
    again = [*log, entry("manual promotion", "b", "a", "b")]
    assert put_aside(again, "b") is None
    assert put_aside(again, "a") == again[2]


def test_a_model_replaced_by_a_better_one_is_not_put_aside():
    assert put_aside([entry("promoted", "a", None, "a"), entry("promoted", "b", "a", "b")], "a") is None


def test_each_rollback_goes_one_step_further_back():
    log = [entry("promoted", name, None, name) for name in "abc"]
    log.insert(2, entry("rejected", "x", "b", "b"))
    log.append(entry(NEW_TEST_SIDE, "c", "c", "c"))
    assert (champion_of(log), champion_before(log)) == ("c", "b")
    log.append(entry("rollback", "b", "c", "b"))
    assert (champion_of(log), champion_before(log)) == ("b", "a")
    log.append(entry("rollback", "a", "b", "a"))
    assert (champion_of(log), champion_before(log)) == ("a", None)
    assert (champion_of([]), champion_before([])) == (None, None)


def test_the_log_round_trips_and_grows_by_one_line(tmp_path: Path):
    path = tmp_path / "models" / "promotions.jsonl"
    assert read_log(path) == []
    change = {"candidate": 0.7, "champion": 0.6, "difference": 0.1, "low": 0.05, "high": 1}
    first = entry("promoted", "a", None, "a")
    second = replace(
        entry("rejected", "b", "a", "a"),
        git_dirty=False,
        lock_sha256="l",
        test_sentences=3,
        test_documents=2,
        comparison={"macro_f1": change},
        settings={"margin": 0.005},
    )
    append_entry(path, first)
    before = path.read_bytes()
    path.write_bytes(before.rstrip(b"\n"))  # as an editor may leave it
    append_entry(path, second)
    assert path.read_bytes().startswith(before)
    assert read_log(path) == [first, second]
    assert [item.name for item in path.parent.iterdir()] == ["promotions.jsonl"]


def test_a_merge_of_two_branches_may_disorder_the_lines(tmp_path: Path):
    path = tmp_path / "promotions.jsonl"
    for day, candidate in (("01", "a"), ("03", "c"), ("02", "b")):
        append_entry(path, replace(entry("promoted", candidate, None, candidate), at=f"2026-01-{day}T00:00:00Z"))
    assert [one.candidate for one in read_log(path)] == ["a", "b", "c"]
    assert (champion_of(read_log(path)), champion_before(read_log(path))) == ("c", "b")


def test_lines_of_earlier_releases_are_read(tmp_path: Path):
    new = entry("promoted", "a", None, "a")
    old = {name: value for name, value in asdict(new).items() if value is not None or name == "champion_before"}
    assert list(old)[-1] == "by"
    path = tmp_path / "promotions.jsonl"
    path.write_text(json.dumps(old) + "\n", encoding="utf-8")
    assert read_log(path) == [new]
    assert read_log(path)[0].comparison is None
    assert read_log(PROJECT / PROMOTIONS)


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
        ({"git_dirty": 1}, "'git_dirty' is 1"),
        ({"test_sentences": "3"}, "'test_sentences' is '3'"),
        ({"settings": []}, "'settings' is []"),
        ({"comparison": {"macro_f1": {"low": 0.1}}}, "'comparison' is {'macro_f1': {'low': 0.1}}"),
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
