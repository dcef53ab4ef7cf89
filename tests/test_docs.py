"""The documents say what is so: commands, stages, links and names are held against the code."""

import re
from pathlib import Path

import pytest
import typer
import yaml

from pipeline.catalogue import CATALOGUE_COLUMNS
from pipeline.classifier import PREDICTION_COLUMNS
from pipeline.cli import app
from pipeline.dataset import DATASET_COLUMNS
from pipeline.labels import LABEL_COLUMNS
from pipeline.section_counts import SUMMARY_COLUMNS
from pipeline.sentences import SENTENCE_COLUMNS
from tests.conftest import PROJECT

DOCUMENTS = [PROJECT / "README.md", PROJECT / "data" / "README.md", *sorted((PROJECT / "docs").glob("*.md"))]


def commands(group=None, prefix=()):
    """Every command of the command line, as (words, command)."""
    for name, command in (group or typer.main.get_command(app)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*prefix, name))
        else:
            yield (*prefix, name), command


COMMANDS = dict(commands())


def read(path):
    return path.read_text(encoding="utf-8")


def test_the_stage_table_is_that_of_dvc():
    stages = yaml.safe_load(read(PROJECT / "dvc.yaml"))["stages"]
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", read(PROJECT / "README.md"), flags=re.MULTILINE))
    described = {name: stage["desc"] for name, stage in stages.items()}
    assert {name: rows.get(name) for name in described} == described


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_and_stands_in_the_readme(words):
    assert COMMANDS[words].help
    assert f"findings {' '.join(words)}" in read(PROJECT / "README.md")
    for parameter in COMMANDS[words].params:
        if parameter.name != "help":
            assert parameter.help, f"{words} {parameter.name}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_and_options_exist(path):
    for line in re.findall(r"^(?:\.venv/bin/)?findings (.+?)(?:\s+#.*)?$", read(path), flags=re.MULTILINE):
        words = line.split()
        known = next((COMMANDS[tuple(words[:n])] for n in (2, 1) if tuple(words[:n]) in COMMANDS), None)
        assert known is not None, line
        options = {option for parameter in known.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for word in words:
            if word.startswith("--"):
                assert word in options | {"--help"}, line


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", read(path)):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_every_column_is_described():
    formats = read(PROJECT / "docs" / "file-formats.md")
    for name in (*SENTENCE_COLUMNS, *PREDICTION_COLUMNS, *DATASET_COLUMNS, *CATALOGUE_COLUMNS, *SUMMARY_COLUMNS):
        assert f"`{name}`" in formats
    labels = read(PROJECT / "docs" / "labels.md")
    for name in LABEL_COLUMNS:
        assert f"`{name}`" in labels


def test_every_direct_dependency_has_its_reason():
    import tomllib

    project = tomllib.loads(read(PROJECT / "pyproject.toml"))["project"]
    table = read(PROJECT / "docs" / "dependencies.md")
    for requirement in project["dependencies"]:
        name = re.match(r"[\w-]+", requirement)[0]
        assert re.search(rf"^\|[^|]*\b{re.escape(name)}\b", table, flags=re.MULTILINE), name


def test_the_lock_pins_everything_with_hashes_and_names_no_index():
    import tomllib

    lock = read(PROJECT / "requirements.lock")
    assert "://" not in lock
    pinned = re.findall(r"^([\w.-]+)==\S+", lock, flags=re.MULTILINE)
    assert lock.count("--hash=sha256:") >= len(pinned) > 50
    project = tomllib.loads(read(PROJECT / "pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    missing = {re.match(r"[\w-]+", name)[0].lower() for name in wanted} - {name.lower() for name in pinned}
    assert not missing


def test_every_make_target_is_in_the_readme_or_explains_itself():
    makefile = read(PROJECT / "Makefile")
    targets = re.search(r"^\.PHONY: (.+)$", makefile, flags=re.MULTILINE)[1].split()
    for target in targets:
        assert re.search(rf"^{target}:.*## \S", makefile, flags=re.MULTILINE), target


def test_every_module_stands_in_the_architecture():
    text = read(PROJECT / "docs" / "architecture.md")
    modules = {path.name for path in (PROJECT / "pipeline").glob("*.py") if not path.name.startswith("__")}
    assert {name for name in modules if f"`{name}`" not in text} == set()


def test_documents_are_there():
    assert {path.name for path in DOCUMENTS if path.parent.name == "docs"} >= {
        "architecture.md",
        "dependencies.md",
        "file-formats.md",
        "labels.md",
        "retraining.md",
    }
    assert all(Path(path).stat().st_size > 500 for path in DOCUMENTS)
