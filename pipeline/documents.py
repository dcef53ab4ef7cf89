"""A document as a whole: reading it, what it says of itself, and its row in reports.csv."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.csv_tables import write_csv
from pipeline.errors import DocumentError
from pipeline.files import report_id_of
from pipeline.inputs import Input
from pipeline.reading import MAX_FILE_BYTES, read_document
from pipeline.reading.document import Document
from pipeline.sentences import sentence_table
from pipeline.summary import COUNTED, ReportSummary

if TYPE_CHECKING:
    import pyarrow as pa

REPORTS_FILE = "reports.csv"
_DESCRIBED = ("doc_type", "framework", "provider", "urn", "published", "inspection_start", "inspection_end", "pages")
REPORT_COLUMNS = ("report", "report_id", *_DESCRIBED, "sentences", "judgements", *COUNTED)


def read_input(item: Input) -> "tuple[pa.Table, dict[str, Any]]":
    """Read a document that was found.

    Args:
        item: The document, with what is stated beside it.

    Returns:
        Its sentence table, and what `document_details` says of it.

    Raises:
        DocumentError: It cannot be read, has changed since it was found, or what is stated cannot be used.
    """
    try:
        too_large = item.path.stat().st_size > MAX_FILE_BYTES
        content = None if too_large else item.path.read_bytes()
    except OSError as error:
        raise DocumentError(f"cannot be opened: {error.strerror or type(error).__name__}") from None
    if content is not None and report_id_of(content) != item.report_id:
        raise DocumentError("changed during the run; run again")
    document = item.overrides.apply(read_document(item.path, content))
    return sentence_table(document, item.report, item.report_id), document_details(document)


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
    write_csv(path, REPORT_COLUMNS, (_row(summary, json.loads(details)) for summary, details in rows))


def _row(summary: ReportSummary, details: dict[str, Any]) -> list[Any]:
    judgements = "; ".join(f"{name}: {grade}" for name, grade in details["judgements"])
    described = [details[name] for name in _DESCRIBED]
    counts = [summary.counts[name] for name in COUNTED]
    return [summary.report, summary.report_id, *described, summary.sentences, judgements, *counts]
