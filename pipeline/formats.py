"""Formats: of documents the commonest one's reader, of tables and findings their names, and the version of columns."""

from collections.abc import Iterable
from enum import StrEnum

from pipeline.errors import UsageError

# Under this key a Parquet file of findings says which version of the documented columns it has. Raised by one whenever
# a column is renamed, removed or changes its type or meaning.
TABLE_FORMAT_KEY = b"findings_format"
TABLE_FORMAT = 1

# What reads the commonest format, by full names: loaded ahead, while there is nothing to read yet.
COMMONEST_READER = ("pipeline.reading.pdf", "pipeline.splitter")

# A file so named is a table of sentences, not a document.
TABLE_SUFFIXES = (".csv", ".jsonl", ".parquet")


class Format(StrEnum):
    """A file format for findings."""

    PARQUET = "parquet"
    CSV = "csv"
    JSONL = "jsonl"
    XLSX = "xlsx"


def parse_formats(names: Iterable[str]) -> tuple[Format, ...]:
    """Check names of formats.

    Args:
        names: As given; one named twice counts once.

    Returns:
        The formats.

    Raises:
        UsageError: A name is unknown.
    """
    accepted = {format.value: format for format in Format}
    given = list(dict.fromkeys(names))
    unknown = [name for name in given if name not in accepted]
    if unknown:
        raise UsageError(f"unknown format {', '.join(map(repr, unknown))}; accepted: {', '.join(accepted)}.")
    return tuple(accepted[name] for name in given)
