"""How many of the labelled sentences stand as exactly one row of the sentence table of their report."""

import re
from collections import defaultdict
from pathlib import Path

from benchmarks.corpus import read_reports, read_rows
from pipeline.sentences import normalise, sentence_table

_NUMBER = re.compile(r"^\d{1,3}[.)]?\s*(?=\S)")


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Compare the normalised texts, a paragraph number at the start ignored; then without spaces as well."""
    wanted: defaultdict[str, list[str]] = defaultdict(list)
    for name in ("dev.csv", "train.csv"):
        for row in read_rows(shared / "gold" / name):
            wanted[row["report"]].append(row["text"])
    exact = squashed = total = documents = 0
    for name, document in read_reports(shared):
        documents += 1
        rows = {normalise(text) for text in sentence_table(document, name, "0")["text"].to_pylist()}
        spaceless = {row.replace(" ", "") for row in rows}
        for text in wanted[name]:
            total += 1
            forms = {normalise(text), normalise(_NUMBER.sub("", text))}
            exact += bool(forms & rows)
            squashed += bool({form.replace(" ", "") for form in forms} & spaceless)
    return [
        ("reports read", str(documents), "163"),
        (f"exactly one row by key, of {total:,}", f"{exact / total:.2%}", "97%"),
        ("the same, spaces ignored (the reference lost hyphens at line ends)", f"{squashed / total:.2%}", "97%"),
    ]
