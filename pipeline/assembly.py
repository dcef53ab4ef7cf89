"""Parts of a batch → the output folder: findings in every format, failures, pages."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.documents import REPORTS_FILE, write_reports
from pipeline.drift import DRIFT_FILE, DriftMeter, write_drift
from pipeline.errors import FindingsError
from pipeline.files import replace_file
from pipeline.formats import Format
from pipeline.labels import LABELS
from pipeline.outputs import FAILURES_FILE, open_writers, write_failures
from pipeline.parts import DETAILS, WORDS, Part, read_part
from pipeline.reading.arrow_columns import repeated_string
from pipeline.section_counts import SUMMARY_FILE, SectionCounts, write_summary
from pipeline.summary import ReportSummary, split_reports, summarise

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.classifier import SentenceClassifier
    from pipeline.html import ReportLink
    from pipeline.inputs import Input
    from pipeline.reference import Reference

INDEX_FILE = "index.html"
PAGES_FOLDER = "reports"
_PAGE_NAME = re.compile(r"[0-9a-f]{16}\.html")
# A page beyond this many sentences would be slow to open, and nobody would read it.
MAX_PAGE_SENTENCES = 20_000


@dataclass(frozen=True)
class Assembled:
    """The outputs of a batch.

    Attributes:
        written: The files written, pages of reports aside.
        summaries: A summary of each report.
        pages: Number of pages of reports.
        moved: In plain words what is unlike the training side.
    """

    written: list[Path]
    summaries: list[ReportSummary]
    pages: int
    moved: list[str]


def assemble(
    parts: Iterable[Part],
    output: Path,
    *,
    schema: "pa.Schema",
    formats: Sequence[Format],
    html: bool,
    failures: Callable[[], Sequence[tuple[str, str]]],
    classifier: "SentenceClassifier",
    reference: "Reference",
) -> Assembled:
    """Write the outputs of a batch, one part after the other, in flat memory.

    Of documents, reports.csv holds one row each; of a table of sentences, there is none. summary.csv has counts by
    report, section and label of either.

    Args:
        parts: What was labelled, in the order of the output; each is read as it comes.
        output: Folder to write to.
        schema: Columns of the findings.
        formats: Formats of the findings.
        html: Whether to write pages.
        failures: Gives (file, reason) of the documents that could not be read; asked once there are no more parts.
        classifier: The model that made the findings.
        reference: What its training side looked like.

    Returns:
        What was written.

    Raises:
        FindingsError: A part is damaged, or the output cannot be written.
    """
    import pyarrow as pa

    pages = _Pages(output, classifier) if html else None
    summaries: list[ReportSummary] = []
    sections, meter = SectionCounts(), DriftMeter(classifier, reference)
    tables = False
    described: list[tuple[ReportSummary, str]] = []
    with open_writers(output, formats, schema) as writers:
        for item, chunks, details, words in _reports(parts, schema):
            tables |= item.kind == "table"
            for chunk, counted in zip(chunks, words, strict=True):
                meter.add(chunk, *counted)
            for _, writer in writers:
                for chunk in chunks:
                    writer.write(chunk)
            whole = pa.concat_tables(chunks)
            for table in split_reports(whole) if item.kind == "table" else [whole]:
                summary = summarise(table, report=item.report, report_id=item.report_id)
                summaries.append(summary)
                sections.add(table, summary)
                if details is not None:
                    described.append((summary, details))
                if pages is not None:
                    pages.add(table, summary, item)
    written = [path for path, _ in writers]
    failed = failures()
    write_failures(output / FAILURES_FILE, failed)
    write_summary(output / SUMMARY_FILE, sections)
    drift = meter.measure()
    write_drift(drift, output / DRIFT_FILE)
    written += [output / SUMMARY_FILE, output / FAILURES_FILE, output / DRIFT_FILE]
    if not tables:
        write_reports(output / REPORTS_FILE, described)
        written.append(output / REPORTS_FILE)
    if pages is not None:
        written.append(pages.finish([path.name for path in written], failed, drift["warnings"]))
    _remove_stale(output, written, pages.names if pages is not None else set())
    return Assembled(written, summaries, len(pages.names) if pages is not None else 0, drift["warnings"])


class _Pages:
    """Writes the page of each report, then the index."""

    def __init__(self, output: Path, classifier: "SentenceClassifier") -> None:
        from pipeline.explanation import ReasonFinder
        from pipeline.html import ModelNote

        self.names: set[str] = set()
        self._output = output
        self._reason_finder = ReasonFinder(classifier.scorer)
        thresholds = dict(zip(LABELS, classifier.thresholds.tolist(), strict=True))
        self._model = ModelNote(classifier.answered_by, thresholds)
        self._links: list[ReportLink] = []

    def add(self, table: "pa.Table", summary: ReportSummary, item: "Input") -> None:
        from pipeline.html import build_report, link_report, render_report

        if table.num_rows > MAX_PAGE_SENTENCES:
            self._links.append(link_report(summary, None))
            return
        name = _page_name(summary, item, self.names)
        view = build_report(table, summary, self._model, self._reasons(table))
        with replace_file(self._output / PAGES_FOLDER / name) as temporary:
            temporary.write_bytes(render_report(view).encode())
        self.names.add(name)
        self._links.append(link_report(summary, f"{PAGES_FOLDER}/{name}"))

    def _reasons(self, table: "pa.Table") -> list[dict[str, tuple[str, ...]]]:
        import numpy as np

        chosen = np.array([table[label].to_pylist() for label in LABELS], dtype=bool).T
        return self._reason_finder.find(table["text"].to_pylist(), chosen.reshape(table.num_rows, len(LABELS)))

    def finish(self, files: Sequence[str], failures: Sequence[tuple[str, str]], moved: Sequence[str]) -> Path:
        from pipeline.html import build_index, render_index

        path = self._output / INDEX_FILE
        with replace_file(path) as temporary:
            index = build_index(self._links, failures, files, self._model, moved)
            temporary.write_bytes(render_index(index).encode())
        return path


def _reports(
    parts: Iterable[Part], schema: "pa.Schema"
) -> "Iterator[tuple[Input, list[pa.Table], str | None, list[list[int]]]]":
    """Yield each input with its findings, what is known of the document as a whole, and the words of each chunk."""
    for item, group in groupby(parts, key=lambda part: part.item):
        chunks, words, details = [], [], None
        for part in group:
            chunk, details, counted = _read_part(part.path, item, schema)
            chunks.append(chunk)
            words.append(counted)
        yield item, chunks, details, words


def _read_part(path: Path, item: "Input", schema: "pa.Schema") -> "tuple[pa.Table, str | None, list[int]]":
    try:
        stored = read_part(path)
        known = stored.schema.metadata or {}
        details, words = known.get(DETAILS), json.loads(known.get(WORDS, b""))
        table = stored.replace_schema_metadata(schema.metadata)
        if not table.schema.equals(schema):
            table = table.cast(schema)
    except (OSError, ValueError) as error:
        raise FindingsError(f"{path}: damaged ({type(error).__name__}); run again with --no-resume.") from None
    if item.kind == "table":
        return table, None, words
    # A stopped run may have met the same content under another name.
    names = repeated_string(item.report, table.num_rows)
    table = table.set_column(table.column_names.index("report"), "report", names)
    return table, details.decode() if details is not None else None, words


def _page_name(summary: ReportSummary, item: "Input", taken: set[str]) -> str:
    """Name the page by the report's id; an id that is not ours, or is taken, is hashed together with the input."""
    name = f"{summary.report_id}.html"
    if _PAGE_NAME.fullmatch(name) and name not in taken:
        return name
    whole = "\0".join((item.report_id, summary.report_id, summary.report))
    return f"{sha256(whole.encode()).hexdigest()[:16]}.html"


def _remove_stale(output: Path, written: Sequence[Path], pages: set[str]) -> None:
    """Remove what an earlier run wrote and this one did not: it would contradict the rest."""
    ours = [output / f"findings.{format}" for format in Format] + [output / INDEX_FILE, output / REPORTS_FILE]
    stale = [path for path in ours if path not in written]
    for path in (output / PAGES_FOLDER).glob("*.html"):
        if _PAGE_NAME.fullmatch(path.name) and path.name not in pages:
            stale.append(path)
    for path in stale:
        with suppress(OSError):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        (output / PAGES_FOLDER).rmdir()  # only if nothing is left in it
