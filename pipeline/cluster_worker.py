"""What a worker of a Dask cluster does: keeps the model's files, and labels one document after the other."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from distributed import Worker, WorkerPlugin, get_worker

from pipeline.cache import product_version
from pipeline.errors import DocumentError, FindingsError
from pipeline.formats import TABLE_FORMAT, TABLE_FORMAT_KEY
from pipeline.inputs import Input
from pipeline.modes import Mode
from pipeline.parts import DETAILS, Outcome, label_in_worker, plan_parts, read_part, start_worker_from
from pipeline.pool import Lost, run_tasks
from pipeline.section_counts import SectionCounts
from pipeline.storage import Source, identify, open_storage, put
from pipeline.summary import ReportSummary, summarise

if TYPE_CHECKING:
    import pyarrow as pa

FINDINGS_FOLDER = "findings"
# Under this key a document's file holds what it was made from; where that is the same, it need not be made again.
_MADE_FROM = b"made from"
_DOCUMENT_FOLDER = "document"


@dataclass(frozen=True, slots=True)
class Job:
    """What all documents of a run share.

    Attributes:
        name: The run's own; the model's files lie under it.
        product: `product_version` of the machine that started the run.
        model: What stands beside each answer.
        mode: Who reads the sentences.
        output: URL to write to.
        time_limit: Seconds after which a document counts as failed.
        resume: Whether to use what an earlier run left there.
    """

    name: str
    product: str
    model: str
    mode: Mode
    output: str
    time_limit: float
    resume: bool


@dataclass(frozen=True, slots=True)
class LabelledDocument:
    """What came of a document.

    Attributes:
        failure: Why it could not be read, or None.
        summary: Its counts.
        sections: Its counts by section.
        details: What is known of it as a whole, as JSON.
        reused: Whether an earlier run had labelled it.
    """

    failure: str | None = None
    summary: ReportSummary | None = None
    sections: SectionCounts | None = None
    details: str = ""
    reused: bool = False


class ModelFiles(WorkerPlugin):
    """Puts the model's files on each worker, also on those that join later or start again.

    Args:
        name: The run's own; the folder's name.
        files: Content by path within the model's folder.
    """

    def __init__(self, name: str, files: Mapping[str, bytes]) -> None:
        self.name = name
        self._files = dict(files)

    def setup(self, worker: Worker) -> None:
        """Write the files; no task runs before."""
        for path, content in self._files.items():
            file = Path(worker.local_directory) / self.name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)

    def teardown(self, worker: Worker) -> None:
        """Remove them."""
        shutil.rmtree(Path(worker.local_directory) / self.name, ignore_errors=True)


def find_identity(product: str, source: Source) -> tuple[str | None, str | None]:
    """Identify a document.

    Args:
        product: `product_version` of the machine that started the run.
        source: The document.

    Returns:
        (report_id, None), or (None, why it cannot be read).

    Raises:
        FindingsError: The worker has another version of this product.
    """
    _check_product(product)
    try:
        return identify(source), None
    except DocumentError as error:
        return None, str(error)


def label_document(job: Job, source: Source, item: Input) -> LabelledDocument:
    """Label a document and write its findings.

    Args:
        job: What the run is about.
        source: Where the document is.
        item: The document; its path is of no meaning here.

    Returns:
        What came of it.

    Raises:
        FindingsError: No document could be labelled, or the output cannot be written.
        OSError: The document could not be read this time.
    """
    from pyarrow import parquet

    _check_product(job.product)
    outputs, output = open_storage(job.output)
    target = f"{output}/{FINDINGS_FOLDER}/{item.report_id}.parquet"
    scratch = Path(get_worker().local_directory)
    with TemporaryDirectory(dir=scratch, prefix="document-") as place:
        path = Path(place) / _DOCUMENT_FOLDER / source.name
        (part,) = plan_parts(replace(item, path=path), Path(place), None)
        made_from = "/".join((job.product, job.model, part.path.name, item.report)).encode()
        table = _labelled_before(outputs, target, made_from) if job.resume else None
        if table is not None:
            return _describe(table, item, reused=True)
        path.parent.mkdir()
        try:
            system, _ = open_storage(source.root)
            system.get_file(source.path, str(path))
        except (FileNotFoundError, PermissionError) as error:
            return LabelledDocument(failure=f"cannot be opened: {error.strerror or type(error).__name__}")
        # A parser may crash or hang: not this process, which would cost the cluster a worker, but one of its own.
        setup = (start_worker_from, (scratch / job.name, job.mode))
        ((_, came),) = run_tasks(label_in_worker, [(part, None)], workers=1, setup=setup, limit=job.time_limit)
        outcome = Outcome(failure=came.reason) if isinstance(came, Lost) else came
        if outcome.fault is not None:
            raise FindingsError(outcome.fault)
        if outcome.failure is not None:
            return LabelledDocument(failure=outcome.failure)
        table = read_part(part.path)
        known = {DETAILS: table.schema.metadata[DETAILS], _MADE_FROM: made_from, TABLE_FORMAT_KEY: str(TABLE_FORMAT)}
        table = table.replace_schema_metadata(known)
        parquet.write_table(table, part.path, compression="zstd")
        put(part.path, outputs, target)
    return _describe(table, item, reused=False)


@lru_cache(maxsize=1)
def _own_product() -> str:
    return product_version()


def _check_product(expected: str) -> None:
    if _own_product() != expected:
        raise FindingsError(
            f"a worker has another version of inspection-findings, or of the libraries that read and label "
            f"({_own_product()}, here {expected}); install the same from requirements.lock on every machine."
        )


def _labelled_before(system: Any, path: str, made_from: bytes) -> "pa.Table | None":  # noqa: ANN401
    """Return what an earlier run, or a worker that was lost, has written for this very document."""
    from pyarrow import parquet

    with suppress(Exception):  # whatever is wrong with the file, labelling the document anew mends it
        with system.open(path, "rb") as file:
            table = parquet.ParquetFile(file).read(use_threads=False)
        if table.schema.metadata.get(_MADE_FROM) == made_from:
            return table
    return None


def _describe(table: "pa.Table", item: Input, *, reused: bool) -> LabelledDocument:
    summary = summarise(table, report=item.report, report_id=item.report_id)
    sections = SectionCounts()
    sections.add(table, summary)
    return LabelledDocument(None, summary, sections, table.schema.metadata[DETAILS].decode(), reused)
