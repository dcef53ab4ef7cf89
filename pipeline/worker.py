"""A worker process: takes calls from its standard input, sends results to its standard output, until the input ends."""

import gc
import os
import pickle
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import BinaryIO

# A document is read into ten thousands of small objects, none in a circle with another: looking for such circles after
# every 700 of them, as Python does, would find nothing.
_OBJECTS = 50_000


def main(modules: Iterable[str] = ()) -> None:
    """Serve the process that started this one.

    Args:
        modules: What to load first.
    """
    # What a library prints must not get between the results.
    source = os.fdopen(os.dup(0), "rb")
    sink = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123
        os.dup2(nothing.fileno(), 0)
    gc.set_threshold(_OBJECTS)
    for module in modules:
        import_module(module)
    serve(source, sink)
    sys.stdout.flush()


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Carry out calls one after the other.

    Args:
        source: Pickled (function, arguments), from our own parent process alone.
        sink: Gets a pickled (whether it returned, what it returned or raised in words) for each.
    """
    while True:
        try:
            function, arguments = pickle.load(source)  # noqa: S301  the other end is our own process
        except (EOFError, pickle.UnpicklingError):
            return  # the parent ended, perhaps in the middle of a call
        try:
            reply = (True, function(*arguments))
        except Exception as error:
            reply = (False, f"{type(error).__name__}: {error}")
        try:
            pickle.dump(reply, sink, protocol=pickle.HIGHEST_PROTOCOL)
            sink.flush()
        except OSError:
            return  # nobody waits for it any more
