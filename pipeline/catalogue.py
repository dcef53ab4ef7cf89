"""The catalogue: published reports, where they are to be had, and the hash that each must have."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from pipeline.errors import DataError, wrong_rows
from pipeline.files import read_table_text
from pipeline.reading import DOC_TYPES, DOCUMENT_SUFFIXES

CATALOGUE_COLUMNS = ("provider", "urn", "type", "published", "address", "sha256", "file")
_NEEDED = ("provider", "type", "sha256", "file")
_HELP = "docs/file-formats.md describes the format"
# What one of the common file systems cannot hold in a name, and what a terminal should not show.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*\\]')
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One published report.

    Attributes:
        provider: The council or other provider.
        urn: The publisher's reference number of the provider; None where it is not known.
        type: One of the document types of a sentence table.
        published: Publication date, ISO 8601; None where it is not known.
        address: Public address of the file; None where it is not known.
        sha256: SHA-256 of the file's bytes, in hex.
        file: Path below the folder of reports.
    """

    provider: str
    urn: str | None
    type: str
    published: str | None
    address: str | None
    sha256: str
    file: str

    def describe(self) -> str:
        """Name the report for a person.

        Returns:
            File, provider, and what is known of reference number and date.
        """
        urn = f"URN {self.urn}" if self.urn else ""
        published = f"published {self.published}" if self.published else ""
        return f"{self.file} ({', '.join(filter(None, (self.provider, urn, published)))})"


def read_catalogue(path: Path) -> tuple[Entry, ...]:
    """Read a catalogue and check every row.

    Args:
        path: A CSV file with `CATALOGUE_COLUMNS`; columns of other names are ignored.

    Returns:
        The entries, in order.

    Raises:
        DataError: The file cannot be read, or is not as documented; the message lists every wrong line.
    """
    entries: list[Entry] = []
    problems: list[str] = []
    lines: dict[tuple[str, str], int] = {}
    for line, row in _read_rows(path):
        found = list(_problems(row))
        for column in ("sha256", "file"):
            # Names that differ in case alone are one file on some systems.
            value = (column, (row[column] or "").casefold())
            if value[1] and lines.setdefault(value, line) != line:
                found.append(f"{column!r} is that of line {lines[value]}")
        problems.extend(f"{path}:{line}: {problem}" for problem in found)
        if not found:
            entries.append(Entry(**{**row, "sha256": (row["sha256"] or "").lower()}))  # type: ignore[arg-type]
    if problems:
        raise wrong_rows("the catalogue", problems, _HELP)
    return tuple(entries)


def _read_rows(path: Path) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield (line number, stripped values) of each row."""
    text = read_table_text(path, "name the catalogue with --catalogue, or run the command in the project folder")
    reader = csv.DictReader(text.splitlines(keepends=True), restval="")
    columns = list(reader.fieldnames or [])
    missing = [name for name in CATALOGUE_COLUMNS if name not in columns]
    if missing:
        raise DataError(f"{path}: no column {', '.join(missing)}; found {', '.join(columns) or 'nothing'}; {_HELP}.")
    for row in reader:
        yield reader.line_num, {name: (row[name] or "").strip() or None for name in CATALOGUE_COLUMNS}


def _problems(row: dict[str, str | None]) -> Iterator[str]:
    """Describe what is wrong with one row."""
    for column in _NEEDED:
        if not row[column]:
            yield f"{column!r} is empty"
    if row["type"] and row["type"] not in DOC_TYPES:
        yield f"found type {row['type']!r}; accepted: {', '.join(DOC_TYPES)}"
    if row["published"] and not _is_date(row["published"]):
        yield f"found published {row['published']!r}, expected a date such as 2024-05-31"
    if row["sha256"] and not re.fullmatch(r"[0-9a-fA-F]{64}", row["sha256"]):
        yield f"found sha256 {row['sha256']!r}, expected 64 hex digits"
    if row["address"] and not is_web_address(row["address"]):
        yield f"found address {row['address']!r}, expected http:// or https:// and a host"
    if row["file"]:
        reason = _unsafe(row["file"])
        if reason:
            yield f"found file {row['file']!r}, which {reason}"


def is_web_address(address: str) -> bool:
    """Tell whether an address is one that may be asked for.

    Args:
        address: Any text.

    Returns:
        True for http and https with a host, and nothing in it that must not stand in an address.
    """
    try:
        parts = urlsplit(address)
        return (
            parts.scheme in ("http", "https")
            and bool(parts.hostname)
            and (parts.port is None or parts.port > 0)
            and address.isascii()
            and not re.search(r"[\x00-\x20\x7f]", address)
        )
    except ValueError:
        return False


def _is_date(value: str) -> bool:
    try:
        return bool(_ISO_DATE.fullmatch(value)) and bool(date.fromisoformat(value))
    except ValueError:
        return False


def _unsafe(file: str) -> str | None:
    """Say why a path must not be written to, or return None."""
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts or path.as_posix() != file:
        return "is not a plain path below the folder of reports"
    if _UNSAFE.search(file) or any(part != part.rstrip(". ") for part in path.parts):
        return "holds a character that not every file system takes"
    if any(part.startswith(".") for part in path.parts):
        return "is hidden, so it would never be read"
    if path.suffix.lower() not in DOCUMENT_SUFFIXES:
        return f"is no document; accepted: {', '.join(sorted(DOCUMENT_SUFFIXES))}"
    return None
