"""How many of the labelled sentences stand as exactly one row of the sentence table of their report."""

import re
from collections import defaultdict
from pathlib import Path

from benchmarks.corpus import read_reports, read_rows
from pipeline.reading.text_cleaning import strip_number
from pipeline.sentences import normalise, sentence_table

_NUMBER = re.compile(r"^\d{1,3}[.)]?\s*(?=\S)")
_HYPHEN = re.compile(r"-\s*")


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Compare the normalised texts, a paragraph number at the start ignored; then without hyphens as well."""
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for name in ("dev.csv", "train.csv"):
        for row in read_rows(shared / "gold" / name):
            wanted[row["report"]].append(row["text"])
    exact = unhyphened = cut = total = documents = 0
    for name, document in read_reports(shared):
        documents += 1
        texts = sentence_table(document, name, "0")["text"].to_pylist()
        rows = {normalise(form) for text in texts for form in (text, strip_number(text)[0])}
        joined = {_without_hyphens(text) for text in texts}
        letters = "".join(map(_letters, texts))
        for text in wanted[name]:
            total += 1
            forms = {text, _NUMBER.sub("", text)}
            if {normalise(form) for form in forms} & rows:
                exact += 1
            elif {_without_hyphens(form) for form in forms} & joined:
                unhyphened += 1
            else:
                cut += any(_letters(form) in letters for form in forms)
    return [
        ("reports read", str(documents), "163"),
        (f"exactly one row by key, of {total:,}", f"{exact / total:.2%}", "97%"),
        (
            "the same, hyphens ignored (the reference lost those at line ends)",
            f"{(exact + unhyphened) / total:.2%}",
            "",
        ),
        ("the rest: every letter read in the same order, cut otherwise", f"{cut:,}", ""),
        ("the rest: other", f"{total - exact - unhyphened - cut:,}", ""),
    ]


def _without_hyphens(text: str) -> str:
    return normalise(_HYPHEN.sub("", text))


def _letters(text: str) -> str:
    return normalise(text).replace(" ", "")
