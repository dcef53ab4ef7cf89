"""A file held by one process at a time."""

import os
import time

import pytest

from pipeline.file_lock import FileHeldError, hold_file
from tests.holders import holding

HOLD = """
import sys, time
from pathlib import Path
from pipeline.file_lock import hold_file
with hold_file(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    with holding(HOLD, tmp_path / ".lock") as process:
        yield process


def test_another_process_is_named_and_waited_for(holder, tmp_path):
    path = tmp_path / ".lock"
    with pytest.raises(FileHeldError) as caught, hold_file(path):
        pass
    assert str(caught.value) == f" (process {holder.pid})"
    started = time.monotonic()
    with pytest.raises(FileHeldError), hold_file(path, seconds=0.3):
        pass
    assert time.monotonic() - started >= 0.3
    holder.stdin.write("go\n")
    holder.stdin.flush()
    with hold_file(path, seconds=60):
        assert path.read_text() == str(os.getpid())
    assert not path.exists()
