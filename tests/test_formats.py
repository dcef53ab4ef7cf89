import pytest

from pipeline.errors import UsageError
from pipeline.formats import Format, parse_formats


def test_formats_are_checked():
    assert parse_formats(["csv", "csv", "xlsx"]) == (Format.CSV, Format.XLSX)
    with pytest.raises(UsageError, match="unknown format 'docx'; accepted: parquet, csv, jsonl, xlsx"):
        parse_formats(["csv", "docx"])
