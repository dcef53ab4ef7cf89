"""Exit codes and messages, in process; what each command does is tested with its module."""

import json
import shutil
import subprocess
import sys

import pandas as pd
import pytest

from pipeline.cli import main
from tests.conftest import PROJECT

HEAVY = {"sklearn", "pandas", "mlflow", "dvc", "pypdfium2", "nltk", "scipy", "matplotlib", "docx", "trafilatura"}


def failed(capsys, *arguments):
    """Run a command that must fail; return its exit code and its one message."""
    code = main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    assert "Traceback" not in captured.err
    return code, captured.err


@pytest.fixture
def project(tmp_path, monkeypatch, samples):
    """An empty project folder with the shipped settings and one document, as working folder."""
    shutil.copy(PROJECT / "params.yaml", tmp_path)
    (tmp_path / "data" / "samples").mkdir(parents=True)
    shutil.copy(samples / "redmere-2024-minutes.txt", tmp_path / "data" / "samples")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_help_and_version_load_nothing_heavy():
    code = (
        "import sys; from pipeline.cli import main; codes = [main(['--help']), main(['--version']),"
        f" main(['classify', '--help'])]; sys.exit(codes != [0, 0, 0] or bool({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "findings 0." in done.stdout


def test_classify_loads_nothing_that_it_does_not_need(model, samples, tmp_path):
    arguments = [
        "classify",
        str(samples / "redmere-2024-minutes.txt"),
        "--output",
        str(tmp_path),
        "--model",
        str(model),
    ]
    code = (
        f"import sys; from pipeline.cli import main; code = main({arguments!r});"
        " sys.exit(code or bool({'mlflow', 'dvc', 'sklearn', 'pandas', 'pipeline.params'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_command_shows_the_help(capsys):
    assert main([]) in (0, 2)
    assert "Usage: findings" in "".join(capsys.readouterr())


@pytest.mark.parametrize(
    "arguments",
    [
        ["clasify"],
        ["classify"],
        ["classify", "x"],
        ["classify", "x", "--output", "y", "--format", "docx"],
        ["classify", "x", "--output", "y", "--time-limit", "0"],
        ["ui", "--port", "0"],
    ],
)
def test_wrong_usage(capsys, arguments):
    code, message = failed(capsys, *arguments)
    assert code == 2
    assert "Error" in message


def test_a_path_that_is_not_there(capsys, tmp_path, model):
    code, message = failed(capsys, "classify", tmp_path / "none", "--output", tmp_path / "out", "--model", model)
    assert code == 2
    assert message.startswith(f"Error: {tmp_path / 'none'}: no such file or folder")


def test_a_model_that_is_not_there(capsys, samples, tmp_path):
    code, message = failed(capsys, "classify", samples, "--output", tmp_path / "out", "--model", tmp_path / "none")
    assert code == 1
    assert "no such model folder; name another folder with --model, or retrain with `dvc repro`" in message
    assert not (tmp_path / "out").exists()


def test_classify_tells_what_it_wrote(capsys, samples, tmp_path, model):
    arguments = ["classify", samples / "redmere-2024-minutes.txt", "--output", tmp_path, "--model", model, "--no-html"]
    assert main([str(argument) for argument in [*arguments, "--format", "jsonl"]]) == 0
    out = capsys.readouterr().out
    assert "1 report" in out
    assert "findings.jsonl" in out
    rows = (tmp_path / "findings.jsonl").read_text(encoding="utf-8").splitlines()
    assert f"{len(rows)} sentences" in out


def test_some_documents_failed(capsys, samples, tmp_path, model):
    documents = tmp_path / "documents"
    documents.mkdir()
    shutil.copy(samples / "redmere-2024-minutes.txt", documents)
    (documents / "broken.pdf").write_bytes(b"<!DOCTYPE html><html><body>Not found</body></html>")
    code = main(["classify", str(documents), "--output", str(tmp_path / "out"), "--model", str(model)])
    assert code == 3
    assert "1 could not be read: see failures.csv" in capsys.readouterr().out
    failures = pd.read_csv(tmp_path / "out" / "failures.csv")
    assert failures.to_dict("records") == [{"file": "broken.pdf", "reason": "HTML page named .pdf"}]


def test_stages_in_turn(capsys, project, small_labels):
    shutil.copytree(small_labels, project / "data" / "labels")
    shutil.copytree(PROJECT / "models" / "encoder", project / "models" / "encoder")
    assert main(["extract"]) == 0
    assert "1 new, 0 reused, 0 removed" in capsys.readouterr().out
    assert main(["dataset"]) == 0
    assert "train: " in capsys.readouterr().out
    assert main(["soft-labels"]) == 0
    assert "sentences and copies read by the encoder, 0 read before" in capsys.readouterr().out
    assert main(["train"]) == 0
    assert "out-of-fold macro F1" in capsys.readouterr().out
    assert main(["evaluate"]) == 0
    assert "macro f1" in capsys.readouterr().out
    assert main(["evaluate", "--data", "data/labels/authored-ilacs-and-statements.jsonl", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sentences"] > 100


def test_stages_out_of_turn(capsys, project):
    code, message = failed(capsys, "train")
    assert code == 1
    assert "data/dataset/train.parquet: not there; run `dvc repro dataset` first." in message
    code, message = failed(capsys, "evaluate")
    assert code == 1
    assert "models/candidate: no such model folder" in message


def test_a_stage_outside_a_project(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, message = failed(capsys, "dataset")
    assert code == 1
    assert "params.yaml: cannot be read" in message
    assert "Run the command in the project folder" in message


def test_train_splitter_gives_the_shipped_bytes(capsys, project):
    code, message = failed(capsys, "train-splitter")
    assert (code, "no authored-*.jsonl there" in message) == (1, True)
    (project / "data" / "labels").mkdir()
    for path in (PROJECT / "data" / "labels").glob("authored-*.jsonl"):
        shutil.copy(path, project / "data" / "labels")
    assert main(["train-splitter", "--output", "punkt.json"]) == 0
    assert "Written to punkt.json." in capsys.readouterr().out
    assert (project / "punkt.json").read_bytes() == (PROJECT / "pipeline" / "punkt.json").read_bytes()
    (project / "data" / "labels" / "authored-x.jsonl").write_text('{"kind": "paragraph"}\n', encoding="utf-8")
    assert "not label files with report" in failed(capsys, "train-splitter", "--output", "punkt.json")[1]


def test_read_shows_a_document(capsys, samples):
    path = str(samples / "westhollow-2023-focused-visit.pdf")
    assert main(["read", path]) == 0
    assert "focused_visit" in capsys.readouterr().out
    assert main(["read", path, "--format", "json"]) == 0
    described = json.loads(capsys.readouterr().out)
    assert described["metadata"]["inspection_start"] == "2023-06-06"
    assert "dropped" not in described
    assert main(["read", path, "--debug"]) == 0
    assert "Left out" in capsys.readouterr().out
    assert main(["read", path, "--debug", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out)["dropped"]


def test_read_of_a_broken_document(capsys, tmp_path):
    path = tmp_path / "empty.pdf"
    path.write_bytes(b"")
    code, message = failed(capsys, "read", path)
    assert code == 1
    assert message == f"Error: {path}: empty file\n"
