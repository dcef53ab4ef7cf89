"""The real reports and what is known of them."""

import csv
from collections.abc import Iterator
from pathlib import Path

from pipeline.errors import DocumentError
from pipeline.reading import Document, read_document


def report_paths(shared: Path) -> list[Path]:
    """List the PDF files among the reports; the web pages named .pdf are left out."""
    paths = sorted((shared / "reports").glob("*/*.pdf"))
    return [path for path in paths if path.read_bytes()[:1024].find(b"%PDF-") >= 0]


def read_reports(shared: Path) -> Iterator[tuple[str, Document]]:
    """Read every report; yield its name and the document."""
    for path in report_paths(shared):
        try:
            yield path.relative_to(shared / "reports").as_posix(), read_document(path)
        except DocumentError:
            continue


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
