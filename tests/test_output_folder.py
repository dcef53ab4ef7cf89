"""The folder of a batch: held by one run, free again when that run ends in whatever way."""

import os
import signal

import pytest

from pipeline import output_folder
from pipeline.errors import DataError, UsageError
from pipeline.output_folder import LOCK_FILE, hold_output_folder
from tests.holders import holding

HOLD = """
import sys, time
from pathlib import Path
from pipeline.output_folder import hold_output_folder
with hold_output_folder(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder(tmp_path):
    """A process that holds the folder `out`."""
    with holding(HOLD, tmp_path / "out") as process:
        yield process


def test_a_second_run_is_refused_until_the_first_is_gone(holder, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(UsageError) as caught, hold_output_folder(out):
        pass
    assert str(caught.value) == (
        f"{out}: another run (process {holder.pid}) is writing to this folder; wait until it ends, or name another "
        "folder with --output."
    )
    assert caught.value.exit_code == 2
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (out / LOCK_FILE).exists()
    with hold_output_folder(out):
        assert (out / LOCK_FILE).read_text() == str(os.getpid())
    assert list(out.iterdir()) == []


def test_in_one_process_too(tmp_path):
    with hold_output_folder(tmp_path / "out"), pytest.raises(UsageError), hold_output_folder(tmp_path / "out"):
        pass
    assert list((tmp_path / "out").iterdir()) == []


def test_a_new_folder_goes_with_an_error_unless_something_is_in_it(tmp_path):
    for name, used in (("unused", False), ("used", True)):
        with pytest.raises(DataError), hold_output_folder(tmp_path / name):
            if used:
                (tmp_path / name / "x").write_text("x")
            raise DataError("x")
    assert [path.name for path in tmp_path.iterdir()] == ["used"]


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path):
    (tmp_path / "reports").mkdir()
    gone = [".findings.xlsx.17.tmp", ".findings.xlsx.17.tmp.raw", ".summary.csv.17.tmp", ".index.html.17.tmp"]
    gone += ["reports/.0123456789abcdef.html.17.tmp"]
    kept = [".mine.csv.17.tmp", ".findings.csv.tmp", "findings.csv", "reports/.x.html.17.tmp"]
    for name in (*gone, *kept):
        (tmp_path / name).write_text("x")
    with hold_output_folder(tmp_path):
        pass
    found = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(kept)


def test_a_file_system_without_locks_is_used_as_it_is(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(descriptor, operation):
        raise OSError(output_folder.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with hold_output_folder(tmp_path / "out"):
        assert (tmp_path / "out" / LOCK_FILE).exists()
