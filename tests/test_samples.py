"""The shipped data: label files are valid and complete, samples are what the corpus renders to."""

import functools
import json
import re
import runpy
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import docx
import lxml.html
import pypdfium2
import pytest

DATA = Path(__file__).resolve().parent.parent / "data"
SAMPLES = sorted(path for path in (DATA / "samples").iterdir() if path.suffix in (".pdf", ".docx", ".html", ".txt"))
COLUMNS = [
    "report", "doc_type", "provider", "published", "section", "kind", "paragraph", "position", "text", "labels",
    "annotator", "annotated",
]  # fmt: skip
LABELS = ["strength", "weakness", "commitment"]
KINDS = {"title", "heading", "paragraph", "bullet", "table_row"}
ROWS_PER_FILE = {
    "authored-commitment-cases.jsonl": 545,
    "authored-ilacs-2021-2025.jsonl": 602,
    "authored-ilacs-and-statements.jsonl": 580,
    "authored-ilacs-focused-monitoring.jsonl": 542,
    "authored-loose-sentences.jsonl": 1200,
    "authored-other-inspectorates.jsonl": 565,
    "authored-sif-and-minutes.jsonl": 604,
    "authored-statements-news-plans.jsonl": 564,
}


@functools.cache
def label_files() -> dict[str, list[dict[str, Any]]]:
    return {
        path.name: [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted((DATA / "labels").glob("authored-*.jsonl"))
    }


def corpus_texts(document: str) -> list[str]:
    return [row["text"] for rows in label_files().values() for row in rows if row["report"] == document]


def bare(text: str) -> str:
    """Letters and digits only: what line ends, hyphens and a reader's spacing cannot change."""
    return re.sub(r"[\W_]", "", text)


def pdf_pages(path: Path) -> list[str]:
    """The text of each page without the head and foot, which come first on a page and repeat but for the number."""
    document = pypdfium2.PdfDocument(path)
    try:
        pages = [page.get_textpage().get_text_bounded().splitlines() for page in document]
    finally:
        document.close()

    def shape(line: str) -> str:
        return re.sub(r"\s*\d+$", "", line) if len(line) > 3 else "#"

    shapes = Counter(shape(line) for page in pages for line in {*page[:4]})
    return [
        "\n".join([line for line in page[:4] if shapes[shape(line)] < max(2, len(pages) - 1)] + page[4:])
        for page in pages
    ]


def read(path: Path) -> str:
    if path.suffix == ".pdf":
        return "\n".join(pdf_pages(path))
    if path.suffix == ".docx":
        return "\n".join(paragraph.text for paragraph in docx.Document(str(path)).paragraphs)
    if path.suffix == ".html":
        return lxml.html.fromstring(path.read_bytes()).find(".//article").text_content()
    return path.read_text(encoding="utf-8")


def test_every_file_holds_the_rows_that_the_data_card_tells() -> None:
    card = (DATA / "README.md").read_text(encoding="utf-8")
    found = {name: len(rows) for name, rows in label_files().items()}
    assert found == ROWS_PER_FILE
    for name, rows in label_files().items():
        documents = len({row["report"] for row in rows})
        assert f"| `{name}` | {documents} | {len(rows):,} |" in card
    combinations = Counter(row["labels"] for rows in label_files().values() for row in rows)
    for labels, count in combinations.items():
        assert f"| {labels} | {count:,} |" in card
    types = Counter(row["doc_type"] for rows in label_files().values() for row in rows)
    for doc_type, count in types.items():
        assert re.search(rf"^\| `{doc_type}` \|.*\| {count:,} \|", card, re.MULTILINE), doc_type


@pytest.mark.parametrize("name", ROWS_PER_FILE)
def test_every_row_is_valid(name: str) -> None:
    for number, row in enumerate(label_files()[name], start=1):
        where = f"{name}, line {number}"
        assert list(row) == COLUMNS, where
        assert row["text"] == " ".join(row["text"].split()) != "", where
        assert row["kind"] in KINDS, where
        assert row["annotator"] == "authors" and row["annotated"] is None, where
        assert row["provider"] != "" and row["section"] != "", where
        assert row["published"] is None or re.fullmatch(r"20[12]\d-[01]\d-[0-3]\d", row["published"]), where
        parts = row["labels"].split("; ")
        assert parts == ["none"] or parts == [label for label in LABELS if label in parts], where


def test_no_document_is_in_two_files_and_positions_run_from_one() -> None:
    homes: dict[str, str] = {}
    for name, rows in label_files().items():
        positions: dict[str, int] = {}
        for row in rows:
            assert homes.setdefault(row["report"], name) == name
            positions[row["report"]] = positions.get(row["report"], 0) + 1
            assert row["position"] == positions[row["report"]]
    assert len(homes) == 168


def test_one_text_has_one_answer() -> None:
    answers: dict[str, str] = {}
    for rows in label_files().values():
        for row in rows:
            key = " ".join(re.findall(r"[^\W_]+", row["text"].lower()))
            assert answers.setdefault(key, row["labels"]) == row["labels"], row["text"]


def test_rendering_again_gives_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    script = DATA / "samples" / "render.py"
    monkeypatch.setattr(sys, "argv", [str(script), "--output", str(tmp_path)])
    runpy.run_path(str(script), run_name="__main__")
    assert sorted(path.name for path in tmp_path.iterdir()) == [path.name for path in SAMPLES]
    for path in SAMPLES:
        assert (tmp_path / path.name).read_bytes() == path.read_bytes(), f"{path.name}: run {script}"


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_every_text_of_the_corpus_stands_in_its_sample_in_order(path: Path) -> None:
    content, place = bare(read(path)), 0
    texts = corpus_texts(path.stem)
    assert texts
    for text in texts:
        found = content.find(bare(text), place)
        assert found >= 0, text
        place = found + len(bare(text))


def test_paragraphs_run_over_page_ends() -> None:
    for name in ("stennick-2014", "thornhaven-2018", "pellbridge-2022", "wyvernstoke-2025"):
        pages = [bare(page) for page in pdf_pages(DATA / "samples" / f"{name}-inspection.pdf")]
        whole = [bare(text) for text in corpus_texts(f"{name}-inspection")]
        assert any(not any(text in page for page in pages) for text in whole), f"{name}: no sentence crosses a page"


def test_the_web_pages_have_furniture_around_the_text() -> None:
    for path in (path for path in SAMPLES if path.suffix == ".html"):
        page = lxml.html.fromstring(path.read_bytes())
        for place in (".//nav", ".//aside", ".//footer", ".//div[@class='cookies']"):
            assert page.find(place).text_content().strip(), (path.name, place)


def test_the_data_card_lists_every_sample_with_its_pages() -> None:
    card = (DATA / "README.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\S+\.(?:pdf|docx|html|txt))` \|.*\| *(\d*) \|$", card, re.MULTILINE))
    assert sorted(listed) == [path.name for path in SAMPLES]
    for path in SAMPLES:
        assert listed[path.name] == (str(len(pdf_pages(path))) if path.suffix == ".pdf" else "")
