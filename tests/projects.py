"""A project folder as `register` meets it, and what it leaves there."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.model_folder import load_config
from pipeline.params import Params

TRACKED = ("models/champion", "models/promotions.jsonl", "models/run.json")
TEXTS = ["Leaders know their children well.", "By May, the council will recruit six social workers."]
# A folder as a person may name it.
ODD_NAME = "inspection findings #2 (50%) ü" + ("" if os.name == "nt" else " what?")

Place = Callable[[str], Params]


def placing(project: Path, outcomes: dict[str, tuple[Params, Path]]) -> Place:
    """Return a function that puts a candidate into a project and returns its settings."""

    def place(name: str) -> Params:
        settings, folder = outcomes[name]
        for part in ("models/candidate", "data", "plots"):
            shutil.rmtree(project / part, ignore_errors=True)
        shutil.copytree(folder, project, dirs_exist_ok=True)
        return settings

    return place


def snapshot(project: Path = Path()) -> dict[str, bytes]:
    """All that `register` leaves in the working tree."""
    files: dict[str, bytes] = {}
    for name in TRACKED:
        path = project / name
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            files[str(file)] = file.read_bytes()
    return files


def clone(monkeypatch: pytest.MonkeyPatch, project: Path, empty_store: Path) -> dict[str, bytes]:
    """Go to a copy of the project that lacks what git does not carry: the store's content."""
    before = snapshot()
    copy = project / "clone"
    shutil.copytree(project, copy, ignore=shutil.ignore_patterns("mlruns", "clone"))
    (copy / "mlruns").mkdir()
    shutil.copyfile(empty_store, copy / "mlruns" / "mlflow.db")
    monkeypatch.chdir(copy)
    return before


def aliases() -> dict[str, str]:
    """Model version by alias, in the store of the working directory."""
    from pipeline.registry import list_versions

    return {alias: version.model_version for version in list_versions() for alias in version.aliases}


def version_of(folder: str) -> str:
    """Version of the model in a folder."""
    return load_config(Path(folder)).version
