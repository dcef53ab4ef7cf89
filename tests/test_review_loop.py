"""A queue out, answers back in, and what training makes of them."""

import json
import signal
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from pipeline.cli import main
from pipeline.dataset import build_dataset, load_side, load_summary
from pipeline.errors import DataError, UsageError
from pipeline.labels import LABELS
from pipeline.model_folder import load_model
from pipeline.review.events import read_events
from pipeline.review.exporting import export_answered, export_conflicts
from pipeline.review.findings import load_findings
from tests.conftest import PROJECT
from tests.reviews import SIZE, Desk, annotation, answered, export_of, read_rows, write_rows

SUFFIXES = ("csv", "jsonl", "xlsx", "json")


@pytest.fixture
def desk(tmp_path, findings, model):
    return Desk(tmp_path, findings, model)


@pytest.fixture
def queue(desk):
    """The rows of an exported queue, nothing answered."""
    desk.export("queue.jsonl")
    return read_rows(desk.folder / "queue.jsonl")


def answer_some(desk, queue, name="queue.jsonl", labels=("strength",), count=4):
    rows = [answered(row, labels, "'=a remark") if n < count else row for n, row in enumerate(queue)]
    return write_rows(desk.folder / name, rows)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_unanswered_file_changes_nothing(desk, suffix):
    report = desk.export(f"queue.{suffix}")
    first = [path.read_bytes() for path in report.written]
    assert sum(report.counts.values()) == SIZE
    assert desk.take_in(f"queue.{suffix}").added == {}
    assert desk.stored() == {}
    assert [path.read_bytes() for path in desk.export(f"queue.{suffix}").written] == first


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_answers_come_back_as_given_and_a_second_import_adds_nothing(desk, queue, suffix):
    answer_some(desk, queue)
    report = desk.take_in("queue.jsonl")
    assert (report.added, report.known) == ({"anna": 4}, 0)
    stored = desk.stored()
    assert desk.take_in("queue.jsonl").known == 4
    export_answered(desk.findings, desk.folder / f"mine.{suffix}", labels=desk.labels, reviewer="anna")
    first = (desk.folder / f"mine.{suffix}").read_bytes()
    again = desk.take_in(f"mine.{suffix}")
    assert (again.added, again.known, desk.stored()) == ({}, 4, stored)
    export_answered(desk.findings, desk.folder / f"mine.{suffix}", labels=desk.labels, reviewer="anna")
    assert (desk.folder / f"mine.{suffix}").read_bytes() == first
    if suffix == "jsonl":
        columns = ("id", "text", *LABELS, "comment", "model_version")
        mine = [{name: row[name] for name in columns} for row in read_rows(desk.folder / "mine.jsonl")]
        given = [row for row in read_rows(desk.folder / "queue.jsonl") if row["strength"]]
        assert mine == [{name: row[name] for name in columns} for row in given]


def test_an_event_says_all_there_is_to_know(desk, queue):
    answer_some(desk, queue, count=1)
    desk.take_in("queue.jsonl")
    (event,) = read_events(desk.labels)
    row = load_findings(desk.findings).set_index("key").loc[event.key]
    assert (event.report_id, event.text, event.labels) == (row["report_id"], queue[0]["text"], "strength")
    assert (event.reviewer, event.previous, event.comment) == ("anna", None, "'=a remark")
    assert event.model_version == load_model(desk.model).version
    answer_some(desk, queue, labels=("weakness",), count=1)
    report = desk.take_in("queue.jsonl")
    assert (report.changed, read_events(desk.labels)[-1].previous) == (1, "strength")


def test_a_file_that_was_taken_in_before_does_not_bring_back_old_answers(desk, queue):
    answer_some(desk, queue, "first.jsonl", count=1)
    answer_some(desk, queue, "second.jsonl", ("weakness",), count=1)
    for name in ("first.jsonl", "second.jsonl", "first.jsonl"):
        desk.take_in(name)
    assert [event.labels for event in read_events(desk.labels)] == ["strength", "weakness"]


def test_answered_sentences_leave_the_queue_and_other_labels_too(desk, queue):
    answer_some(desk, queue)
    desk.take_in("queue.jsonl")
    lines = [{"report": "x", "text": queue[6]["text"], "labels": "N"}]
    write_rows(desk.labels / "more.jsonl", lines)
    desk.export("next.jsonl")
    texts = {row["text"] for row in read_rows(desk.folder / "next.jsonl")}
    assert not texts & {row["text"] for row in [*queue[:4], queue[6]]}


def test_a_blind_file_hides_the_model_and_leads_back_all_the_same(desk):
    desk.export("queue.jsonl", blind=True)
    rows = read_rows(desk.folder / "queue.jsonl")
    assert not {"why", "model_labels", "p_strength", "model_version"} & set(rows[0])
    answer_some(desk, rows, count=SIZE)
    desk.take_in("queue.jsonl")
    events = read_events(desk.labels)
    assert {event.model_version for event in events} == {None}
    assert {event.pool for event in events} == {"natural", "rare", "uncertain"}


def test_labels_can_be_shared_without_text(desk, queue):
    answer_some(desk, queue)
    desk.take_in("queue.jsonl", keep_text=False)
    assert {(event.text, event.before) for event in read_events(desk.labels)} == {(None, None)}
    (content,) = desk.stored().values()
    assert queue[0]["text"][:30].encode() not in content


def test_sentences_that_are_gone(desk, queue, tmp_path):
    answer_some(desk, queue)
    rows = pd.read_parquet(desk.findings)
    other = tmp_path / "other.parquet"
    rows[rows["text"] != queue[1]["text"]].to_parquet(other)
    desk.findings = other
    with pytest.raises(DataError, match="line 2: no sentence s.* any more .*--findings, or .* --skip-gone"):
        desk.take_in("queue.jsonl")
    assert desk.stored() == {}
    report = desk.take_in("queue.jsonl", skip_gone=True)
    assert (report.added, report.gone) == ({"anna": 3}, 1)


def test_a_text_that_is_not_the_sentence(desk, queue):
    rows = [answered(row) for row in queue]
    rows[0]["text"], rows[1]["text"] = rows[1]["text"], rows[0]["text"]
    write_rows(desk.folder / "queue.jsonl", rows)
    with pytest.raises(DataError, match="^2 problem.*\n.*line 1: its text .* is not the sentence of id s"):
        desk.take_in("queue.jsonl")
    assert desk.stored() == {}


def test_all_that_is_wrong_is_said_at_once(desk, queue):
    rows = [answered(row) for row in queue[:4]]
    rows[0]["strength"] = "maybe"
    rows[1]["id"] = "s0"
    rows[2]["text"] = "Edited."
    write_rows(desk.folder / "queue.jsonl", rows)
    with pytest.raises(DataError, match="^3 problem") as caught:
        desk.take_in("queue.jsonl")
    for place, reason in (("line 1", "found 'maybe'"), ("line 2", "no sentence s0"), ("line 3", "its text")):
        assert f"{place}: " in str(caught.value)
        assert reason in str(caught.value)
    assert desk.stored() == {}


def test_contradictory_answers_in_one_file(desk, queue):
    rows = [answered(queue[0], ("strength",)), answered(queue[1]), answered(queue[0])]
    write_rows(desk.folder / "queue.jsonl", rows)
    with pytest.raises(DataError, match="one sentence, two answers of anna: strength at line 1 but none at line 3"):
        desk.take_in("queue.jsonl")
    write_rows(desk.folder / "queue.jsonl", [*rows[:2], rows[0]])
    assert desk.take_in("queue.jsonl").added == {"anna": 2}


def test_an_import_that_is_killed_leaves_nothing(desk, queue):
    answer_some(desk, queue)
    desk.take_in("queue.jsonl")
    before = desk.stored()
    answer_some(desk, queue, "more.jsonl", ("commitment",), SIZE)
    # Killed where it hurts most: when all is written, and not yet renamed.
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from pipeline.review.importing import import_answers\n"
        "Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "import_answers(Path(sys.argv[1]), ['anna'], findings=Path(sys.argv[2]), labels=Path(sys.argv[3]))"
    )
    arguments = [desk.folder / "more.jsonl", desk.findings, desk.labels]
    done = subprocess.run([sys.executable, "-c", code, *map(str, arguments)], cwd=PROJECT, check=False)
    assert done.returncode == -signal.SIGKILL
    left = {name: content for name, content in desk.stored().items() if not name.startswith(".")}
    assert left == before
    assert len(read_events(desk.labels)) == 4
    assert desk.take_in("more.jsonl").added == {"anna": SIZE}


def test_two_imports_at_once_lose_nothing(desk, queue):
    """The same answers of two people, twice each, from four processes: every answer is in, once."""
    answer_some(desk, queue)
    code = (
        "import sys; from pathlib import Path; from pipeline.review.importing import import_answers; "
        "import_answers(Path(sys.argv[1]), [sys.argv[2]], findings=Path(sys.argv[3]), labels=Path(sys.argv[4]))"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(desk.folder / "queue.jsonl"), who, str(desk.findings), str(desk.labels)],
            cwd=PROJECT,
        )
        for who in ("anna", "ben", "anna", "ben")
    ]
    assert [process.wait(timeout=300) for process in running] == [0, 0, 0, 0]
    events = read_events(desk.labels)
    assert len({(one.reviewer, one.place) for one in events}) == len(events) == 8
    assert not (desk.labels / ".lock").exists()


def test_annotators_of_label_studio(desk):
    desk.export("tasks.json")
    tasks = json.loads((desk.folder / "tasks.json").read_text(encoding="utf-8"))
    given = [
        [annotation(["strength"]), annotation(["strength"], who=2)],
        [annotation(["none"]), annotation(["weakness"], who=2)],
    ]
    export = export_of(tasks, given + [[]] * (SIZE - 2))
    (desk.folder / "export.json").write_text(json.dumps(export), encoding="utf-8")
    with pytest.raises(UsageError, match="answers of 2 annotators; name each: --reviewer 1=NAME --reviewer 2=NAME"):
        desk.take_in("export.json")
    with pytest.raises(UsageError, match="nobody named for annotator '2'"):
        desk.take_in("export.json", ["1=anna"])
    with pytest.raises(UsageError, match="two annotators have the same name"):
        desk.take_in("export.json", ["1=anna", "2=anna"])
    with pytest.raises(UsageError, match="give one NAME"):
        desk.take_in("export.json", ["anna", "2=ben"])
    report = desk.take_in("export.json", ["1=anna", "2=ben"])
    assert (report.added, report.disagreeing) == ({"anna": 2, "ben": 2}, 1)
    assert len(desk.stored()) == 1


def test_disagreements_are_settled(desk, queue):
    answer_some(desk, queue)
    desk.take_in("queue.jsonl")
    answer_some(desk, queue, "ben.jsonl", ("weakness",), 2)
    assert desk.take_in("ben.jsonl", ["ben"]).disagreeing == 2
    report = export_conflicts(desk.findings, desk.folder / "open.jsonl", labels=desk.labels)
    assert sum(report.counts.values()) == 2
    rows = read_rows(desk.folder / "open.jsonl")
    assert rows[0]["why"] == "anna: strength ('=a remark) | ben: weakness ('=a remark)"
    assert {row[label] for row in rows for label in LABELS} == {None}
    write_rows(desk.folder / "open.jsonl", [answered(row, ("commitment",)) for row in rows])
    assert desk.take_in("open.jsonl", ["judy"], settles=True).disagreeing == 0
    assert read_events(desk.labels)[-1].previous is None
    assert not export_conflicts(desk.findings, desk.folder / "open.jsonl", labels=desk.labels).counts


def test_findings_of_another_model_and_nothing_answered(desk):
    with pytest.raises(UsageError, match="made by model .* whose thresholds may differ"):
        desk.model = PROJECT / "models" / "champion"
        desk.export("queue.csv")
    with pytest.raises(UsageError, match="'eve' has answered nothing"):
        export_answered(desk.findings, desk.folder / "a.csv", labels=desk.labels, reviewer="eve")


def test_the_candidate_is_compared_where_it_is_another_model(desk):
    notes = desk.export("a.csv", candidate=desk.model).notes
    assert "is the model that made the findings" in notes[0]
    report = desk.export("a.csv", candidate=PROJECT / "models" / "champion")
    assert (report.counts["disagreement"], report.notes) == (SIZE // 4, ())


def test_training_takes_answers_before_other_labels_and_holds_disagreements_back(desk, queue, params, store):
    rows = load_findings(desk.findings).drop_duplicates("key").set_index("text").loc[[row["text"] for row in queue]]
    lines = [{"report_id": row.document, "key": row.key, "labels": "W"} for row in rows.head(6).itertuples()]
    lines += [{"report": f"other-{n}", "text": f"Sentence number {n}.", "labels": "N"} for n in range(20)]
    answer_some(desk, queue)
    desk.take_in("queue.jsonl")
    answer_some(desk, queue, "ben.jsonl", (), 1)
    desk.take_in("ben.jsonl", ["ben"])
    write_rows(desk.labels / "labels.jsonl", lines)
    found = build_dataset(params, desk.labels, store, desk.folder / "dataset")
    assert (found.reviewed, found.held_back) == (3, 1)
    assert "reviewed: 3 sentences; 1 held back" in found.summary()
    assert load_summary(desk.folder / "dataset")["held_back"] == 1
    table = pd.concat([load_side(desk.folder / "dataset", side) for side in ("train", "test")]).set_index("text")
    assert queue[0]["text"] not in table.index
    labels = {row["text"]: [label for label in LABELS if table.loc[row["text"], label]] for row in queue[1:6]}
    assert list(labels.values()) == [["strength"]] * 3 + [["weakness"]] * 2
    assert set(table.loc[[row["text"] for row in queue[1:4]], "pool"]) <= {"natural", "rare", "uncertain"}
    assert table.loc[queue[1]["text"], "before"] == queue[1]["before"]


def test_answers_alone_are_enough_for_a_dataset(desk, queue, params, store):
    answer_some(desk, queue, count=SIZE)
    desk.take_in("queue.jsonl")
    half = replace(params, dataset=replace(params.dataset, test_share=0.5))
    found = build_dataset(half, desk.labels, store, desk.folder / "dataset")
    assert found.train["sentences"] + found.test["sentences"] + found.left_out == SIZE


def test_the_commands(desk, capsys, monkeypatch):
    monkeypatch.chdir(desk.folder)
    common = ["--findings", str(desk.findings), "--labels", "labels"]
    assert main(["review", "export", "--output", "q.jsonl", "--size", "5", "--model", str(desk.model), *common]) == 0
    assert "5 sentence(s) written to q.jsonl" in capsys.readouterr().out
    write_rows(desk.folder / "q.jsonl", [answered(row) for row in read_rows(desk.folder / "q.jsonl")])
    assert main(["review", "import", "q.jsonl", "--reviewer", "anna", *common]) == 0
    assert "5 answer(s) added (5 of anna) to labels" in capsys.readouterr().out
    assert main(["review", "conflicts", "--output", "c.csv", *common]) == 0
    assert "0 in disagreement" in capsys.readouterr().out
    assert main(["review", "export", "--output", "m.csv", "--answered-by", "anna", *common]) == 0
    assert main(["review", "import", "q.jsonl", "--reviewer", "a/b", *common]) == 2
    assert main(["review", "export", "--output", "q.docx", *common]) == 2
