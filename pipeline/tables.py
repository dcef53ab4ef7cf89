"""Tables of sentences as users have them: CSV, JSON lines or Parquet with a `text` column."""

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.classifier import PREDICTION_COLUMNS
from pipeline.errors import DataError
from pipeline.formats import TABLE_FORMAT, TABLE_FORMAT_KEY

if TYPE_CHECKING:
    import pyarrow as pa

_INPUT_SUFFIX = "_input"


def read_table(path: Path) -> "pa.Table":
    """Read a table of sentences, one a row.

    Every column is kept. CSV cells stay text, exactly as they stand, so that "007" is not a number. An empty text
    becomes "". A column that bears the name of a prediction (`labels`, `p_strength`, ...) is kept as `<name>_input`.
    Findings that an older version of the product wrote as Parquet are a table like any other; those of a newer version
    are refused, since its columns may mean something else.

    Args:
        path: A .csv (UTF-8, with a header), .jsonl (one object a line) or .parquet file.

    Returns:
        The table; its column `text` is a string without nulls.

    Raises:
        DataError: The file cannot be read as its suffix says, has no column `text`, `text` is not text, or it holds
            findings of a newer version of the product.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    readers = {".csv": _read_csv, ".jsonl": _read_jsonl, ".parquet": _read_parquet}
    try:
        table = readers[path.suffix.lower()](path)
    except (pa.ArrowException, UnicodeDecodeError, csv.Error) as error:
        reason = str(error).splitlines()[0]
        raise DataError(f"{path}: not a readable {path.suffix.lower()} table ({reason}).") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be opened ({error.strerror or error}).") from None
    columns = table.column_names
    found = ", ".join(columns) or "none"
    if "text" not in columns:
        raise DataError(f"{path}: no column 'text'; found {found}. Name the column that holds the sentences 'text'.")
    double = sorted({name for name in columns if columns.count(name) > 1})
    if double:
        raise DataError(f"{path}: column {', '.join(double)} stands there twice; rename one of them.")
    text = table["text"]
    kind = text.type.value_type if pa.types.is_dictionary(text.type) else text.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise DataError(f"{path}: column 'text' holds {kind}, expected text.")
    table = table.set_column(columns.index("text"), "text", pc.fill_null(text.cast(pa.string()), ""))
    renamed = [name + _INPUT_SUFFIX if name in PREDICTION_COLUMNS else name for name in columns]
    if len(set(renamed)) < len(renamed):
        clash = ", ".join(sorted({name for name in renamed if renamed.count(name) > 1}))
        raise DataError(f"{path}: columns {clash} would stand twice in the findings; remove or rename them.")
    return table.rename_columns(renamed).replace_schema_metadata(None)


def _read_csv(path: Path) -> "pa.Table":
    """Read CSV with every cell as text."""
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    return arrow_csv.read_csv(
        path,
        parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )


def _read_parquet(path: Path) -> "pa.Table":
    from pyarrow import parquet

    table = parquet.ParquetFile(path).read()
    written = (table.schema.metadata or {}).get(TABLE_FORMAT_KEY, b"0")
    if not written.isdigit() or int(written) > TABLE_FORMAT:
        found = written.decode(errors="replace")
        raise DataError(
            f"{path}: found findings of format {found}, accepted: up to {TABLE_FORMAT}; "
            "a newer version of inspection-findings wrote them: install that version."
        )
    return table


def _read_jsonl(path: Path) -> "pa.Table":
    """Read JSON lines; a column of mixed or nested values becomes JSON text."""
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise DataError(f"{path}:{number}: not valid JSON ({error}).") from None
            if not isinstance(row, dict):
                raise DataError(f"{path}:{number}: found {type(row).__name__}, expected one JSON object a line.")
            if not isinstance(row.get("text"), str | None):
                raise DataError(f"{path}:{number}: 'text' is {type(row['text']).__name__}, expected text.")
            rows.append(row)
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pa.table({name: _json_column([row.get(name) for row in rows]) for name in names})


def _json_column(values: list[Any]) -> "pa.Array":
    """Make a column of one type: text, truth value, whole number or number; anything else as JSON text."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if not kinds or kinds == {str}:
        return pa.array(values, pa.string())
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds <= {int, float}:
        try:
            return pa.array(values, pa.int64() if kinds == {int} else pa.float64())
        except (pa.ArrowInvalid, OverflowError):
            pass  # whole numbers beyond 64 bits stay what they are, as text
    written = [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    return pa.array(written, pa.string())
