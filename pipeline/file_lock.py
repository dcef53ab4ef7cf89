"""A file that one process at a time may hold, however that process ends."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

_NO_LOCKS = {errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS}
_PAUSE = 0.1


class FileHeldError(Exception):
    """Another process holds the file; the message is " (process N)", or empty where that cannot be told."""


@contextmanager
def hold_file(path: Path, seconds: float = 0.0) -> Iterator[None]:
    """Keep other processes from holding a file, and remove it at the end.

    The lock is the system's own on an open file: it ends with the process, also with `kill -9`. Some network file
    systems know no locks; there the file keeps nobody out.

    Args:
        path: The file; its folder must exist.
        seconds: How long to wait for another process.

    Yields:
        While the file is held.

    Raises:
        FileHeldError: Another process holds it.
        OSError: It cannot be written.
    """
    deadline = time.monotonic() + seconds
    while (descriptor := _open_lock(path)) is None:
        if time.monotonic() >= deadline:
            raise FileHeldError(_holder(path))
        time.sleep(_PAUSE)
    with ExitStack() as stack:
        stack.callback(os.close, descriptor)
        # Where an open file cannot be removed, an empty one stays, and is no lock once this process has ended.
        stack.callback(_remove, path)
        os.truncate(descriptor, 0)
        os.write(descriptor, str(os.getpid()).encode())
        yield


def _open_lock(path: Path) -> int | None:
    """Open and lock a file; return its descriptor, or None where another process holds it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            if not _lock(descriptor):
                os.close(descriptor)
                return None
            # The run before may have removed the file between our opening and locking it.
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    """Lock an open file for this process; tell whether that could be done."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError as error:
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _holder(path: Path) -> str:
    """Name the process that holds a lock, if it can be told."""
    with suppress(OSError, ValueError):
        return f" (process {int(path.read_text(encoding='ascii'))})"
    return ""


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
