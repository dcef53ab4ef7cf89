"""Findings as files: Parquet, CSV, JSON lines and XLSX, written chunk by chunk in flat memory."""

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from pipeline.classifier import PREDICTION_COLUMNS
from pipeline.csv_tables import safe_cell, write_csv
from pipeline.files import replace_file
from pipeline.formats import TABLE_FORMAT, TABLE_FORMAT_KEY, Format
from pipeline.labels import LABELS
from pipeline.sentences import sentence_schema

if TYPE_CHECKING:
    import pyarrow as pa

FAILURES_FILE = "failures.csv"
_ROW_GROUP = 50_000
# A table of one row takes 20 KB beside the row itself.
_MOST_TABLES = 1_000


class Writer(Protocol):
    """Takes findings chunk by chunk."""

    def write(self, table: "pa.Table") -> None:
        """Append rows.

        Args:
            table: Findings, with the columns that the writer was opened with.
        """


def findings_schema(columns: "pa.Schema | None" = None) -> "pa.Schema":
    """Give the columns of findings with their types.

    Args:
        columns: Columns of the sentence table; by default those of documents (`SENTENCE_COLUMNS`).

    Returns:
        These columns, then `PREDICTION_COLUMNS`.
    """
    import pyarrow as pa

    if columns is None:
        columns = sentence_schema()
    types = {name: pa.float64() for name in PREDICTION_COLUMNS if name.startswith("p_")}
    types |= dict.fromkeys((*LABELS, "uncertain"), pa.bool_())
    return pa.schema([*columns, *(pa.field(name, types.get(name, pa.string())) for name in PREDICTION_COLUMNS)])


@contextmanager
def open_writers(
    folder: Path, formats: Sequence[Format], schema: "pa.Schema", *, stem: str = "findings"
) -> Iterator[list[tuple[Path, Writer]]]:
    """Open one file a format; each appears under its name only when all went well.

    Args:
        folder: Where to write.
        formats: Which formats.
        schema: Columns of all chunks to come.
        stem: File name without suffix.

    Yields:
        (final path, writer) of each format.

    Raises:
        FindingsError: The folder cannot be written to, or the disk is full.
    """
    from pipeline.spreadsheet import open_xlsx

    openers = {
        Format.PARQUET: _open_parquet,
        Format.CSV: _open_csv,
        Format.JSONL: _open_jsonl,
        Format.XLSX: open_xlsx,
    }
    with ExitStack() as stack:
        opened = []
        for format in formats:
            path = folder / f"{stem}.{format}"
            temporary = stack.enter_context(replace_file(path))
            opened.append((path, stack.enter_context(openers[format](temporary, schema))))
        yield opened


def write_failures(path: Path, failures: Iterable[tuple[str, str]]) -> None:
    """Write the list of documents that could not be read.

    Args:
        path: The CSV file; it has a header even where nothing failed.
        failures: (file, reason) of each.
    """
    write_csv(path, ("file", "reason"), failures)


@contextmanager
def _open_parquet(path: Path, schema: "pa.Schema") -> Iterator[Writer]:
    from pyarrow import parquet

    versioned = schema.with_metadata({TABLE_FORMAT_KEY: str(TABLE_FORMAT)})
    with parquet.ParquetWriter(path, versioned, compression="zstd") as file:
        writer = _RowGroups(file)
        yield writer
        writer.flush()


class _RowGroups:
    """Gathers chunks into row groups of one size, whatever the sizes of the documents."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401  pyarrow has no types
        self._file = file
        self._waiting: list[pa.Table] = []
        self._rows = 0

    def write(self, table: "pa.Table") -> None:
        import pyarrow as pa

        self._waiting.append(table)
        self._rows += table.num_rows
        if self._rows >= _ROW_GROUP:
            self.flush()
        elif len(self._waiting) >= _MOST_TABLES:
            self._waiting = [pa.concat_tables(self._waiting).combine_chunks()]

    def flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            self._file.write_table(pa.concat_tables(self._waiting), row_group_size=_ROW_GROUP)
        self._waiting, self._rows = [], 0


@contextmanager
def _open_csv(path: Path, schema: "pa.Schema") -> Iterator[Writer]:
    # The byte order mark is what tells Excel that quotes and dashes are UTF-8.
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow([safe_cell(name) for name in schema.names])
        yield _Csv(rows)


class _Csv:
    """Writes chunks as CSV rows."""

    def __init__(self, rows: Any) -> None:  # noqa: ANN401  the type of csv.writer has no public name
        self._rows = rows

    def write(self, table: "pa.Table") -> None:
        columns = [map(safe_cell, column.to_pylist()) for column in table.itercolumns()]
        self._rows.writerows(zip(*columns, strict=True))


@contextmanager
def _open_jsonl(path: Path, schema: "pa.Schema") -> Iterator[Writer]:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        yield _Jsonl(file)


class _Jsonl:
    """Writes chunks as one JSON object a line."""

    def __init__(self, file: Any) -> None:  # noqa: ANN401
        self._file = file

    def write(self, table: "pa.Table") -> None:
        for row in table.to_pylist():
            self._file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
