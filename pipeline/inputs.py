"""Paths as the user gives them → what there is to label, in a stable order."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.errors import DocumentError, UsageError
from pipeline.files import report_id_of
from pipeline.formats import TABLE_SUFFIXES
from pipeline.overrides import MANIFEST_FILE, SIDECAR_SUFFIX, Manifest, Overrides, find_overrides, read_manifest
from pipeline.reading import DOCUMENT_SUFFIXES

STORE_MANIFEST = "manifest.json"
STORE_FORMAT = 2
_DOCUMENTS = ", ".join(sorted(DOCUMENT_SUFFIXES))
_ACCEPTED = f"accepted: documents ({_DOCUMENTS}), folders, and tables ({', '.join(TABLE_SUFFIXES)})"


@dataclass(frozen=True, slots=True)
class Input:
    """One thing to label.

    Attributes:
        kind: `document` to be read, `sentences` read already (a Parquet file with the columns of a sentence table), or
            `table`, a file of the user's with a `text` column.
        report: Name that the findings show.
        report_id: First 16 hex digits of the SHA-256 of the content.
        path: The file.
        overrides: What is stated about a document beside it.
        details: What an extract store says of the document as a whole, as JSON.
    """

    kind: Literal["document", "sentences", "table"]
    report: str
    report_id: str
    path: Path
    overrides: Overrides = field(default_factory=Overrides)
    details: str | None = None


@dataclass(frozen=True)
class Inputs:
    """Everything that was found.

    Attributes:
        items: What to label, each content once, in the order of the paths given and by name within a folder.
        copies: Name of each further file with the content of an item → that item's `report_id`.
        unreadable: (file, reason) of each file that could not even be opened.
        carried: (file, reason) of documents that an extract store already lists as failed.
        ignored: Number of files of other kinds in the folders searched.
        unmatched: Files that a manifest names and that are no documents there.
    """

    items: tuple[Input, ...]
    copies: dict[str, str]
    unreadable: tuple[tuple[str, str], ...]
    carried: tuple[tuple[str, str], ...]
    ignored: int
    unmatched: tuple[str, ...] = ()

    def notes(self) -> list[str]:
        """Say what a user should know although nothing is wrong.

        Returns:
            One line each.
        """
        names = {item.report_id: item.report for item in self.items}
        lines = [f"{copy}: same content as {names[of]}; read once" for copy, of in sorted(self.copies.items())]
        lines += [f"{MANIFEST_FILE} names {name}: no such document" for name in self.unmatched]
        if self.ignored:
            lines.append(f"{self.ignored} file(s) of other kinds ignored; documents are {_DOCUMENTS}")
        return lines


def find_inputs(paths: Iterable[Path], *, skip: Path | None = None) -> Inputs:
    """Find what there is to label.

    Args:
        paths: Documents, folders (searched recursively), tables with a `text` column, or extract stores.
        skip: A folder to leave out of every search: the output.

    Returns:
        What was found.

    Raises:
        UsageError: A path does not exist, is of an unknown kind, holds nothing to label, or tables are mixed with
            documents.
    """
    found = _Collector()
    for path in paths:
        if path.is_dir():
            manifest = _store_manifest(path)
            if manifest is not None:
                found.add_store(path, manifest)
            else:
                found.add_folder(path, skip)
        elif path.is_file():
            found.add_file(path)
        elif os.path.lexists(path):
            raise UsageError(f"{path}: neither a file nor a folder; {_ACCEPTED}.")
        else:
            raise UsageError(f"{path}: no such file or folder; check the spelling, and quote names with spaces.")
    kinds = {"table" if item.kind == "table" else "document" for item in found.items.values()}
    if len(kinds) > 1:
        tables = ", ".join(str(item.path) for item in found.items.values() if item.kind == "table")
        raise UsageError(f"{tables}: tables and documents have different columns; label them in two runs.")
    return Inputs(
        tuple(found.items.values()),
        found.copies,
        tuple(found.unreadable),
        tuple(found.carried),
        found.ignored,
        tuple(found.unmatched),
    )


def find_documents(folder: Path, *, skip: Path | None = None) -> list[Path]:
    """Search a folder for documents.

    Args:
        folder: Searched recursively; hidden files and folders are left out, and links that lead back are harmless.
        skip: A folder to leave out.

    Returns:
        Files with a document's suffix, each folder in order of names.

    Raises:
        UsageError: A folder cannot be searched.
    """
    return [path for path in _walk(folder, skip) if path.suffix.lower() in DOCUMENT_SUFFIXES]


def printable(name: str) -> str:
    """Make a name that can be written into any output of a file's name, which need not be UTF-8.

    Args:
        name: The file's name.

    Returns:
        The same, with U+FFFD for what is not UTF-8.
    """
    return os.fsencode(name).decode("utf-8", "replace")


def identify(path: Path) -> str:
    """Identify a document by its content.

    Args:
        path: The document.

    Returns:
        Its `report_id`.

    Raises:
        DocumentError: It cannot be opened.
    """
    try:
        return report_id_of(path)
    except OSError as error:
        raise DocumentError(f"cannot be opened: {error.strerror or type(error).__name__}") from None


class _Collector:
    """Gathers inputs; equal content is kept once."""

    def __init__(self) -> None:
        self.items: dict[str, Input] = {}
        self.copies: dict[str, str] = {}
        self.unreadable: list[tuple[str, str]] = []
        self.carried: list[tuple[str, str]] = []
        self.ignored = 0
        self.unmatched: list[str] = []
        self._seen: set[Path] = set()

    def add_file(self, path: Path) -> None:
        suffix = path.suffix.lower()
        if suffix in DOCUMENT_SUFFIXES:
            self._add("document", path.name, path)
        elif suffix in TABLE_SUFFIXES:
            self._add("table", path.name, path)
        else:
            raise UsageError(f"{path}: unknown format {suffix or '(no suffix)'}; {_ACCEPTED}.")

    def add_folder(self, folder: Path, skip: Path | None) -> None:
        documents = others = 0
        manifest = read_manifest(folder)
        named = set(manifest.rows)
        for path in _walk(folder, skip):
            if path.suffix.lower() in DOCUMENT_SUFFIXES:
                name = path.relative_to(folder).as_posix()
                self._add("document", name, path, manifest)
                named.discard(name)
                documents += 1
            elif not (named and path == folder / MANIFEST_FILE) and not path.name.endswith(SIDECAR_SUFFIX):
                others += 1
        if not documents:
            seen = f"{others} file(s) of other kinds" if others else "it is empty"
            hint = "; name a table itself, not its folder" if others else ""
            raise UsageError(f"{folder}: nothing to label in this folder ({seen}); {_ACCEPTED}{hint}.")
        self.ignored += others
        self.unmatched.extend(sorted(named))

    def add_store(self, folder: Path, manifest: dict[str, object]) -> None:
        try:
            reports = [
                (str(e["report_id"]), str(e["report"]), str(e["file"]), json.dumps(e["details"]))
                for e in manifest["reports"]  # type: ignore[attr-defined]
            ]
            failures = [(str(e["file"]), str(e["reason"])) for e in manifest.get("failures", [])]  # type: ignore[attr-defined]
        except (KeyError, TypeError, AttributeError):
            raise UsageError(f"{folder / STORE_MANIFEST}: damaged; make it anew with `dvc repro extract`.") from None
        if not reports and not failures:
            raise UsageError(f"{folder}: this store holds no report; put documents in place and run `dvc repro`.")
        for report_id, report, file, details in reports:
            path = folder / file
            if not path.is_file():
                raise UsageError(f"{path}: listed in {STORE_MANIFEST} but missing; run `dvc repro --force extract`.")
            self._keep(Input("sentences", report, report_id, path, details=details))
        self.carried.extend(failures)

    def _add(self, kind: Literal["document", "table"], name: str, path: Path, manifest: Manifest | None = None) -> None:
        real = path.resolve()
        if real in self._seen:  # the same file by two ways is no news
            return
        self._seen.add(real)
        report = printable(name)
        try:
            report_id = identify(path)
        except DocumentError as error:
            self.unreadable.append((report, str(error)))
            return
        overrides = find_overrides(path, name, manifest) if kind == "document" else Overrides()
        self._keep(Input(kind, report, report_id, path, overrides))

    def _keep(self, item: Input) -> None:
        if item.report_id in self.items:
            self.copies[item.report] = item.report_id
        else:
            self.items[item.report_id] = item


def _walk(folder: Path, skip: Path | None) -> Iterator[Path]:
    """Yield the files under a folder in order of names; hidden names and `skip` are left out."""
    skipped = skip.resolve() if skip is not None else None

    def visit(place: Path, above: frozenset[Path]) -> Iterator[Path]:
        real = place.resolve()
        if real == skipped or real in above:
            return
        try:
            entries = sorted(place.iterdir(), key=lambda path: path.name)
        except OSError as error:
            raise UsageError(f"{place}: cannot be searched ({error.strerror}); mend its permissions.") from None
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                yield from visit(entry, above | {real})
            elif entry.is_file():
                yield entry

    return visit(folder, frozenset())


def _store_manifest(folder: Path) -> dict[str, object] | None:
    """Return the manifest if the folder is an extract store; any other manifest.json means nothing here."""
    path = folder / STORE_MANIFEST
    if not path.is_file():
        return None
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(manifest, dict) or "reports" not in manifest:
        return None
    if manifest.get("format") != STORE_FORMAT:
        raise UsageError(
            f"{path}: found store format {manifest.get('format')!r}, accepted: {STORE_FORMAT}; run `dvc repro extract`."
        )
    return manifest
