"""Worker processes that hang, crash or are killed cost their own file, never the batch."""

import os
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.batch import classify
from pipeline.cli import main
from pipeline.errors import FindingsError
from pipeline.extract import extract_sentences, load_manifest
from pipeline.pool import Lost, run_tasks, start_early, tuned_libraries
from pipeline.reading import read_document
from tests.monsters import endless_pdf

TEXT = "Ferndale children's services\n\nStaff are kind. Plans are too often late.\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="processes are found by way of /proc")


@pytest.fixture
def documents(tmp_path):
    """Two plain documents, and between them one that takes hours."""
    folder = tmp_path / "docs"
    folder.mkdir()
    (folder / "a.txt").write_text(TEXT, encoding="utf-8")
    (folder / "b.pdf").write_bytes(endless_pdf())
    (folder / "c.txt").write_text(TEXT + "More.\n", encoding="utf-8")
    return folder


def children():
    found = set()
    for task in Path("/proc/self/task").iterdir():
        # A thread may end while we look; its processes then are another one's.
        with suppress(OSError):
            found.update(map(int, (task / "children").read_text().split()))
    return found


def kill_who_works(stop):
    """Kill the process that has used the most time, once one has used a second and a half."""
    seen = {}
    while not stop.wait(0.05):
        for pid in children():
            try:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
            except OSError:
                continue
            used = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
            if used - seen.setdefault(pid, used) > 1.5:
                os.kill(pid, signal.SIGKILL)
                return


def test_the_monster_is_an_ordinary_document_when_it_is_small():
    assert [block.text for block in read_document(Path("a.pdf"), endless_pdf(2)).blocks]


def test_a_document_that_hangs_fails_alone_in_classify(documents, model, tmp_path):
    started = time.monotonic()
    arguments = ["--output", tmp_path / "out", "--model", model, "--no-html", "--time-limit", 4]
    assert main(["classify", *map(str, [documents, *arguments])]) == 3
    failures = (tmp_path / "out" / "failures.csv").read_text(encoding="utf-8-sig")
    assert failures.splitlines()[1:] == ["b.pdf,took longer than the time limit of 4 s"]
    assert len((tmp_path / "out" / "reports.csv").read_text(encoding="utf-8-sig").splitlines()) == 1 + 2
    assert time.monotonic() - started < 30


def test_a_document_that_hangs_fails_alone_in_extract_and_is_tried_again(documents, tmp_path):
    for _ in range(2):
        report = extract_sentences([documents], tmp_path / "store", time_limit=4)
        assert report.failures == (("b.pdf", "took longer than the time limit of 4 s"),)
        assert len(load_manifest(tmp_path / "store")["reports"]) == 2
    assert (report.new, report.reused) == (1, 2)
    assert not list((tmp_path / "store").glob(".*"))


@linux
@pytest.mark.parametrize("stage", ["extract", "classify"])
def test_a_worker_that_is_killed_costs_one_document(documents, model, tmp_path, stage):
    stop = threading.Event()
    killer = threading.Thread(target=kill_who_works, args=(stop,))
    killer.start()
    try:
        if stage == "extract":
            failures = extract_sentences([documents], tmp_path / "store").failures
        else:
            failures = classify([documents], tmp_path / "out", model=model, html=False).failures
    finally:
        stop.set()
        killer.join()
    assert failures == (("b.pdf", "the process that read it ended (signal 9): a parser crashed, or memory ran out"),)


def test_results_come_with_their_rank_whatever_the_number_of_processes():
    tasks = [(number, 7) for number in range(40)]
    for workers in (1, 3):
        assert dict(run_tasks(divmod, tasks, workers=workers)) == {n: divmod(n, 7) for n in range(40)}
    assert list(run_tasks(divmod, [], workers=2)) == []


def test_a_crash_in_c_is_a_lost_task():
    outcomes = dict(run_tasks(os._exit, [(3,), (3,)], workers=1))
    assert outcomes == dict.fromkeys(
        (0, 1), Lost("the process that read it ended (exit code 3): a parser crashed, or memory ran out")
    )


def test_an_exception_is_told():
    with pytest.raises(FindingsError, match="unexpected error in a worker process: ZeroDivisionError"):
        list(run_tasks(divmod, [(1, 0)], workers=1))


def test_processes_that_cannot_start_are_told():
    with pytest.raises(FindingsError, match="worker processes end as soon as they start"):
        list(run_tasks(divmod, [(1, 1)], workers=1, setup=(os._exit, (1,))))


@linux
def test_leaving_early_ends_the_processes():
    before = children()
    outcomes = run_tasks(time.sleep, [(0,), (600,), (600,)], workers=2)
    next(outcomes)
    outcomes.close()
    deadline = time.monotonic() + 5
    while children() - before and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not children() - before


def test_what_is_printed_does_not_disturb_the_results():
    assert list(run_tasks(print, [("x",)], workers=1)) == [(0, None)]


def test_relative_paths_lead_to_the_folder_of_the_call(tmp_path, monkeypatch):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        assert list(run_tasks(os.getcwd, [()], workers=1)) == [(0, str(tmp_path / name))]


@pytest.mark.parametrize(
    ("name", "value", "own"),
    [
        # Free memory is kept at hand, and no threads are started for matrices, unless the user says otherwise.
        ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=2000", None),
        ("GLIBC_TUNABLES", "glibc.malloc.tcache_count=2000", "glibc.malloc.tcache_count=3"),
        ("OPENBLAS_NUM_THREADS", "1", None),
        ("OPENBLAS_NUM_THREADS", "1", "2"),
        ("ARROW_DEFAULT_MEMORY_POOL", "system", None),
    ],
)
def test_processes_are_tuned_unless_the_user_says_otherwise(tmp_path, monkeypatch, name, value, own):
    monkeypatch.chdir(tmp_path)  # a process that waits for work was started with another environment
    if own is None:
        monkeypatch.delenv(name, raising=False)
    else:
        monkeypatch.setenv(name, own)
    ((_, found),) = run_tasks(os.getenv, [(name,)], workers=1)
    assert found == (own or value)


def test_libraries_loaded_here_are_tuned_as_well(monkeypatch):
    monkeypatch.delenv("ARROW_DEFAULT_MEMORY_POOL", raising=False)
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    with tuned_libraries():
        assert os.environ["ARROW_DEFAULT_MEMORY_POOL"] == "system"
        assert os.environ["OPENBLAS_NUM_THREADS"] == "2"
    assert "ARROW_DEFAULT_MEMORY_POOL" not in os.environ
    assert os.environ["OPENBLAS_NUM_THREADS"] == "2"


LOADED = "'colorsys' in __import__('sys').modules"


def test_a_process_started_early_loads_what_it_is_told_and_takes_the_first_task():
    ((_, before),) = run_tasks(eval, [(LOADED,)], workers=1)
    start_early("colorsys")
    ((_, after),) = run_tasks(eval, [(LOADED,)], workers=1)
    assert (before, after) == (False, True)


def test_a_process_that_fails_to_load_is_replaced(capfd):
    start_early("no_such_module_anywhere")
    assert list(run_tasks(len, [("four",)], workers=1, setup=(dict, ()))) == [(0, 4)]
    assert "no_such_module_anywhere" in capfd.readouterr().err
