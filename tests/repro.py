"""The project as a user has it: a small git repository of its own, in which DVC runs the stages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

PROJECT = Path(__file__).resolve().parent.parent
STAGES = ("extract", "dataset", "soft_labels", "learning_curve", "train", "evaluate", "register", "classify", "track")


def run(folder, *command):
    """Run a command of the environment that runs the tests; return the finished process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW", "DVC", "GIT"))}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300
    )


def git(folder, *arguments):
    names = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    done = run(folder, "git", *names, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def repro(folder):
    done = run(folder, sys.executable, "-m", "dvc", "repro")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def stages_run(output):
    return [name for name in STAGES if f"Running stage '{name}'" in output]


def copy_project(folder, labels, samples, *, models=False):
    """Copy the project without its outputs and with few labels and samples, make the settings cheap, and commit it.

    With `models`, the shipped champion and the log of promotions come along.
    """
    kept = ("models/encoder/", "models/champion/", "models/promotions.jsonl") if models else ("models/encoder/",)
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=PROJECT, capture_output=True, check=True
    ).stdout.decode()
    for name in filter(None, listed.split("\0")):
        source = PROJECT / name
        made = name.startswith(("tests/", "docs/", "dvc.lock", "metrics.json"))
        if made or (name.startswith("models/") and not name.startswith(kept)) or not source.is_file():
            continue
        if name.startswith("data/labels/") and source.name not in labels:
            continue
        if name.startswith("data/samples/") and source.name not in samples:
            continue
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    settings = yaml.safe_load((folder / "params.yaml").read_text(encoding="utf-8"))
    settings["copies"] = {"spans": 2, "thinned": 2, "substituted": 4, "crossed": 2}
    settings["train"]["folds"] = 3
    settings["evaluate"]["bootstrap"] = 20
    (folder / "params.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "start")
