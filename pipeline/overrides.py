"""What people state about a document, in NAME.meta.yaml beside it or a row of manifest.csv, against what it says."""

import csv
import difflib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.errors import DocumentError, UsageError
from pipeline.reading.document import DOC_TYPES, Document, Metadata
from pipeline.reading.grades import GRADES, canonical_grade

SIDECAR_SUFFIX = ".meta.yaml"
MANIFEST_FILE = "manifest.csv"
FIELDS = tuple(field.name for field in fields(Metadata))
_DATES = ("published", "inspection_start", "inspection_end")
_MAX_BYTES = 2**20
_MAX_TEXT = 200


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is stated about one document.

    Attributes:
        values: (field of `Metadata`, value) of each field stated.
        fault: Why what stands beside the document cannot be used, or None.
    """

    values: tuple[tuple[str, Any], ...] = ()
    fault: str | None = None

    def digest(self) -> str:
        """Return a hash of what is stated: empty where nothing is."""
        if not self.values and self.fault is None:
            return ""
        return sha256(json.dumps([self.values, self.fault], ensure_ascii=False).encode()).hexdigest()[:16]

    def apply(self, document: Document) -> Document:
        """Put what is stated in the place of what the document says of itself.

        Args:
            document: The document as read.

        Returns:
            The document with its metadata overridden.

        Raises:
            DocumentError: What is stated cannot be used.
        """
        if self.fault is not None:
            raise DocumentError(self.fault)
        if not self.values:
            return document
        metadata = replace(document.metadata, **dict(self.values))
        start, end = metadata.inspection_start, metadata.inspection_end
        if start and end and start > end:
            raise DocumentError(f"stated inspection_start {start} is after inspection_end {end}; state both")
        return replace(document, metadata=metadata)


@dataclass(frozen=True)
class Manifest:
    """A manifest.csv of documents.

    Attributes:
        rows: File name, relative to the folder → (line, {field: text}).
    """

    rows: Mapping[str, tuple[int, dict[str, str]]]


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder.

    Args:
        folder: The folder that is searched for documents.

    Returns:
        Its rows; none where there is no manifest.csv, or one of another kind, without a column `file`.

    Raises:
        UsageError: The manifest cannot be read, names a file twice, or has a misspelt column.
    """
    path = folder / MANIFEST_FILE
    if not path.is_file():
        return Manifest({})
    rows: dict[str, tuple[int, dict[str, str]]] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = [name.strip() for name in reader.fieldnames or ()]
            if "file" not in columns:
                return Manifest({})
            _check_columns(path, columns)
            for row in reader:
                cells = {name.strip(): value.strip() for name, value in row.items() if name and isinstance(value, str)}
                name = cells.get("file", "").replace("\\", "/").removeprefix("./")
                if name in rows:
                    raise UsageError(f"{path}:{reader.line_num}: {name} stands there twice; keep one row of it.")
                if name:
                    stated = {field: cells[field] for field in FIELDS if cells.get(field)}
                    rows[name] = (reader.line_num, stated)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"{path}: cannot be read ({error}); save it as CSV in UTF-8.") from None
    return Manifest(rows)


def find_overrides(path: Path, name: str = "", manifest: Manifest | None = None) -> Overrides:
    """Find what is stated about a document; a sidecar counts for more than a manifest.

    Args:
        path: The document.
        name: Its name relative to the folder of the manifest.
        manifest: The manifest of that folder.

    Returns:
        What is stated, or why it cannot be used.
    """
    stated: dict[str, Any] = {}
    sidecar = path.with_name(path.name + SIDECAR_SUFFIX)
    try:
        line, cells = manifest.rows.get(name, (0, {})) if manifest is not None else (0, {})
        stated.update(_check(f"{MANIFEST_FILE} line {line}", cells))
        if os.path.lexists(sidecar):
            stated.update(_check(sidecar.name, _load(sidecar)))
    except DocumentError as error:
        return Overrides(fault=str(error))
    return Overrides(tuple(sorted(stated.items())))


def _check_columns(path: Path, columns: list[str]) -> None:
    for name in columns:
        near = difflib.get_close_matches(name, (*FIELDS, "file"), n=1, cutoff=0.8)
        if near and name not in (*FIELDS, "file"):
            raise UsageError(f"{path}: unknown column {name!r} (did you mean {near[0]}?).")


def _load(path: Path) -> dict[str, Any]:
    # Few documents have a sidecar; the others need not wait for the library behind it.
    import yaml

    try:
        if path.stat().st_size > _MAX_BYTES:
            raise DocumentError(f"{path.name}: larger than 1 MB; it holds a few lines of YAML")
        content = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise DocumentError(f"{path.name}: cannot be opened: {error.strerror}") from None
    except (UnicodeDecodeError, yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise DocumentError(f"{path.name}: not valid YAML{where}") from None
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise DocumentError(f"{path.name}: found {type(content).__name__}, expected keys among {', '.join(FIELDS)}")
    return content


def _check(source: str, stated: Mapping[Any, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for key, value in stated.items():
        if key not in FIELDS:
            near = difflib.get_close_matches(str(key), FIELDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"accepted: {', '.join(FIELDS)}"
            raise DocumentError(f"{source}: unknown key {key!r} ({hint})")
        try:
            checked[key] = _value(key, value)
        except ValueError as error:
            raise DocumentError(f"{source}: {key}: found {str(value)[:60]!r}, accepted: {error}") from None
    return checked


def _value(key: str, value: Any) -> Any:  # noqa: ANN401  what YAML holds
    """Check one value; the message of the ValueError says what is accepted."""
    if key == "doc_type":
        if value not in DOC_TYPES:
            raise ValueError(", ".join(DOC_TYPES))
        return value
    if key == "judgements":
        return _judgements(value)
    if value is None:
        return None  # stated to be unknown
    if key in _DATES:
        try:
            return date.fromisoformat(value if isinstance(value, str) else f"{value:%Y-%m-%d}").isoformat()
        except (TypeError, ValueError):
            raise ValueError("a date as YYYY-MM-DD") from None
    if key == "urn" and type(value) is int:
        value = str(value)
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_TEXT:
        raise ValueError(f"text of at most {_MAX_TEXT} characters")
    return " ".join(value.split())


def _judgements(value: Any) -> tuple[tuple[str, str], ...]:  # noqa: ANN401
    accepted = f"a grade by name, each grade one of {', '.join(GRADES)}"
    if isinstance(value, str):
        pairs = [part.rpartition(":") for part in value.split(";") if part.strip()]
        value = {name.strip(): grade.strip() for name, _, grade in pairs}
    if value is None:
        return ()
    if not isinstance(value, dict):
        raise ValueError(accepted)
    found = []
    for name, grade in value.items():
        known = canonical_grade(grade) if isinstance(grade, str) else None
        if not isinstance(name, str) or not name or known is None:
            raise ValueError(accepted)
        found.append((name, known))
    return tuple(found)
