"""The same work on many machines: documents labelled by the workers of a Dask cluster, findings one file a document.

The command line imports this module only when a scheduler is named; Dask and fsspec come with the extra `dask`.
"""

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from pipeline.batch import Interrupted
from pipeline.cache import product_version
from pipeline.csv_tables import write_csv
from pipeline.dask_cluster import connect, not_installed, require_dask, run_on_workers
from pipeline.documents import REPORTS_FILE, write_reports
from pipeline.errors import UsageError
from pipeline.inputs import Input, Inputs
from pipeline.model_folder import DEFAULT_MODEL, copy_model, copy_with_encoder, load_model
from pipeline.outputs import FAILURES_FILE, write_failures
from pipeline.pool import TIME_LIMIT
from pipeline.progress import Reporter, SilentReporter
from pipeline.section_counts import SUMMARY_COLUMNS, SUMMARY_FILE
from pipeline.storage import Listing, Source, absolute, find_documents, open_storage, put
from pipeline.summary import ReportSummary, run_line, total

if TYPE_CHECKING:
    from distributed import Client

    from pipeline.classifier import SentenceClassifier
    from pipeline.cluster_worker import Job, LabelledDocument

_OURS = re.compile(r"[0-9a-f]{16}\.parquet|\.[0-9a-f]{16}\.parquet\.[0-9a-f]{32}\.tmp")


@dataclass(frozen=True)
class ClusterResult:
    """What a run on a cluster did.

    Attributes:
        output: URL that was written to.
        documents: Reports labelled.
        reused: How many of them an earlier run had labelled already.
        sentences: Sentences labelled.
        counts: Number of sentences by label, with `none` and `uncertain`.
        failures: (file, reason) of each document that could not be read.
        notes: What the user should know although nothing is wrong.
        seconds: Time taken.
    """

    output: str
    documents: int
    reused: int
    sentences: int
    counts: dict[str, int]
    failures: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    seconds: float

    def summary(self) -> str:
        """Say in a line what was labelled, what failed and what was written."""
        again = f" ({self.reused:,} by an earlier run)" if self.reused else ""
        line = run_line(self.documents, self.sentences, self.counts, len(self.failures), self.seconds, again)
        return f"{line} Written to {self.output}: findings/, {SUMMARY_FILE}, {FAILURES_FILE}, {REPORTS_FILE}."


def classify_on_cluster(
    places: Sequence[str],
    output: str,
    *,
    scheduler: str,
    model: Path = DEFAULT_MODEL,
    mode: str | None = None,
    resume: bool = True,
    time_limit: float = TIME_LIMIT,
    reporter: Reporter | None = None,
) -> ClusterResult:
    """Label documents on a Dask cluster.

    The output then holds findings/<report_id>.parquet, summary.csv, failures.csv and reports.csv. The files of
    findings, in the order of reports.csv, are row for row what `pipeline.batch.classify` writes to findings.parquet.

    Args:
        places: Documents and folders of documents, by URL or by path; every worker must be able to read them.
        output: URL or path to write to; every worker must be able to write there.
        scheduler: Address of the scheduler, e.g. tcp://host:8786.
        model: Model folder; its files are sent to the workers.
        mode: Who reads the sentences (`pipeline.cascade.Mode`); by default the model's usual mode.
        resume: Whether to use what an earlier run, finished or stopped, left in the output.
        time_limit: Seconds after which a document counts as failed.
        reporter: Told of the progress.

    Returns:
        What was done.

    Raises:
        UsageError: Dask is not installed, the scheduler does not answer, or an argument cannot be used.
        ModelError: The model cannot be loaded.
        FindingsError: The output cannot be written, a worker has another version of this product, or the cluster was
            lost.
        Interrupted: The user pressed Ctrl-C; the same call goes on from there.
    """
    started = time.monotonic()
    reporter = reporter or SilentReporter()
    require_dask()
    from pipeline.cluster_worker import Job

    classifier = load_model(model, mode)
    output = absolute(output)
    with connect(scheduler) as client:
        listing = find_documents(places, skip=output)
        name = f"findings-{uuid4().hex}"
        job = Job(name, product_version(), classifier.answered_by, classifier.mode, output, time_limit, resume)
        try:
            with _model_on_workers(client, name, model, classifier):
                inputs, sources = _identify(client, job, listing, reporter)
                for note in inputs.notes():
                    reporter.message(note)
                came = _label(client, job, inputs.items, sources, reporter)
        except KeyboardInterrupt:
            raise Interrupted("stopped; what is done is kept: run the same command again to go on.") from None
        finally:
            reporter.close()
    summaries, failures = _write(output, inputs, came)
    sums = total(summaries)
    return ClusterResult(
        output=output,
        documents=len(summaries),
        reused=sum(labelled.reused for labelled in came.values()),
        sentences=sums.sentences,
        counts=sums.counts,
        failures=failures,
        notes=tuple(inputs.notes()),
        seconds=time.monotonic() - started,
    )


@contextmanager
def _model_on_workers(client: "Client", name: str, model: Path, classifier: "SentenceClassifier") -> Iterator[None]:
    """Keep the model's files on every worker, also on one that joins or starts again meanwhile."""
    from pipeline.cluster_worker import ModelFiles

    with TemporaryDirectory() as place:
        folder = Path(place) / "model"
        (copy_model if classifier.encoder is None else copy_with_encoder)(model, folder)
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    try:
        client.register_plugin(ModelFiles(name, files), name=name)
    except ImportError as error:
        raise not_installed(error) from None
    try:
        yield
    finally:
        with suppress(Exception):  # the cluster may be gone, which whatever went wrong will say
            client.unregister_worker_plugin(name)


def _identify(client: "Client", job: "Job", listing: Listing, reporter: Reporter) -> tuple[Inputs, list[Source]]:
    """Hash the documents on the workers; equal content is kept once, as on one machine."""
    from pipeline.cluster_worker import find_identity

    reporter.start(len(listing.sources), "documents found")
    tasks = [(job.product, source) for source in listing.sources]
    found: dict[int, tuple[str | None, str | None]] = {}
    for rank, identity, failure in run_on_workers(client, find_identity, tasks):
        found[rank] = (None, failure) if identity is None else identity
        reporter.advance()
    items: dict[str, Input] = {}
    sources: list[Source] = []
    copies: dict[str, str] = {}
    unreadable: list[tuple[str, str]] = []
    for rank, source in enumerate(listing.sources):
        report_id, failure = found[rank]
        if report_id is None:
            unreadable.append((source.report, failure or ""))
        elif report_id in items:
            copies[source.report] = report_id
        else:
            items[report_id] = Input("document", source.report, report_id, Path(source.name), source.overrides)
            sources.append(source)
    return Inputs(tuple(items.values()), copies, tuple(unreadable), (), listing.ignored, listing.unmatched), sources


def _label(
    client: "Client", job: "Job", items: Sequence[Input], sources: Sequence[Source], reporter: Reporter
) -> "dict[str, LabelledDocument]":
    """Label the documents; return what came of each by `report_id`."""
    from pipeline.cluster_worker import FINDINGS_FOLDER, LabelledDocument, label_document

    system, folder = open_storage(job.output)
    bucket = folder.partition("/")[0]  # empty for paths of a machine
    try:
        # Some storage services would make one, and have the user pay for a slip of the pen.
        if bucket and not system.exists(bucket):
            raise UsageError(f"{job.output}: there is no bucket {bucket!r}; check the spelling, or make it first.")
        system.makedirs(f"{folder}/{FINDINGS_FOLDER}", exist_ok=True)
    except UsageError:
        raise
    except Exception as error:  # each file system has its own
        raise UsageError(f"{job.output}: cannot be written to ({error}); name another place with --output.") from None
    reporter.start(len(items), "documents")
    came: dict[str, LabelledDocument] = {}
    sentences = failed = 0
    tasks = [(job, source, item) for source, item in zip(sources, items, strict=True)]
    for rank, labelled, failure in run_on_workers(client, label_document, tasks):
        labelled = labelled or LabelledDocument(failure=failure)
        came[items[rank].report_id] = labelled
        sentences += labelled.summary.sentences if labelled.summary else 0
        failed += labelled.failure is not None
        reporter.advance(1, f"{sentences:,} sentences, {failed} failed")
    return came


def _write(
    output: str, inputs: Inputs, came: "dict[str, LabelledDocument]"
) -> tuple[list[ReportSummary], tuple[tuple[str, str], ...]]:
    """Write the tables beside the findings, and remove findings of documents that are gone."""
    from pipeline.cluster_worker import FINDINGS_FOLDER

    done = [came[item.report_id] for item in inputs.items if came[item.report_id].failure is None]
    described = [(labelled.summary, labelled.details) for labelled in done if labelled.summary is not None]
    failures = list(inputs.unreadable)
    for name, report_id in [(item.report, item.report_id) for item in inputs.items] + list(inputs.copies.items()):
        reason = came[report_id].failure
        if reason is not None:
            failures.append((name, reason))
    system, folder = open_storage(output)
    with TemporaryDirectory() as place:
        here = Path(place)
        write_failures(here / FAILURES_FILE, failures)
        rows = (row for labelled in done if labelled.sections is not None for row in labelled.sections.long())
        write_csv(here / SUMMARY_FILE, SUMMARY_COLUMNS, rows)
        write_reports(here / REPORTS_FILE, described)
        for name in (SUMMARY_FILE, FAILURES_FILE, REPORTS_FILE):
            put(here / name, system, f"{folder}/{name}")
    kept = {f"{summary.report_id}.parquet" for summary, _ in described}
    for path in system.ls(f"{folder}/{FINDINGS_FOLDER}", detail=False):
        name = path.rpartition("/")[2]
        if _OURS.fullmatch(name) and name not in kept:
            with suppress(OSError):
                system.rm_file(path)
    return [summary for summary, _ in described], tuple(failures)
