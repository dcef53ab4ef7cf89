import os
import time

import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("transformers")

from pipeline.encoder_processes import default_workers, side_by_side
from pipeline.errors import FindingsError
from pipeline.progress import SilentReporter
from tests.reporters import Recorder


def count_up(first, last, reporter):
    for number in range(first, last):
        reporter.advance(number)
    reporter.message(f"from {first}")
    return os.getpid()


def fail(reporter):
    raise ValueError("no such weights")


def end(reporter):
    os._exit(1)


def wait(reporter):
    time.sleep(60)


def test_each_piece_of_work_tells_how_far_it_is():
    notes = Recorder()
    with side_by_side(2, notes) as submit:
        futures = [submit(count_up, 0, 4), submit(count_up, 10, 12)]
        processes = {future.result() for future in futures}
    assert os.getpid() not in processes
    assert notes.done == 0 + 1 + 2 + 3 + 10 + 11
    assert sorted(notes.messages) == ["from 0", "from 10"]


def test_an_error_arrives_and_ends_the_others():
    begun = time.monotonic()
    with pytest.raises(ValueError, match="no such weights"), side_by_side(2, SilentReporter()) as submit:
        submit(wait)
        submit(fail).result()
    assert time.monotonic() - begun < 50


def test_a_process_that_is_ended_is_told_of():
    with pytest.raises(FindingsError, match="--workers 1"), side_by_side(1, SilentReporter()) as submit:
        submit(end).result()


def test_default():
    assert default_workers() in {1, 2}
