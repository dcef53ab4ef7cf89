"""The store of sentence tables, one Parquet file a document; only new content is read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version as library_version
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from joblib import Parallel, delayed
from pyarrow import parquet

from pipeline.errors import DataError, DocumentError
from pipeline.files import replace_file
from pipeline.inputs import find_documents
from pipeline.progress import Reporter, SilentReporter
from pipeline.reading import read_document
from pipeline.sentences import SENTENCE_COLUMNS, sentence_table

MANIFEST_FILE = "manifest.json"
FORMAT = 1
_LIBRARIES = ("pypdfium2", "python-docx", "trafilatura", "lxml", "nltk", "pandas", "pyarrow")
_READING_FILES = ("punkt.json", "sentences.py", "splitter.py")
# Starting worker processes takes about as long as reading this many documents.
_FEW = 8


@dataclass(frozen=True)
class ExtractReport:
    """What the extract stage did.

    Attributes:
        new: Documents read.
        reused: Documents whose sentences were there already.
        removed: Documents whose sentences were dropped, because the file is gone or has changed.
        sentences: Sentences in the store.
        failures: (file, reason) of each document that could not be read.
        duplicates: (file, file with the same content) of each document left out as a copy.
    """

    new: int
    reused: int
    removed: int
    sentences: int
    failures: tuple[tuple[str, str], ...]
    duplicates: tuple[tuple[str, str], ...]


def extract_sentences(
    roots: Sequence[Path], output: Path, *, workers: int = -1, reporter: Reporter | None = None
) -> ExtractReport:
    """Bring the store up to date with the documents under some folders.

    Args:
        roots: Folders, searched recursively; one that does not exist holds no document.
        output: Folder of the store.
        workers: Processes that read; -1 for one a processor.
        reporter: Told of the progress.

    Returns:
        What was done.

    Raises:
        DataError: No document could be read at all.
    """
    reporter = reporter or SilentReporter()
    names, duplicates = _hash_documents(roots)
    reader = reader_version()
    old = _reusable(output, reader)
    done = {report_id: {**old[report_id], "report": name} for report_id, (name, _) in names.items() if report_id in old}
    todo = [(report_id, name, path) for report_id, (name, path) in names.items() if report_id not in old]
    try:
        reporter.start(len(todo), "documents")
        jobs = (delayed(_read)(report_id, name, path, output) for report_id, name, path in todo)
        parallel = Parallel(n_jobs=1 if len(todo) < _FEW else workers, return_as="generator_unordered")
        for entry in parallel(jobs):
            done[entry["report_id"]] = entry
            reporter.advance()
        for report_id, name in ((i, n) for i, (n, _) in names.items() if i in old and old[i]["report"] != n):
            _rename(output, report_id, name)
    finally:
        # Also after an interruption: what was read need not be read again.
        reporter.close()
        gone = _write_manifest(output, reader, [done[report_id] for report_id in names if report_id in done])
    failures = tuple((entry["report"], entry["reason"]) for entry in done.values() if entry["reason"])
    if not any(entry["reason"] is None for entry in done.values()):
        listed = "".join(f"\n  {name}: {reason}" for name, reason in failures)
        where = ", ".join(str(root) for root in roots)
        raise DataError(f"{where}: no document could be read; put PDF, DOCX, HTML or text files there.{listed}")
    total = sum(entry["sentences"] for entry in done.values())
    return ExtractReport(len(todo), len(names) - len(todo), gone, total, failures, tuple(duplicates))


def load_manifest(folder: Path) -> dict[str, Any]:
    """Read the list of what the store holds.

    Args:
        folder: Folder of the store.

    Returns:
        `reader` (hash of the reading code), `reports` (report_id, report, file, sentences) and `failures` (file,
        report_id, reason), each in order of the file names.

    Raises:
        DataError: There is no store, or its manifest is damaged.
    """
    path = folder / MANIFEST_FILE
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{path}: missing or damaged; run `dvc repro --force extract`.") from None
    if manifest.get("format") != FORMAT:
        raise DataError(
            f"{path}: found format {manifest.get('format')!r}, accepted: {FORMAT}; run `dvc repro extract`."
        )
    return manifest


def load_sentences(folder: Path) -> pd.DataFrame:
    """Read every sentence of the store.

    Args:
        folder: Folder of the store.

    Returns:
        The sentence tables of all documents, in order of the file names.

    Raises:
        DataError: The store is missing or damaged.
    """
    try:
        tables = [pd.read_parquet(folder / entry["file"]) for entry in load_manifest(folder)["reports"]]
    except OSError as error:
        raise DataError(f"{folder}: damaged ({error}); run `dvc repro --force extract`.") from None
    return pd.concat(tables, ignore_index=True)


def reader_version() -> str:
    """Hash the code and the libraries that turn a document into sentences.

    Returns:
        16 hex digits; sentences made under another version are made again.
    """
    package = Path(__file__).parent
    digest = sha256()
    for path in sorted([*package.glob("reading/*.py"), *(package / name for name in _READING_FILES)]):
        digest.update(path.name.encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    for name in _LIBRARIES:
        digest.update(f"{name}={library_version(name)}".encode())
    return digest.hexdigest()[:16]


def _hash_documents(roots: Iterable[Path]) -> tuple[dict[str, tuple[str, Path]], list[tuple[str, str]]]:
    """Find the documents; map content hash → (name, path), and list the copies."""
    names: dict[str, tuple[str, Path]] = {}
    duplicates: list[tuple[str, str]] = []
    for root in roots:
        for path in find_documents(root) if root.is_dir() else ():
            name = path.relative_to(root).as_posix()
            report_id = sha256(path.read_bytes()).hexdigest()[:16]
            if report_id in names:
                duplicates.append((name, names[report_id][0]))
            else:
                names[report_id] = (name, path)
    return names, duplicates


def _reusable(output: Path, reader: str) -> dict[str, dict[str, Any]]:
    """Map report_id → entry for everything in the store that this reader made, failures among it."""
    try:
        manifest = load_manifest(output)
    except DataError:
        return {}
    if manifest["reader"] != reader:
        return {}
    kept = {e["report_id"]: {**e, "reason": None} for e in manifest["reports"] if (output / e["file"]).is_file()}
    failed = {e["report_id"]: {**e, "report": e["file"], "sentences": 0} for e in manifest["failures"]}
    return kept | failed


def _read(report_id: str, name: str, path: Path, output: Path) -> dict[str, Any]:
    """Read one document into the store; any failure is an entry with its reason."""
    entry: dict[str, Any] = {"report_id": report_id, "report": name, "file": f"{report_id}.parquet", "sentences": 0}
    try:
        table = sentence_table(read_document(path), name, report_id)
    except DocumentError as error:
        return {**entry, "reason": str(error)}
    except Exception as error:  # one document never stops a batch
        return {**entry, "reason": f"unexpected error: {type(error).__name__}: {error}"}
    # A schema of its own, or a column without a value would have another type in each file.
    types = {"page": pa.int64(), "paragraph": pa.int64(), "position": pa.int64()}
    schema = pa.schema([(name, types.get(name, pa.string())) for name in SENTENCE_COLUMNS])
    _write_table(pa.Table.from_pandas(table, schema, preserve_index=False), output / entry["file"])
    return {**entry, "sentences": len(table), "reason": None}


def _rename(output: Path, report_id: str, name: str) -> None:
    """Give the sentences of a renamed file its new name."""
    path = output / f"{report_id}.parquet"
    if path.is_file():
        table = parquet.read_table(path)
        place = table.schema.get_field_index("report")
        _write_table(table.set_column(place, table.schema.field(place), pa.array([name] * len(table))), path)


def _write_table(table: pa.Table, path: Path) -> None:
    with replace_file(path) as temporary:
        parquet.write_table(table, temporary)


def _write_manifest(output: Path, reader: str, entries: list[dict[str, Any]]) -> int:
    """Write the manifest and delete every table that it does not list; return how many those were."""
    reports = [
        {name: e[name] for name in ("report_id", "report", "file", "sentences")} for e in entries if e["reason"] is None
    ]
    failures = [
        {"file": e["report"], "report_id": e["report_id"], "reason": e["reason"]} for e in entries if e["reason"]
    ]
    manifest = {"format": FORMAT, "reader": reader, "reports": reports, "failures": failures}
    with replace_file(output / MANIFEST_FILE) as temporary:
        temporary.write_bytes((json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode())
    listed = {entry["file"] for entry in reports}
    gone = [path for path in output.glob("*.parquet") if path.name not in listed]
    for path in gone:
        path.unlink()
    return len(gone)
