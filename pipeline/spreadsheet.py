"""Findings as an Excel workbook."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.summary import COUNT_COLUMNS, ReportCounts

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
    """Write a workbook: sheets of findings, and a sheet of counts by report.

    Headers are bold, frozen and filtered; findings that do not fit into one sheet go on in the next. Strings are never
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
        self._names = names
        self._counts = ReportCounts()
        self._sheets = 0
        self._rows = 0
        self._sheet = self._new_sheet()

    def write(self, table: "pa.Table") -> None:
        self._counts.add(table)
        for row in zip(*(column.to_pylist() for column in table.itercolumns()), strict=True):
            if self._rows == MAX_ROWS:
                self._finish_sheet()
                self._sheet = self._new_sheet()
            self._sheet.append([self._cell(value) for value in row])
            self._rows += 1

    def finish(self) -> None:
        self._finish_sheet()
        summaries = self._counts.summaries()
        sheet = self._add_sheet("counts", COUNT_COLUMNS)
        for summary in summaries:
            sheet.append([self._cell(value, sheet) for value in summary.row()])
        sheet.auto_filter.ref = _area(len(COUNT_COLUMNS), len(summaries))

    def abandon(self) -> None:
        for sheet in self._workbook.worksheets:
            sheet.close()  # else openpyxl complains when it is collected

    def _new_sheet(self) -> Any:  # noqa: ANN401
        self._sheets += 1
        self._rows = 0
        return self._add_sheet("findings" if self._sheets == 1 else f"findings {self._sheets}", self._names)

    def _finish_sheet(self) -> None:
        self._sheet.auto_filter.ref = _area(len(self._names), self._rows)

    def _add_sheet(self, title: str, names: Sequence[str]) -> Any:  # noqa: ANN401
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter

        # Write-only sheets have what is used of them here, but their type stubs lack half of it.
        sheet: Any = self._workbook.create_sheet(title)
        sheet.freeze_panes = "A2"
        for rank, name in enumerate(names, start=1):
            sheet.column_dimensions[get_column_letter(rank)].width = _WIDTHS.get(name, max(11, len(name) + 4))
        header = []
        for name in names:
            cell = WriteOnlyCell(sheet, _ILLEGAL.sub("", name))
            cell.data_type = "s"
            cell.font = Font(bold=True)
            header.append(cell)
        sheet.append(header)
        return sheet

    def _cell(self, value: Any, sheet: Any = None) -> Any:  # noqa: ANN401
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
        cell = WriteOnlyCell(self._sheet if sheet is None else sheet, value)
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
