"""A month in the life, as docs/tutorial.md tells it: new reports, a review, a verdict, and the way back."""

import json
import shutil
import sys

import pytest

from pipeline.labels import LABELS
from pipeline.sentences import sentence_key
from tests.repro import PROJECT, copy_project, git, repro, run, stages_run
from tests.reviews import answered, read_rows, write_rows

SAMPLES = ("redmere-2024-minutes.txt", "westhollow-2023-focused-visit.pdf", "penhollow-2024-news.html")
CORPUS = ("authored-ilacs-and-statements.jsonl", "authored-ilacs-focused-monitoring.jsonl")
# They come in the course of the month; what people say of them stands in label files that the copy lacks.
NEW_REPORTS = ("wyvernstoke-2025-inspection.pdf", "stennick-2014-inspection.pdf")
ANSWERS = ("authored-ilacs-2021-2025.jsonl", "authored-sif-and-minutes.jsonl")
SIZE = 40


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
    folder = tmp_path / "my project"
    copy_project(folder, CORPUS, SAMPLES)
    repro(folder)
    commit(folder, "first champion")
    first = champion(folder)
    assert [verdict["action"] for verdict in verdicts(folder)] == ["promoted"]

    # New reports arrive.
    for name in NEW_REPORTS:
        shutil.copyfile(PROJECT / "data" / "samples" / name, folder / "data" / "reports" / name)
    output = repro(folder)
    assert "2 new, 3 reused, 0 removed" in output
    assert stages_run(output)[-2:] == ["classify", "track"]
    drift = json.loads((folder / "data" / "findings" / "drift.json").read_text(encoding="utf-8"))
    assert drift["sentences"]["inspection_report"] > 150
    commit(folder, "October: two reports")
    assert drift["warnings"] == []

    # People judge some of their sentences.
    queue = folder / "queue.jsonl"
    told = findings(folder, "review", "export", "--output", queue.name, "--size", str(SIZE))
    count = answer(queue)
    assert 20 <= count <= SIZE, told
    assert f"{count} answer(s) added" in findings(folder, "review", "import", queue.name, "--reviewer", "anna")
    queue.unlink()
    history = reviewed(folder)
    assert len(history) == count
    before = len(verdicts(folder))

    # Training takes the answers, and the verdict is written down.
    output = repro(folder)
    # New labels bring new altered copies, which the encoder reads.
    assert stages_run(output)[:4] == ["dataset", "soft_labels", "learning_curve", "train"]
    assert f"reviewed: {count} sentences; 0 held back" in output
    judged = verdicts(folder)
    assert len(judged) == before + 1
    candidate = judged[-1]["candidate"]
    assert judged[-1]["action"] in ("promoted", "rejected")
    assert reviewed(folder) == history
    shown = run(folder, sys.executable, "-m", "dvc", "metrics", "diff")
    assert shown.returncode == 0, shown.stderr
    assert "macro_f1" in shown.stdout
    commit(folder, "October: anna's answers")

    # A person may overrule it, and take that back.
    assert candidate in findings(folder, "registry", "list")
    held = champion(folder)
    other = first if held == candidate else candidate
    findings(folder, "registry", "promote", other)
    assert champion(folder) == other
    findings(folder, "registry", "rollback")
    assert champion(folder) == held
    assert [verdict["action"] for verdict in verdicts(folder)[-2:]] == ["manual promotion", "rollback"]
    assert verdicts(folder)[: len(judged)] == judged
    assert reviewed(folder) == history
    assert git(folder, "status", "--porcelain").split() == ["M", "models/promotions.jsonl"]
