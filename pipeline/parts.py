"""One document, or some rows of a table → a part: an Arrow file of findings, there whole or not at all."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pipeline.answer_memory import AnswerMemory
from pipeline.classifier import PREDICTION_COLUMNS
from pipeline.documents import read_input
from pipeline.drift import prose_rows
from pipeline.errors import DocumentError, FindingsError
from pipeline.files import hash_file, replace_file
from pipeline.inputs import Input
from pipeline.model_folder import load_model
from pipeline.modes import Mode
from pipeline.outputs import findings_schema
from pipeline.reading import preload_readers
from pipeline.sentences import SENTENCE_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

    from pipeline.classifier import SentenceClassifier

CHUNK_ROWS = 10_000
# Under this key a part's file holds what is known of the document as a whole.
DETAILS = b"document"
# And under this one how many words its prose has, and how many of them the model does not know.
WORDS = b"words"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of work.

    Attributes:
        item: What to label.
        path: Where its findings go.
        first_row: First row of the chunk, in a table.
    """

    item: Input
    path: Path
    first_row: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a piece of work.

    Attributes:
        sentences: Number of sentences labelled.
        failure: Why the document could not be read, or None.
        fault: Why no further piece could be done either, e.g. a full disk, or None.
    """

    sentences: int = 0
    failure: str | None = None
    fault: str | None = None


def plan_parts(item: Input, folder: Path, rows: int | None) -> list[Part]:
    """Divide an input into parts.

    Args:
        item: The input.
        folder: Where parts lie.
        rows: Number of rows of a table; None for a document, which is always one part.

    Returns:
        The parts, in order.
    """
    if rows is None:
        return [Part(item, folder / f"{item.report_id}-{_made_from(item)}.arrow")]
    starts = range(0, max(rows, 1), CHUNK_ROWS)
    return [Part(item, folder / f"{item.report_id}-{rank:06d}.arrow", row) for rank, row in enumerate(starts)]


def _made_from(item: Input) -> str:
    """Hash what decides a part beside the document's bytes; only where that is equal is an earlier part of use."""
    if item.kind == "sentences":
        # The store may have read the same document anew.
        made_from = f"{hash_file(item.path)}{item.details}"
    else:
        # The suffix decides the format where the bytes leave a choice.
        made_from = f"{item.path.suffix.lower()}{item.overrides.digest()}"
    return sha256(made_from.encode()).hexdigest()[:16]


def label_part(part: Part, rows: "pa.Table | None", schema: "pa.Schema", answers: AnswerMemory) -> Outcome:
    """Label one piece of work and write its findings.

    Args:
        part: The piece.
        rows: Its sentences, where they come from a table.
        schema: Columns of the findings.
        answers: The model, and what it said of sentences so far.

    Returns:
        What came of it.
    """
    try:
        sentences, details = _sentences(part.item) if rows is None else (rows, None)
        findings, words = _add_predictions(sentences, schema, answers)
        findings = findings.replace_schema_metadata({WORDS: words} | ({} if details is None else {DETAILS: details}))
    except DocumentError as error:
        return Outcome(failure=str(error))
    except Exception as error:  # one document never stops a batch
        return Outcome(failure=f"unexpected error: {type(error).__name__}: {error}")
    try:
        with replace_file(part.path) as temporary:
            _write(findings, temporary)
    except FindingsError as error:
        return Outcome(fault=str(error))
    return Outcome(findings.num_rows)


def _write(findings: "pa.Table", path: Path) -> None:
    """Write a part; Parquet would take five times as long, and the part is read once."""
    import pyarrow as pa

    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, findings.schema, options=options) as writer:
        writer.write_table(findings)


def read_part(path: Path) -> "pa.Table":
    """Read the findings of a part.

    Args:
        path: The file.

    Returns:
        The findings.

    Raises:
        OSError: It cannot be opened.
        ValueError: It is damaged.
    """
    # One read costs less than one a column.
    with _opened(path.read_bytes()) as reader:
        findings = reader.read_all()
        # Arrow trusts what it reads, and would crash on it later.
        findings.validate(full=True)
        return findings


def read_part_schema(path: Path) -> "pa.Schema":
    """Read the columns of a part, and what is known of the document, without its rows.

    Args:
        path: The file.

    Returns:
        The columns.

    Raises:
        OSError: It cannot be opened.
        ValueError: It is damaged.
    """
    with path.open("rb") as file, _opened(file) as reader:
        return reader.schema


@contextmanager
def _opened(source: bytes | BinaryIO) -> "Iterator[pa.ipc.RecordBatchFileReader]":
    import pyarrow as pa

    try:
        # Waking threads takes longer than reading a part.
        yield pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(use_threads=False))
    except pa.ArrowException as error:
        raise ValueError(str(error)) from None


_worker: "tuple[AnswerMemory, pa.Schema] | None" = None


def start_worker(classifier: "SentenceClassifier", schema: "pa.Schema") -> None:
    """Give a worker process what all of its parts share, once: loading the model anew would take seconds.

    Args:
        classifier: The model.
        schema: Columns of the findings.
    """
    global _worker
    _worker = (AnswerMemory(classifier), schema)
    preload_readers()


def start_worker_from(folder: Path, mode: Mode) -> None:
    """Do the same with the model in a folder, which is read once, however often a process is asked for it.

    Args:
        folder: Model folder; what lies there never changes.
        mode: Who reads the sentences.
    """
    start_worker(_load_once(folder, mode), findings_schema())


@lru_cache(maxsize=1)
def _load_once(folder: Path, mode: Mode) -> "SentenceClassifier":
    classifier = load_model(folder, mode)
    if classifier.encoder is not None:
        classifier.encoder.threads = 1  # as many workers as processors share them
    return classifier


def label_in_worker(part: Part, rows: "pa.Table | None") -> Outcome:
    """Do `label_part` in a worker process.

    Args:
        part: The piece.
        rows: Its sentences, where they come from a table.

    Returns:
        What came of it.

    Raises:
        RuntimeError: The process was not prepared by `start_worker`.
    """
    if _worker is None:
        raise RuntimeError("start_worker must run first")
    answers, schema = _worker
    return label_part(part, rows, schema, answers)


def _sentences(item: Input) -> "tuple[pa.Table, str | None]":
    """Read the sentences of a document, or of a table of the extract store, and what is known of it as a whole."""
    if item.kind == "sentences":
        return _stored_sentences(item.path), item.details
    table, details = read_input(item)
    return table, json.dumps(details)


def _stored_sentences(path: Path) -> "pa.Table":
    from pyarrow import ArrowException, parquet

    try:
        table = parquet.ParquetFile(path).read()
    except (OSError, ArrowException) as error:
        raise DocumentError(f"damaged sentence table ({type(error).__name__}); run `dvc repro extract`") from None
    missing = [name for name in SENTENCE_COLUMNS if name not in table.column_names]
    if missing:
        raise DocumentError(f"damaged sentence table (no column {', '.join(missing)}); run `dvc repro extract`")
    return table


def _add_predictions(sentences: "pa.Table", schema: "pa.Schema", answers: AnswerMemory) -> "tuple[pa.Table, str]":
    """Put the predictions beside the sentences, in the types of the schema; count the words."""
    import pyarrow as pa

    own, new = pa.schema(list(schema)[: -len(PREDICTION_COLUMNS)]), pa.schema(list(schema)[-len(PREDICTION_COLUMNS) :])
    table = _cast(sentences.select(own.names), own)
    found = answers.label(table["text"].to_pylist())
    predicted = _cast(found.to_arrow(), new)
    words = found.words[prose_rows(table)].sum(axis=0)
    return pa.table([*table.columns, *predicted.columns], schema=schema), json.dumps(words.tolist())


def _cast(table: "pa.Table", schema: "pa.Schema") -> "pa.Table":
    # Arrow's functions take longer to load than a report to label.
    return table if table.schema.equals(schema) else table.cast(schema)
