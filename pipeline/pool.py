"""Worker processes under supervision: one that hangs, crashes or is killed costs its task alone."""

import atexit
import json
import os
import pickle
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.environment import added_environment
from pipeline.errors import FindingsError

_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from pipeline.worker import main; main(sys.argv[2:])"
_TUNED = {
    # PDFium asks for and frees small pieces of memory all the time. glibc keeps seven of a size at hand for that; with
    # more of them, reading takes a twentieth less time. Other systems pass over this.
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=2000",
    # NumPy starts threads for products of matrices as it is imported, in half the time of the rest; none are needed.
    "OPENBLAS_NUM_THREADS": "1",
    # Arrow's own allocator asks the system for 2 MB at a time, which the system fills with zeros, and gives them back.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
_MAX_FAILED_STARTS = 3
# Seconds that a document may take to read; a long one takes two.
TIME_LIMIT = 120
# How often overdue processes are looked for; a timer a task would cost more than a short document.
_WATCH_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Lost:
    """What came of a task whose worker was lost.

    Attributes:
        reason: Why, in words.
    """

    reason: str


class _Died(Exception):
    """The process ended before it answered."""


class _Worker:
    """One process; it stays for further tasks.

    Args:
        modules: What it loads before its first task.
    """

    def __init__(self, *modules: str) -> None:
        # The same modules as here, wherever the working folder is.
        paths = json.dumps([path for path in sys.path if isinstance(path, str)])
        flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        with _interrupts_held():
            self._process = subprocess.Popen(
                [sys.executable, "-c", _START, paths, *modules],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**_TUNED, **os.environ},
                creationflags=flags if os.name == "nt" else 0,
            )
        self.folder = Path.cwd()  # where relative paths lead to there
        self.timed_out = False
        self._deadline: float | None = None
        self._deadline_lock = threading.Lock()

    def call(self, function: Callable[..., Any], arguments: tuple[Any, ...], limit: float | None = None) -> Any:  # noqa: ANN401
        """Call a function there and return what it returns; past the limit `expire` kills the process."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        self._deadline = time.monotonic() + limit if limit else None
        try:
            pickle.dump((function, arguments), stdin, protocol=pickle.HIGHEST_PROTOCOL)
            stdin.flush()
            returned, result = pickle.load(stdout)  # noqa: S301  the other end is our own process
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            raise _Died from error
        finally:
            with self._deadline_lock:
                self._deadline = None
        if self.timed_out:  # killed with the answer on its way
            raise _Died
        if not returned:
            raise FindingsError(f"unexpected error in a worker process: {result}")
        return result

    def expire(self) -> None:
        """Kill the process if what it was asked for is overdue."""
        with self._deadline_lock:
            if self._deadline is not None and time.monotonic() > self._deadline:
                self.timed_out = True
                self._process.kill()

    def end(self) -> int:
        """End the process, whatever it does; return its exit code."""
        self._process.kill()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(OSError, ValueError):
                if stream is not None:
                    stream.close()
        return self._process.wait()

    def alive(self) -> bool:
        """Tell whether the process is still there."""
        return self._process.poll() is None


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Start processes that pass Ctrl-C over, as they inherit this: the parent alone answers it."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def worker_count(asked: int | None, tasks: int, few: int) -> int:
    """Choose a number of processes.

    Args:
        asked: As many as the user wants, if that was said.
        tasks: Number of tasks.
        few: Below this number of tasks, starting more than one process would not pay.

    Returns:
        What was asked for, or one a processor that this process may use; at least 1, at most one a task.
    """
    if asked is None and tasks >= few:
        from joblib import cpu_count  # takes a tenth of a second to load

        asked = int(cpu_count())
    return max(1, min(asked or 1, tasks))


_idle: list[_Worker] = []


@atexit.register
def _end_idle() -> None:
    while _idle:
        _idle.pop().end()


def _reuse() -> _Worker | None:
    """Take a process that waits for work; one that ended, or that works in another folder, is of no use."""
    while _idle:
        worker = _idle.pop()
        if worker.alive() and worker.folder == Path.cwd():
            return worker
        worker.end()
    return None


def tuned_libraries() -> AbstractContextManager[None]:
    """Tune NumPy and Arrow, if loaded in the block, as in the worker processes; what the user set stands."""
    return added_environment(_TUNED)


def start_early(*modules: str) -> None:
    """Start a process for a later `run_tasks`, which loads while the caller has other things to do.

    Args:
        modules: What the process will need, by full names.
    """
    with suppress(OSError):  # `run_tasks` will say so
        _idle.append(_Worker(*modules))


def run_tasks(
    function: Callable[..., Any],
    tasks: Sequence[tuple[Any, ...]],
    *,
    workers: int,
    setup: tuple[Callable[..., Any], tuple[Any, ...]] | None = None,
    limit: float | None = None,
) -> Iterator[tuple[int, Any]]:
    """Call a function once a task, in worker processes.

    The processes are started when they are needed, and kept for the next call of this function.

    Args:
        function: A function of a module; it takes a task as its arguments.
        tasks: What to call it with.
        workers: Number of processes.
        setup: A function and its arguments, called once in each process before its first task.
        limit: Seconds that a task may take.

    Yields:
        (rank of the task, what the function returned, or `Lost`), as they come.

    Raises:
        FindingsError: The function raised something, or no process can be started.
    """
    todo: queue.SimpleQueue[int] = queue.SimpleQueue()
    done: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
    for rank in range(len(tasks)):
        todo.put(rank)
    crew = _Crew(function, tasks, todo, done, setup, limit)
    threads = [threading.Thread(target=crew.work, daemon=True) for _ in range(min(workers, len(tasks)))]
    if limit:
        threads.append(threading.Thread(target=crew.watch, daemon=True))
    try:
        for thread in threads:
            thread.start()
        for _ in range(len(tasks)):
            rank, result = done.get()
            if isinstance(result, BaseException):
                raise result
            yield rank, result
    except BaseException:
        crew.stop()
        raise
    finally:
        crew.finished.set()
        for thread in threads:
            thread.join(timeout=10)


class _Crew:
    """What the threads of one batch share: each looks after one process."""

    def __init__(
        self,
        function: Callable[..., Any],
        tasks: Sequence[tuple[Any, ...]],
        todo: "queue.SimpleQueue[int]",
        done: "queue.SimpleQueue[tuple[int, Any]]",
        setup: tuple[Callable[..., Any], tuple[Any, ...]] | None,
        limit: float | None,
    ) -> None:
        self._function, self._tasks, self._setup, self._limit = function, tasks, setup, limit
        self._todo, self._done = todo, done
        self._active: set[_Worker] = set()
        self._lock = threading.Lock()
        self._stopped = False
        self.finished = threading.Event()

    def watch(self) -> None:
        """End processes that take longer than they may, until the batch is finished."""
        while not self.finished.wait(_WATCH_SECONDS):
            with self._lock:
                for worker in self._active:
                    worker.expire()

    def stop(self) -> None:
        """End all processes of this batch; their threads then end by themselves."""
        with self._lock:
            self._stopped = True
            for worker in self._active:
                worker.end()

    def work(self) -> None:
        """Do tasks until none is left."""
        worker: _Worker | None = None
        rank = 0
        try:
            while not self._stopped:
                try:
                    rank = self._todo.get_nowait()
                except queue.Empty:
                    break
                worker = worker or self._start()
                try:
                    result = worker.call(self._function, self._tasks[rank], self._limit)
                except _Died:
                    result = self._bury(worker)
                    worker = None
                self._done.put((rank, result))
        except BaseException as error:
            self._done.put((rank, error))
            if worker is not None:
                self._bury(worker)
            return
        if worker is not None:
            with self._lock:
                self._active.discard(worker)
                if not self._stopped:
                    _idle.append(worker)

    def _start(self) -> _Worker:
        for _ in range(_MAX_FAILED_STARTS):
            try:
                worker = _reuse() or _Worker()
            except OSError as error:
                raise FindingsError(f"no worker process can be started ({error.strerror or error}).") from error
            with self._lock:
                self._active.add(worker)
            try:
                if self._setup is not None:
                    worker.call(*self._setup)
            except _Died:
                self._bury(worker)
                if self._stopped:
                    break
                continue
            return worker
        raise FindingsError("worker processes end as soon as they start: out of memory? Run again with --workers 1.")

    def _bury(self, worker: _Worker) -> Lost:
        with self._lock:
            self._active.discard(worker)
        code = worker.end()
        if worker.timed_out:
            return Lost(f"took longer than the time limit of {self._limit:g} s")
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        return Lost(f"the process that read it ended ({how}): a parser crashed, or memory ran out")
