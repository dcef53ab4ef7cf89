"""One row a document: what it says of itself, what is in it, and the counts of its labels (reports.csv)."""

import csv
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.files import replace_file
from pipeline.outputs import safe_cell
from pipeline.reading.document import Document
from pipeline.summary import COUNTED, ReportSummary

REPORTS_FILE = "reports.csv"
_DESCRIBED = ("doc_type", "framework", "provider", "urn", "published", "inspection_start", "inspection_end", "pages")
REPORT_COLUMNS = ("report", "report_id", *_DESCRIBED, "sentences", "judgements", *COUNTED)


def document_details(document: Document) -> dict[str, Any]:
    """Describe a document as a whole.

    Args:
        document: The document.

    Returns:
        JSON-ready: every field of its metadata, and the number of its pages.
    """
    details = asdict(document.metadata)
    details["judgements"] = [list(judgement) for judgement in document.metadata.judgements]
    return {**details, "pages": document.pages}


def write_reports(path: Path, rows: Iterable[tuple[ReportSummary, str]]) -> None:
    """Write the table of documents.

    Args:
        path: The CSV file; it has a header even where there is no document.
        rows: Counts of each document, and what `document_details` returned for it, as JSON.
    """
    with replace_file(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(REPORT_COLUMNS)
        for summary, details in rows:
            writer.writerow([safe_cell(value) for value in _row(summary, json.loads(details))])


def _row(summary: ReportSummary, details: dict[str, Any]) -> list[Any]:
    judgements = "; ".join(f"{name}: {grade}" for name, grade in details["judgements"])
    described = [details[name] for name in _DESCRIBED]
    counts = [summary.counts[name] for name in COUNTED]
    return [summary.report, summary.report_id, *described, summary.sentences, judgements, *counts]
