"""models/run.json."""

import json
from pathlib import Path

import pytest

from pipeline.errors import TrackingError
from pipeline.run_file import describe_run, find_run, read_run_key


def test_a_key_leads_to_no_run_where_there_is_no_store(tmp_path: Path):
    path = tmp_path / "run.json"
    path.write_text(json.dumps({"run_key": "0123456789abcdef"}), encoding="utf-8")
    assert read_run_key(path) == "0123456789abcdef"
    assert find_run(path, tmp_path) is None
    with pytest.raises(TrackingError, match="the MLflow store has no such run"):
        describe_run(path, tmp_path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run_key": 7}', '{"run_key": "0123\' or 1=1"}'])
def test_a_damaged_file_is_an_error(tmp_path: Path, content: str):
    path = tmp_path / "run.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(TrackingError, match=r"run\.json: missing or damaged; run `dvc repro`"):
        read_run_key(path)
