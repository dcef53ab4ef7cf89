"""Reports of other inspectorates, in several layouts: every sentence and its section as the authors wrote them."""

import functools
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pipeline.reading import read_document
from pipeline.sentences import normalise, sentence_table

DATA = Path(__file__).resolve().parent.parent / "data"
LAYOUTS = ("ILACS_2018", "ILACS_2022", "LETTER", "HOME")
REPORTS = (
    "quarrowdale-high-2024-school-inspection",
    "pellinshire-2024-area-send-inspection",
    "ullesmarsh-2023-youth-justice-inspection",
    "larkstile-house-2023-childrens-home",
    "copperbeam-fostering-2023-ifa-inspection",
)


@functools.cache
def renderer() -> ModuleType:
    spec = importlib.util.spec_from_file_location("samples_render", DATA / "samples" / "render.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@functools.cache
def sources() -> dict[str, Any]:
    found: dict[str, Any] = renderer().read_sources()
    return found


def authored(report: str) -> list[tuple[str, str]]:
    lines = (DATA / "labels" / "authored-other-inspectorates.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [row for row in map(json.loads, lines) if row["report"] == report]
    title = next(row["text"] for row in rows if row["kind"] == "title")
    return [(row["section"] or title, row["text"]) for row in rows]


def as_read(name: str, content: bytes) -> list[tuple[str, str]]:
    rows = sentence_table(read_document(Path(name), content), name, "0").to_pylist()
    return [(row["section"], row["text"]) for row in rows]


def folded(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(normalise(section), normalise(text)) for section, text in rows]


@pytest.mark.parametrize("report", REPORTS)
def test_as_text(report: str) -> None:
    found = as_read(f"{report}.txt", renderer().to_text(sources()[report]))
    assert folded(found) == folded(authored(report))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("report", REPORTS)
def test_as_pdf(report: str, layout: str) -> None:
    found = as_read(f"{report}.pdf", renderer().to_pdf(sources()[report], getattr(renderer(), layout)))
    assert folded(found) == folded(authored(report))
