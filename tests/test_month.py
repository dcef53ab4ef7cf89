"""A month in the life, as docs/tutorial.md tells it: new reports, a review, a verdict, and the way back."""

import json
import shutil
import sys

import pytest

from pipeline.labels import LABELS
from pipeline.sentences import sentence_key
from tests.repro import PROJECT, STAGES, copy_project, git, repro, run, stages_run
from tests.reviews import answered, read_rows, write_rows

SAMPLES = (
    "brackenshaw-2019-inspection.pdf",
    "larkstile-house-2023-childrens-home.pdf",
    "redmere-2024-minutes.txt",
    "westhollow-2023-focused-visit.pdf",
)
CORPUS = ("authored-other-inspectorates.jsonl", "authored-ilacs-focused-monitoring.jsonl")
# They come in the course of the month; what people say of them stands in label files that the copy lacks.
NEW_REPORTS = (
    "marlbeck-2025-statement.html",
    "pellbridge-2022-inspection.pdf",
    "penhollow-2024-news.html",
    "silverholt-2024-action-plan.docx",
    "stennick-2014-inspection.pdf",
    "thornhaven-2018-inspection.pdf",
    "thornhaven-2018-statement.docx",
    "wyvernstoke-2025-inspection.pdf",
)
ANSWERS = (
    "authored-ilacs-2021-2025.jsonl",
    "authored-ilacs-and-statements.jsonl",
    "authored-sif-and-minutes.jsonl",
    "authored-statements-news-plans.jsonl",
)
SIZE = 60


def findings(folder, *arguments):
    done = run(folder, sys.executable, "-m", "pipeline", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def commit(folder, message):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)


def verdicts(folder):
    return read_rows(folder / "models" / "promotions.jsonl")


def champion(folder):
    return json.loads((folder / "models" / "champion" / "config.json").read_text(encoding="utf-8"))["version"]


def reviewed(folder):
    """The label history: every line ever written."""
    return [line for path in sorted((folder / "data" / "labels" / "reviewed").glob("*")) for line in read_lines(path)]


def read_lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def answer(queue):
    """Answer a queue as the authors of the corpus would; what they never judged stays open."""
    known = {
        sentence_key(row["text"]): tuple(label for label in LABELS if label in row["labels"])
        for name in ANSWERS
        for row in read_rows(PROJECT / "data" / "labels" / name)
    }
    rows = [(row, known.get(sentence_key(row["text"]))) for row in read_rows(queue)]
    write_rows(queue, [row if labels is None else answered(row, labels) for row, labels in rows])
    return sum(labels is not None for _, labels in rows)


@pytest.mark.slow
def test_a_month(tmp_path):
    folder, inbox, october = tmp_path / "my project", tmp_path / "inbox", tmp_path / "october"
    copy_project(folder, CORPUS, SAMPLES, models=True)
    shipped, log = champion(folder), verdicts(folder)
    repro(folder)
    # Few labels make no model that beats the shipped one.
    assert champion(folder) == shipped
    assert verdicts(folder)[: len(log)] == log
    # The champion is scored on this test side first, which is not the one that it came with.
    added = verdicts(folder)[len(log) :]
    assert [(verdict["action"], verdict["champion_after"]) for verdict in added] == [
        ("new test side", shipped),
        ("rejected", shipped),
    ]
    assert added[-1]["reason"]
    commit(folder, "September")
    log = verdicts(folder)

    # New reports arrive, and the champion labels them.
    inbox.mkdir()
    for name in NEW_REPORTS:
        shutil.copyfile(PROJECT / "data" / "samples" / name, inbox / name)
    told = findings(folder, "classify", str(inbox), "--output", str(october))
    assert "8 report(s)" in told
    drift = json.loads((october / "drift.json").read_text(encoding="utf-8"))
    assert drift["sentences"]["inspection_report"] > 300
    assert drift["warnings"] == []

    # People judge some of their sentences.
    queue, table = folder / "queue.jsonl", ("--findings", str(october / "findings.parquet"))
    told = findings(folder, "review", "export", "--output", queue.name, "--size", str(SIZE), *table)
    assert f"{SIZE} sentence(s) written" in told
    count = answer(queue)
    assert count >= 0.8 * SIZE, told
    assert f"{count} answer(s) added" in findings(folder, "review", "import", queue.name, "--reviewer", "anna", *table)
    queue.unlink()
    history = reviewed(folder)
    assert len(history) == count

    # Answers alone would leave the reading as it is.
    changed = run(folder, sys.executable, "-m", "dvc", "status", "--json")
    assert list(json.loads(changed.stdout)) == ["dataset"], changed.stdout + changed.stderr

    # Training takes the reports and the answers, and the verdict is written down.
    for path in inbox.iterdir():
        shutil.copyfile(path, folder / "data" / "reports" / path.name)
    output = repro(folder)
    assert stages_run(output) == list(STAGES)
    assert "8 new, 4 reused, 0 removed" in output
    assert f"reviewed: {count} sentences; 0 held back" in output
    drift = json.loads((folder / "data" / "findings" / "drift.json").read_text(encoding="utf-8"))
    assert drift["sentences"]["inspection_report"] > 400
    assert drift["warnings"] == []
    judged = verdicts(folder)
    assert judged[: len(log)] == log
    assert [verdict["action"] for verdict in judged[len(log) :]] == ["new test side", "rejected"]
    assert champion(folder) == shipped
    candidate = judged[-1]["candidate"]
    assert reviewed(folder) == history
    shown = run(folder, sys.executable, "-m", "dvc", "metrics", "diff")
    assert shown.returncode == 0, shown.stderr
    assert "macro_f1" in shown.stdout
    commit(folder, "October: eight reports, anna's answers")

    # A person may overrule it, and take that back.
    assert candidate in findings(folder, "registry", "list")
    findings(folder, "registry", "promote", candidate)
    assert champion(folder) == candidate
    assert reviewed(folder) == history
    findings(folder, "registry", "rollback")
    assert champion(folder) == shipped
    assert [verdict["action"] for verdict in verdicts(folder)[-2:]] == ["manual promotion", "rollback"]
    assert verdicts(folder)[: len(judged)] == judged
    assert reviewed(folder) == history
    assert git(folder, "status", "--porcelain").split() == ["M", "models/promotions.jsonl"]
