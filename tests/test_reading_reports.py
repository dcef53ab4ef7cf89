"""Reading of the real reports, where they lie beside the project: counts and hashes, never their text."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import pytest

from pipeline.errors import DocumentError
from pipeline.reading import read_document
from pipeline.sentences import normalise, sentence_table

SHARED = Path(__file__).resolve().parent.parent.parent / "shared"
pytestmark = [
    pytest.mark.shared,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real reports are not there"),
]

_NUMBER = re.compile(r"^\d{1,3}[.)]?\s*(?=\S)")


def squash(text: str) -> str:
    # The reference texts lost the hyphens of broken words, so spaces cannot be compared.
    return normalise(text).replace(" ", "")


def reference() -> dict[str, list[str]]:
    texts = defaultdict(list)
    for name in ("dev.csv", "train.csv"):
        with (SHARED / "gold" / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts[row["report"]].append(row["text"])
    return texts


def test_web_pages_named_pdf_are_refused() -> None:
    reasons = []
    for path in sorted((SHARED / "reports").glob("*/*.pdf")):
        if not path.read_bytes()[:5].startswith(b"%PDF"):
            with pytest.raises(DocumentError) as caught:
                read_document(path)
            reasons.append(str(caught.value))
    assert reasons == ["HTML page named .pdf"] * 4


def test_reference_sentences_stand_as_rows() -> None:
    texts = reference()
    found = total = 0
    for report in sorted(texts)[::8]:
        rows = {
            squash(text)
            for text in sentence_table(read_document(SHARED / "reports" / report), report, "0").to_pandas()["text"]
        }
        total += len(texts[report])
        found += sum(squash(text) in rows or squash(_NUMBER.sub("", text)) in rows for text in texts[report])
    assert found >= 0.97 * total


def test_no_running_line_is_in_a_sentence() -> None:
    for path in sorted((SHARED / "reports").glob("*/*.pdf"))[3::16]:
        document = read_document(path)
        heads = {line for line in document.dropped if len(line) > 25}
        pages = [block for block in document.blocks if block.page != 1]
        # Counts, so that a failing test shows no text.
        assert sum(head in block.text for head in heads for block in pages) == 0


def test_provider_and_grades_of_public_overview() -> None:
    columns = {
        "impact_of_leaders_grade": "impact of leaders",
        "help_and_protection_grade": "need help and protection",
        "in_care_grade": "in care",
    }
    with (SHARED / "gold" / "report-metadata.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[::4]:
        document = read_document(SHARED / "reports" / row["report"])
        table = sentence_table(document, row["report"], "0").to_pandas()
        headings = table[table["kind"] == "heading"]
        for column, words in columns.items():
            grades = headings["section_grade"][headings["text"].str.casefold().str.contains(words)]
            assert row[column] in set(grades), (row["report"], column)
            found = [grade for name, grade in document.metadata.judgements if words in name.casefold()]
            assert found[:1] == [row[column]], (row["report"], column)
        dates = (document.metadata.inspection_start, document.metadata.inspection_end)
        assert dates == (row["inspection_start_date"], row["inspection_end_date"]), row["report"]
        name = normalise(document.metadata.provider or "")
        assert set(name.split()) & set(normalise(row["local_authority"]).split()), row["report"]
