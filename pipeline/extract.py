"""The store of sentence tables, one Parquet file a document; only new content is read."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pyarrow import parquet

from pipeline.documents import read_input
from pipeline.errors import DataError, DocumentError
from pipeline.files import json_bytes, replace_file
from pipeline.inputs import STORE_FORMAT, STORE_MANIFEST, Input, find_documents, identify, printable
from pipeline.overrides import find_overrides, read_manifest
from pipeline.pool import TIME_LIMIT, Lost, run_tasks, worker_count
from pipeline.progress import Reporter, SilentReporter
from pipeline.reading import preload_readers

if TYPE_CHECKING:
    import pandas as pd

_LIBRARIES = ("pypdfium2", "python-docx", "trafilatura", "lxml", "pandas", "pyarrow")
_READING_FILES = ("overrides.py", "punkt.json", "punkt.py", "sentences.py", "splitter.py")
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
    roots: Sequence[Path],
    output: Path,
    *,
    workers: int | None = None,
    time_limit: float = TIME_LIMIT,
    reporter: Reporter | None = None,
) -> ExtractReport:
    """Bring the store up to date with the documents under some folders.

    Args:
        roots: Folders, searched recursively; one that does not exist holds no document.
        output: Folder of the store.
        workers: Processes that read; by default one a processor, or one where starting more would not pay.
        time_limit: Seconds after which a document counts as failed.
        reporter: Told of the progress.

    Returns:
        What was done.

    Raises:
        DataError: No document could be read at all.
        UsageError: A folder cannot be searched.
    """
    reporter = reporter or SilentReporter()
    found, duplicates, unopened = _find(roots)
    reader = reader_version()
    old = {
        report_id: entry
        for report_id, entry in _reusable(output, reader).items()
        if report_id in found and entry["stated"] == found[report_id].overrides.digest()
    }
    names = {report_id: item.report for report_id, item in found.items()}
    done = {report_id: {**old[report_id], "report": name} for report_id, name in names.items() if report_id in old}
    todo = [(item, output) for report_id, item in found.items() if report_id not in old]
    try:
        reporter.start(len(todo), "documents")
        count = worker_count(workers, len(todo), _FEW)
        for rank, outcome in run_tasks(_read, todo, workers=count, setup=(preload_readers, ()), limit=time_limit):
            item = todo[rank][0]
            lost = isinstance(outcome, Lost)
            # What was lost to time or memory may be read the next time.
            done[item.report_id] = _entry(item, outcome.reason, again=True) if lost else outcome
            reporter.advance()
        for report_id, name in names.items():
            if report_id in old and old[report_id]["report"] != name:
                _rename(output, report_id, name)
    finally:
        # Also after an interruption: what was read need not be read again.
        reporter.close()
        entries = [done[report_id] for report_id in names if report_id in done] + unopened
        gone = _write_manifest(output, reader, entries)
    failures = tuple((entry["report"], entry["reason"]) for entry in [*done.values(), *unopened] if entry["reason"])
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
        `reader` (hash of the reading code), `reports` (report_id, report, file, sentences, stated: hash of what stands
        beside the document, details: what is known of it as a whole) and `failures` (file, report_id: empty where the
        file cannot be opened, reason, stated, again: whether it is tried again), each in order of the file names.

    Raises:
        DataError: There is no store, or its manifest is damaged.
    """
    path = folder / STORE_MANIFEST
    try:
        manifest: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise DataError(f"{path}: missing or damaged; run `dvc repro --force extract`.") from None
    if manifest.get("format") != STORE_FORMAT:
        raise DataError(
            f"{path}: found format {manifest.get('format')!r}, accepted: {STORE_FORMAT}; run `dvc repro extract`."
        )
    return manifest


def load_sentences(folder: Path) -> "pd.DataFrame":
    """Read every sentence of the store.

    Args:
        folder: Folder of the store.

    Returns:
        The sentence tables of all documents, in order of the file names.

    Raises:
        DataError: The store is missing or damaged.
    """
    import pandas as pd

    try:
        tables = [parquet.ParquetFile(folder / entry["file"]).read() for entry in load_manifest(folder)["reports"]]
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{folder}: damaged ({error}); run `dvc repro --force extract`.") from None
    frames: list[pd.DataFrame] = [table.to_pandas() for table in tables]
    return pd.concat(frames, ignore_index=True)


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


def _find(roots: Iterable[Path]) -> tuple[dict[str, Input], list[tuple[str, str]], list[dict[str, Any]]]:
    """Find the documents; map content hash → document, and list the copies, and entries of what cannot be opened."""
    found: dict[str, Input] = {}
    duplicates: list[tuple[str, str]] = []
    unopened: list[dict[str, Any]] = []
    for root in roots:
        if not root.is_dir():
            continue
        manifest = read_manifest(root)
        for path in find_documents(root):
            name = path.relative_to(root).as_posix()
            report = printable(name)
            try:
                report_id = identify(path)
            except DocumentError as error:
                unopened.append(_entry(Input("document", report, "", path), str(error), again=True))
                continue
            if report_id in found:
                duplicates.append((report, found[report_id].report))
            else:
                found[report_id] = Input("document", report, report_id, path, find_overrides(path, name, manifest))
    return found, duplicates, unopened


def _reusable(output: Path, reader: str) -> dict[str, dict[str, Any]]:
    """Map report_id → entry for everything in the store that this reader made, failures among it."""
    try:
        manifest = load_manifest(output)
    except DataError:
        return {}
    if manifest["reader"] != reader:
        return {}
    kept = {e["report_id"]: {**e, "reason": None} for e in manifest["reports"] if (output / e["file"]).is_file()}
    failed = {
        e["report_id"]: {**e, "report": e["file"], "sentences": 0, "details": None}
        for e in manifest["failures"]
        if not e["again"]
    }
    return kept | failed


def _entry(item: Input, reason: str | None, again: bool = False) -> dict[str, Any]:
    return {
        "report_id": item.report_id,
        "report": item.report,
        "file": f"{item.report_id}.parquet",
        "sentences": 0,
        "stated": item.overrides.digest(),
        "details": None,
        "reason": reason,
        "again": again,
    }


def _read(item: Input, output: Path) -> dict[str, Any]:
    """Read one document into the store; any failure is an entry with its reason."""
    entry = _entry(item, None)
    try:
        table, details = read_input(item)
    except DocumentError as error:
        return {**entry, "reason": str(error)}
    except Exception as error:  # one document never stops a batch
        return {**entry, "reason": f"unexpected error: {type(error).__name__}: {error}"}
    _write_table(table, output / entry["file"])
    return {**entry, "sentences": table.num_rows, "details": details}


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
    listed_as = ("report_id", "report", "file", "sentences", "stated", "details")
    reports = [{name: e[name] for name in listed_as} for e in entries if e["reason"] is None]
    failures = [
        {"file": e["report"], "report_id": e["report_id"], "reason": e["reason"], "stated": e["stated"]}
        | {"again": e["again"]}
        for e in entries
        if e["reason"]
    ]
    manifest = {"format": STORE_FORMAT, "reader": reader, "reports": reports, "failures": failures}
    with replace_file(output / STORE_MANIFEST) as temporary:
        temporary.write_bytes(json_bytes(manifest, ensure_ascii=False))
    listed = {entry["file"] for entry in reports}
    for path in output.glob(".*.tmp"):  # of a process that was killed
        path.unlink()
    gone = [path for path in output.glob("*.parquet") if path.name not in listed]
    for path in gone:
        path.unlink()
    return len(gone)
