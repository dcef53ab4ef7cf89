"""Networks that are trained side by side, each in a process of its own with its share of the processors."""

import logging
import multiprocessing
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.queues import SimpleQueue
from threading import Thread
from typing import Any, Protocol

import torch
from joblib import cpu_count
from transformers.utils.logging import disable_progress_bar

from pipeline.errors import FindingsError
from pipeline.progress import Reporter, SilentReporter

# Two networks with half the processors each train faster than one with all of them, one after the other.
_WORKERS = 2
_ticks: "SimpleQueue[int | str | None] | None" = None


class Submit(Protocol):
    """Hands a function to the next process that is free."""

    def __call__(self, function: Callable[..., Any], *arguments: object) -> "Future[Any]":
        """Hand it over.

        Args:
            function: A function of a module. Its last argument is a reporter, which is added to the others.
            arguments: The others.

        Returns:
            What it will return.
        """


def default_workers() -> int:
    """Tell how many networks are trained at a time: two, or one on a graphics processor or a single processor."""
    return 1 if torch.cuda.is_available() else min(_WORKERS, int(cpu_count()))


@contextmanager
def side_by_side(workers: int, reporter: Reporter) -> Iterator[Submit]:
    """Start processes when they are needed, and end them.

    Args:
        workers: How many.
        reporter: Told of the progress of all of them.

    Yields:
        A function that submits work.

    Raises:
        FindingsError: A process was ended from outside.
    """
    context = multiprocessing.get_context("spawn")
    ticks: SimpleQueue[int | str | None] = context.SimpleQueue()
    listener = Thread(target=_listen, args=(ticks, reporter), daemon=True)
    listener.start()
    threads = max(1, int(cpu_count()) // workers)
    pool = ProcessPoolExecutor(workers, context, initializer=_begin, initargs=(threads, ticks))
    try:
        yield lambda function, *arguments: pool.submit(_call, function, arguments)
    except BaseException as error:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            process.kill()
        if isinstance(error, BrokenProcessPool):
            raise FindingsError(
                "a process that trained a network ended: out of memory? A teacher takes some 6 GB. "
                "Run again with --workers 1; what finished teachers answered is kept."
            ) from None
        raise
    finally:
        pool.shutdown()
        ticks.put(None)
        listener.join()


class _TickReporter(SilentReporter):
    """Passes on how much is done; where one piece of work ends and another begins is nobody's business there."""

    def __init__(self, ticks: "SimpleQueue[int | str | None]") -> None:
        self._ticks = ticks

    def advance(self, count: int = 1, note: str = "") -> None:
        """Pass a count on."""
        self._ticks.put(count)

    def message(self, text: str) -> None:
        """Pass a message on."""
        self._ticks.put(text)


def _begin(threads: int, ticks: "SimpleQueue[int | str | None]") -> None:
    global _ticks
    torch.set_num_threads(threads)
    # What the libraries say while they load and export a network would run between the lines of the progress.
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    disable_progress_bar()
    _ticks = ticks


def _call(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401
    assert _ticks is not None
    return function(*arguments, _TickReporter(_ticks))


def _listen(ticks: "SimpleQueue[int | str | None]", reporter: Reporter) -> None:
    while (tick := ticks.get()) is not None:
        if isinstance(tick, str):
            reporter.message(tick)
        else:
            reporter.advance(tick)
