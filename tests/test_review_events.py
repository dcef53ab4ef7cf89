import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataError, UsageError
from pipeline.labels import LABELS
from pipeline.review.events import append_events, check_reviewer, read_events, resolve, reviewed_labels
from tests.reviews import event

AT = "2026-01-31T10:00:0{}.000+00:00"
NAMES = st.sampled_from(["anna", "ben"])


def test_what_is_appended_is_read_and_older_lines_stay(tmp_path):
    first = [event("One."), event("Two.", comment="=x “ü”\u2028")]
    path = append_events(first, tmp_path)
    assert path == tmp_path / "reviewed" / "anna-2026-01-31.jsonl"
    old = path.read_bytes()
    append_events([event("Three.", at=AT.format(5))], tmp_path)
    assert path.read_bytes().startswith(old)
    assert read_events(tmp_path) == [*first, event("Three.", at=AT.format(5))]
    assert [one.line for one in read_events(tmp_path)] == [1, 2, 3]


def test_a_line_without_its_end_is_not_run_into(tmp_path):
    path = append_events([event()], tmp_path)
    path.write_bytes(path.read_bytes().rstrip())
    append_events([event("Two.")], tmp_path)
    assert len(read_events(tmp_path)) == 2


def test_one_file_for_one_import_of_several(tmp_path):
    names = ("eve", "anna", "dan", "ben", "cleo")
    path = append_events([event(reviewer=name) for name in names], tmp_path)
    assert path.name == "anna+ben+cleo+2-more-2026-01-31.jsonl"


@given(st.lists(st.tuples(NAMES, st.sampled_from(["strength", "none"]), st.booleans()), min_size=1, max_size=6))
def test_the_latest_answer_of_each_counts_and_an_adjudicators_for_more(given_answers):
    events = [
        event(labels=labels, reviewer=name, settles=settles, at=AT.format(n))
        for n, (name, labels, settles) in enumerate(given_answers)
    ]
    ((_, found),) = resolve(events).items()
    settling = [labels for _, labels, settles in given_answers if settles]
    latest = {name: labels for name, labels, settles in given_answers if not settles}
    if settling:
        assert found.event.labels == settling[-1]
    elif len(set(latest.values())) == 1:
        assert found.event.labels == next(iter(latest.values()))
    else:
        assert found.event is None


def test_disagreements_are_held(tmp_path):
    append_events([event("One."), event("One.", labels="none", reviewer="ben"), event("Two.", "none")], tmp_path)
    rows = reviewed_labels(tmp_path)
    assert rows.set_index("text")["held"].to_dict() == {"One.": True, "Two.": False}
    assert rows.set_index("text").loc["Two.", [*LABELS, "annotator", "annotated", "pool"]].tolist() == [
        False,
        False,
        False,
        "anna",
        "2026-01-31",
        "natural",
    ]
    append_events([event("One.", "weakness", "judy", settles=True, at=AT.format(7))], tmp_path)
    one = reviewed_labels(tmp_path).set_index("text").loc["One."]
    assert (one["held"], one["weakness"], one["annotator"]) == (False, True, "anna; ben; judy")
    assert reviewed_labels(tmp_path / "none").empty


def test_wrong_lines_are_listed(tmp_path):
    path = append_events([event()], tmp_path)
    whole = json.loads(path.read_text(encoding="utf-8"))
    wrong = [
        "{",
        "[]",
        json.dumps({"text": "Plans.", "labels": "S"}),
        json.dumps({**whole, "labels": "strenght"}),
        json.dumps({**whole, "at": "yesterday"}),
        json.dumps({**whole, "settles": "yes"}),
        json.dumps({**whole, "comment": 3}),
    ]
    path.write_text("\n".join([json.dumps(whole), *wrong]), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_events(tmp_path)
    for number, part in enumerate(
        (
            "not valid JSON",
            "found list",
            "no key, loose_key",
            "found label 'strenght'",
            "at: found 'yesterday', expected a time",
            "settles: found 'yes'",
            "comment: found 3",
        ),
        start=2,
    ):
        assert f"{path}:{number}: {part}" in str(caught.value)


@pytest.mark.parametrize("name", ["", "../x", "a/b", "a b", "-x", "a+b", "x" * 41, "a=b"])
def test_names_that_are_no_file_names(name):
    with pytest.raises(UsageError, match="accepted: up to 40 letters"):
        check_reviewer(name)
    assert check_reviewer("b.jones-2_ü")


def test_an_event_without_text_knows_its_place():
    assert replace(event(), text=None).place == event().place
    assert event(report_id=None, report="r").place[0] == "r"
