"""Findings as an Excel workbook."""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.section_counts import WIDE_COLUMNS, SectionCounts
from pipeline.summary import split_reports, summarise

if TYPE_CHECKING:
    import pyarrow as pa
    from openpyxl.workbook import Workbook

    from pipeline.outputs import Writer

MAX_ROWS = 1_048_575  # of Excel, less the header
_WIDTHS = {"text": 90, "section": 40, "report": 36, "labels": 22, "provider": 22, "doc_type": 20, "framework": 12}
_WIDTHS |= {"report_id": 18, "model_version": 16, "section_grade": 24, "key": 14}
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
# openpyxl takes the first for formulas and the second for error codes.
_NOT_TEXT = ("=", "#")
_TIMES = re.compile(rb"(<dcterms:(created|modified)[^>]*>)[^<]*")
_EPOCH = (1980, 1, 1, 0, 0, 0)


@contextmanager
def open_xlsx(path: Path, schema: "pa.Schema") -> Iterator["Writer"]:
    """Write a workbook: sheets of findings, and a sheet of counts by report and section.

    Headers are bold, frozen and filtered; rows that do not fit into one sheet go on in the next. Strings are never
    formulas; control characters, which XLSX cannot hold, are left out. Equal findings make equal bytes.

    Args:
        path: The file.
        schema: Columns.

    Yields:
        The writer.
    """
    from openpyxl import Workbook

    workbook = Workbook(write_only=True)
    writer = _Xlsx(workbook, schema.names)
    try:
        yield writer
    except BaseException:
        writer.abandon()
        raise
    writer.finish()
    save_timeless(workbook, path)


def save_timeless(workbook: "Workbook", path: Path) -> None:
    """Save a workbook without the time of its making: equal content gives equal bytes.

    Args:
        workbook: What to save.
        path: The file to write.
    """
    raw = path.with_name(path.name + ".raw")
    try:
        workbook.save(raw)
        _repack(raw, path)
    finally:
        raw.unlink(missing_ok=True)


class _Xlsx:
    """Writes chunks as rows, and counts as it goes."""

    def __init__(self, workbook: "Workbook", names: Sequence[str]) -> None:
        self._workbook = workbook
        self._counts = SectionCounts()
        self._findings = _Sheets(workbook, "findings", names)

    def write(self, table: "pa.Table") -> None:
        for part in split_reports(table):
            self._counts.add(part, summarise(part))
        for row in zip(*(column.to_pylist() for column in table.itercolumns()), strict=True):
            self._findings.append(row)

    def finish(self) -> None:
        self._findings.finish()
        counts = _Sheets(self._workbook, "counts", WIDE_COLUMNS)
        for row in self._counts.wide():
            counts.append(row)
        counts.finish()

    def abandon(self) -> None:
        for sheet in self._workbook.worksheets:
            sheet.close()  # else openpyxl complains when it is collected


class _Sheets:
    """Rows with a header, in as many sheets as they need."""

    def __init__(self, workbook: "Workbook", title: str, names: Sequence[str]) -> None:
        self._workbook = workbook
        self._title = title
        self._names = names
        self._sheets = 0
        self._sheet = self._new_sheet()

    def append(self, row: Iterable[Any]) -> None:
        if self._rows == MAX_ROWS:
            self.finish()
            self._sheet = self._new_sheet()
        self._sheet.append([self._cell(value) for value in row])
        self._rows += 1

    def finish(self) -> None:
        """Set the filter over the rows of the last sheet, which only now are known."""
        self._sheet.auto_filter.ref = _area(len(self._names), self._rows)

    def _new_sheet(self) -> Any:  # noqa: ANN401
        self._sheets += 1
        self._rows = 0
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

        # Write-only sheets have what is used of them here, but their type stubs lack half of it.
        sheet: Any = self._workbook.create_sheet(self._title if self._sheets == 1 else f"{self._title} {self._sheets}")
        sheet.freeze_panes = "A2"
        for rank, name in enumerate(self._names, start=1):
            sheet.column_dimensions[get_column_letter(rank)].width = _WIDTHS.get(name, max(11, len(name) + 4))
        header = []
        for name in self._names:
            cell = WriteOnlyCell(sheet, _ILLEGAL.sub("", name))
            cell.data_type = "s"
            cell.font = Font(bold=True)
            header.append(cell)
        sheet.append(header)
        return sheet

    def _cell(self, value: Any) -> Any:  # noqa: ANN401
        from openpyxl.cell import WriteOnlyCell

        if isinstance(value, list | dict | bytes):
            value = str(value)
        elif isinstance(value, datetime) and value.tzinfo:
            value = value.isoformat()
        if not isinstance(value, str):
            return value
        value = _ILLEGAL.sub("", value)
        if not value.startswith(_NOT_TEXT):
            return value
        cell = WriteOnlyCell(self._sheet, value)
        cell.data_type = "s"
        return cell


def _area(columns: int, rows: int) -> str:
    from openpyxl.utils import get_column_letter

    return f"A1:{get_column_letter(columns)}{rows + 1}"


def _repack(source: Path, target: Path) -> None:
    """Copy a workbook without the time of its making."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            with old.open(name) as reader, new.open(info, "w", force_zip64=True) as writer:
                if name == "docProps/core.xml":
                    writer.write(_TIMES.sub(rb"\g<1>1980-01-01T00:00:00Z", reader.read()))
                else:
                    while chunk := reader.read(2**20):
                        writer.write(chunk)
