"""Label many documents: workers, failures, and nothing twice that an earlier run has labelled already."""

import time
from collections import deque
from collections.abc import Collection, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from pipeline.answer_memory import AnswerMemory
from pipeline.assembly import assemble
from pipeline.cache import Cache
from pipeline.errors import FindingsError, UsageError
from pipeline.formats import Format, parse_formats
from pipeline.inputs import Input, Inputs, find_inputs
from pipeline.model_folder import DEFAULT_MODEL, load_model, load_reference
from pipeline.output_folder import hold_output_folder
from pipeline.outputs import findings_schema
from pipeline.parts import CHUNK_ROWS, Outcome, Part, label_in_worker, label_part, plan_parts, start_worker
from pipeline.pool import TIME_LIMIT, Lost, run_tasks, worker_count
from pipeline.progress import Reporter, SilentReporter
from pipeline.summary import run_line, total

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.classifier import SentenceClassifier

# Starting worker processes takes about as long as labelling this many documents, or chunks of a table.
_FEW_DOCUMENTS = 24
_FEW_CHUNKS = 12


class Interrupted(FindingsError):
    """The user stopped a batch; what was done is kept."""

    exit_code = 130


@dataclass(frozen=True)
class BatchResult:
    """What a batch did.

    Attributes:
        documents: Reports labelled.
        reused: How many pieces of them (documents, or chunks of a table) an earlier run had labelled already.
        sentences: Sentences labelled.
        counts: Number of sentences by label, with `none` and `uncertain`.
        failures: (file, reason) of each document that could not be read.
        carried: (file, reason) of each document that the extract store lists as failed.
        notes: What the user should know although nothing is wrong.
        moved: In plain words what is unlike the training data (`pipeline.drift`); empty for few sentences.
        written: Files written, pages of reports aside.
        pages: Number of pages of reports written.
        seconds: Time taken.
    """

    documents: int
    reused: int
    sentences: int
    counts: dict[str, int]
    failures: tuple[tuple[str, str], ...]
    carried: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]
    moved: tuple[str, ...]
    written: tuple[Path, ...]
    pages: int
    seconds: float

    def summary(self) -> str:
        """Say in a line what was labelled, what failed and what was written."""
        failed = len(self.failures) + len(self.carried)
        line = run_line(self.documents, self.sentences, self.counts, failed, self.seconds)
        files = ", ".join(path.name for path in self.written)
        pages = f" and {self.pages:,} page(s)" if self.pages else ""
        return f"{line} Written to {self.written[0].parent}: {files}{pages}."


def classify(
    paths: Iterable[Path],
    output: Path,
    *,
    model: Path = DEFAULT_MODEL,
    mode: str | None = None,
    formats: Sequence[str] = (Format.PARQUET, Format.CSV),
    html: bool = True,
    workers: int | None = None,
    resume: bool = True,
    cache: Path | None = None,
    time_limit: float = TIME_LIMIT,
    reporter: Reporter | None = None,
) -> BatchResult:
    """Label documents, folders of documents, tables of sentences or an extract store.

    The output folder then holds findings.<format>, summary.csv, failures.csv, drift.json, of documents reports.csv, and
    with `html` index.html and reports/<id>.html; and in .parts the findings of each document, for the next run.
    What an earlier run wrote there under these names is replaced or removed; nothing else is touched. Findings of
    documents have the columns of the sentence table, then those of the prediction; findings of a table have the table's
    own columns first (see `pipeline.tables.read_table` for names that clash). Order and bytes depend on the input and
    the model alone.

    Args:
        paths: What to label; a folder is searched recursively.
        output: Folder to write to.
        model: Model folder.
        mode: Who reads the sentences (`pipeline.cascade.Mode`); by default the model's usual mode.
        formats: Formats of the findings.
        html: Whether to write pages.
        workers: Processes; by default one a processor, or one where starting more would not pay.
        resume: Whether to use what an earlier run, finished or stopped, left in the output folder, and to leave there
            the findings of each document for the next run.
        cache: Folder for those findings in the place of the output folder; those of an extract store are kept there
            too.
        time_limit: Seconds after which a document counts as failed; documents are read in processes of their own.
        reporter: Told of the progress.

    Returns:
        What was done.

    Raises:
        UsageError: An argument, a path or the output folder cannot be used, or another run is writing to that folder;
            nothing was read.
        ModelError: The model cannot be loaded; nothing was read.
        DataError: A table of sentences is not as it should be.
        Interrupted: The user pressed Ctrl-C; the same call goes on from there.
    """
    started = time.monotonic()
    reporter = reporter or SilentReporter()
    chosen = parse_formats(formats)
    if workers is not None and workers < 1:
        raise UsageError(f"--workers: found {workers}, expected 1 or more.")
    classifier, reference = load_model(model, mode), load_reference(model)
    with ExitStack() as held:
        held.enter_context(hold_output_folder(output))
        if cache is not None:
            held.enter_context(hold_output_folder(cache, "--cache"))
        inputs = find_inputs(paths, skip=output)
        tables = {item.report_id: _read_table(item) for item in inputs.items if item.kind == "table"}
        schema = _common_schema(inputs.items, tables)
        notes = inputs.notes()
        for note in notes:
            reporter.message(note)
        store = Cache(cache or output, classifier.answered_by)
        if not resume:
            store.clear()
        store.open()

        rows = {report_id: table.num_rows for report_id, table in tables.items()}
        planned = [part for item in inputs.items for part in plan_parts(item, store.folder, rows.get(item.report_id))]
        todo = [part for part in planned if not store.holds(part.path, schema)]
        what = "chunks" if tables else "documents"
        if len(todo) < len(planned):
            reporter.message(
                f"{len(planned) - len(todo)} of {len(planned)} {what} were labelled by an earlier run: used again"
            )
        failures: dict[str, str] = {}
        try:
            job = _Job(tables, schema, classifier, time_limit)
            with closing(_in_order(planned, todo, job, workers, reporter, failures)) as parts:
                made = assemble(
                    parts,
                    output,
                    schema=schema,
                    formats=chosen,
                    html=html,
                    failures=lambda: [*_listed(inputs, failures), *inputs.carried],
                    classifier=classifier,
                    reference=reference,
                )
        except KeyboardInterrupt:
            done = sum(part.path.is_file() for part in planned) + len(failures)
            raise Interrupted(
                f"stopped: {done} of {len(planned)} {what} done; run the same command again to go on."
            ) from None
        finally:
            reporter.close()
        # Beside the findings of an extract store, parts would only double them; and no part of a table fits the next.
        kinds = {"document"} if cache is None else {"document", "sentences"}
        kept = {part.path for part in planned if part.item.kind in kinds} if resume else set()
        if kept:
            store.keep(kept)
        else:
            store.clear()
    sums = total(made.summaries)
    return BatchResult(
        documents=len(made.summaries),
        reused=len(planned) - len(todo),
        sentences=sums.sentences,
        counts=sums.counts,
        failures=tuple(_listed(inputs, failures)),
        carried=inputs.carried,
        notes=tuple(notes),
        moved=tuple(made.moved),
        written=tuple(made.written),
        pages=made.pages,
        seconds=time.monotonic() - started,
    )


def _listed(inputs: Inputs, failures: dict[str, str]) -> list[tuple[str, str]]:
    """Name each file that could not be read, copies too, with the reason."""
    names = [(item.report, item.report_id) for item in inputs.items] + list(inputs.copies.items())
    return [*inputs.unreadable, *((name, failures[of]) for name, of in names if of in failures)]


def _read_table(item: Input) -> "pa.Table":
    from pipeline.tables import read_table

    return read_table(item.path)


def _common_schema(items: Sequence[Input], tables: "dict[str, pa.Table]") -> "pa.Schema":
    """Give the columns of the findings; several tables must agree on them."""
    first: Input | None = None
    for item in items:
        if item.report_id not in tables:
            continue
        first = first or item
        if tables[item.report_id].schema != tables[first.report_id].schema:
            raise UsageError(
                f"{item.path}: its columns or their types are not those of {first.path}; label the tables in two runs."
            )
    return findings_schema(tables[first.report_id].schema if first else None)


@dataclass(frozen=True)
class _Job:
    """What all parts of a batch share."""

    tables: "dict[str, pa.Table]"
    schema: "pa.Schema"
    classifier: "SentenceClassifier"
    time_limit: float

    def rows(self, part: Part) -> "pa.Table | None":
        """Return the sentences of a chunk of a table; None for a document."""
        table = self.tables.get(part.item.report_id)
        if table is None:
            return None
        # A slice would take all of the table along on its way to another process; what is taken is a copy.
        return table.take(list(range(part.first_row, min(part.first_row + CHUNK_ROWS, table.num_rows))))


def _in_order(
    planned: Sequence[Part],
    todo: Sequence[Part],
    job: _Job,
    workers: int | None,
    reporter: Reporter,
    failures: dict[str, str],
) -> Generator[Part, None, None]:
    """Label what is to do, and yield all parts as planned, each as soon as it is there; note why others failed."""
    if todo:
        reporter.start(len(todo), "chunks" if job.tables else "documents")
    else:
        reporter.start(len(planned), "results written")
    count = worker_count(workers, len(todo), _FEW_CHUNKS if job.tables else _FEW_DOCUMENTS)
    if job.classifier.encoder is not None and count > 1:
        job.classifier.encoder.threads = 1  # the workers share the processors
    left, waiting = deque(planned), {part.path for part in todo}
    sentences = 0
    with closing(_outcomes(todo, job, count)) as outcomes:
        for part, outcome in outcomes:
            if outcome.fault is not None:
                raise FindingsError(outcome.fault)
            if outcome.failure is not None:
                failures[part.item.report_id] = outcome.failure
            sentences += outcome.sentences
            reporter.advance(1, f"{sentences:,} sentences, {len(failures)} failed")
            waiting.remove(part.path)
            yield from _ready(left, waiting, failures)
    for part in _ready(left, waiting, failures):  # there was nothing to do
        yield part
        reporter.advance()


def _ready(left: deque[Part], waiting: Collection[Path], failures: Collection[str]) -> Iterator[Part]:
    """Take from the front what nothing is to be waited for; documents that failed have no findings."""
    while left and left[0].path not in waiting:
        part = left.popleft()
        if part.item.report_id not in failures:
            yield part


def _outcomes(todo: Sequence[Part], job: _Job, workers: int) -> Generator[tuple[Part, Outcome], None, None]:
    """Label the parts, and yield each with what came of it, as it is done."""
    if workers == 1 and job.tables:
        answers = AnswerMemory(job.classifier)
        for part in todo:
            yield part, label_part(part, job.rows(part), job.schema, answers)
        return
    # A parser may crash or hang on a document, so that each is read in another process.
    tasks = _Tasks(todo, job)
    setup = (start_worker, (job.classifier, job.schema))
    limit = None if job.tables else job.time_limit
    for rank, outcome in run_tasks(label_in_worker, tasks, workers=workers, setup=setup, limit=limit):
        if isinstance(outcome, Lost) and job.tables:
            raise FindingsError(
                f"a worker process was lost ({outcome.reason}); what is done is kept: run again with fewer --workers."
            )
        yield todo[rank], Outcome(failure=outcome.reason) if isinstance(outcome, Lost) else outcome


class _Tasks(Sequence[tuple[Any, ...]]):
    """The arguments of every part, made when they are needed: a table's rows are copied one chunk at a time."""

    def __init__(self, parts: Sequence[Part], job: _Job) -> None:
        self._parts, self._job = parts, job

    def __len__(self) -> int:
        return len(self._parts)

    @overload
    def __getitem__(self, rank: int) -> tuple[Any, ...]: ...
    @overload
    def __getitem__(self, rank: slice) -> Sequence[tuple[Any, ...]]: ...
    def __getitem__(self, rank: int | slice) -> Any:
        if isinstance(rank, slice):
            return [self[index] for index in range(*rank.indices(len(self)))]
        return self._parts[rank], self._job.rows(self._parts[rank])
