"""A Dask cluster: reached, given one task after the other, its errors in words."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pipeline.errors import FindingsError, UsageError

if TYPE_CHECKING:
    from distributed import Client

CONNECT_SECONDS = 10
_WORKER_SECONDS = 60
# A storage service may refuse now and answer a moment later.
_RETRIES = 2


def require_dask() -> None:
    """Make sure that the extra is installed.

    Raises:
        UsageError: It is not.
    """
    try:
        import distributed  # noqa: F401
        import fsspec  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"--scheduler: {error.name} is not installed; run `pip install 'inspection-findings[dask]'`."
        ) from None


@contextmanager
def connect(address: str) -> "Iterator[Client]":
    """Connect to a scheduler that has at least one worker.

    Args:
        address: Its address, e.g. tcp://host:8786.

    Yields:
        The connection.

    Raises:
        UsageError: No scheduler answers, or no worker joins.
        FindingsError: The connection was lost.
    """
    from distributed import Client
    from distributed.comm.core import CommClosedError

    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UsageError(
            f"--scheduler {address}: no Dask scheduler answers there ({reason}); start one with `dask scheduler`, and "
            "name the address that it prints, e.g. tcp://host:8786."
        ) from None
    try:
        with client:
            try:
                client.wait_for_workers(1, timeout=_WORKER_SECONDS)
            except TimeoutError:
                raise UsageError(
                    f"--scheduler {address}: no worker joined within {_WORKER_SECONDS} s; start some with `dask worker "
                    f"{address} --nthreads 1`."
                ) from None
            yield client
    except CommClosedError as error:
        raise FindingsError(
            f"the scheduler at {address} was lost ({error}); what is done is kept: run the same command again."
        ) from None


def run_on_workers(
    client: "Client",
    function: Any,  # noqa: ANN401
    tasks: Sequence[tuple[Any, ...]],
) -> Iterator[tuple[int, Any, str | None]]:
    """Call a function once a task.

    Args:
        client: The connection.
        function: What the workers call.
        tasks: Its arguments, one tuple a call.

    Yields:
        (rank of the task, what came back, None), or (rank, None, why it failed), as they end.

    Raises:
        FindingsError: The function raised one, the scheduler was lost, or a package is missing on a worker.
    """
    from concurrent.futures import CancelledError

    from distributed import KilledWorker, as_completed

    if not tasks:
        return
    prefix = f"{function.__name__}-{uuid4().hex}"
    futures = [
        client.submit(function, *task, key=f"{prefix}-{rank}", retries=_RETRIES, pure=False)
        for rank, task in enumerate(tasks)
    ]
    ranks = {future.key: rank for rank, future in enumerate(futures)}
    waiting = as_completed(futures, loop=client.loop)
    del futures  # a result that nobody holds is not worked out again when its worker is lost
    for future in waiting:
        rank = ranks[future.key]
        try:
            result, failure = future.result(), None
        except CancelledError:
            raise FindingsError(
                "the scheduler was lost; what is done is kept: run the same command again to go on."
            ) from None
        except KilledWorker as error:
            result, failure = None, f"{error.allowed_failures + 1} workers were lost while they read it"
        except FindingsError:
            raise
        except ImportError as error:
            raise not_installed(error) from None
        except OSError as error:
            result, failure = None, f"cannot be opened: {error.strerror or type(error).__name__}"
        except Exception as error:  # one document never stops a batch
            result, failure = None, f"unexpected error: {type(error).__name__}: {error}"
        yield rank, result, failure


def not_installed(error: ImportError) -> FindingsError:
    """Explain that a worker lacks a package.

    Args:
        error: What the worker raised.

    Returns:
        The error to raise.
    """
    return FindingsError(
        f"on a worker: {error}; install inspection-findings[dask], and the package of the storage, on every machine."
    )
