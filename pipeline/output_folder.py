"""A folder that a batch writes to: usable, held by one run at a time, and clean of what a killed run left."""

import errno
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pipeline.errors import FindingsError, UsageError
from pipeline.files import unwritable

LOCK_FILE = ".lock"
_NO_LOCKS = {errno.EOPNOTSUPP, errno.ENOLCK, errno.ENOSYS}
# A file on its way bears the process's number; see `pipeline.files.replace_file`.
_UNFINISHED = re.compile(r"\.(findings|reports|failures|summary|index|[0-9a-f]{16})\.\w+\.\d+\.tmp(\.raw)?")


@contextmanager
def hold_output_folder(output: Path, option: str = "--output") -> Iterator[None]:
    """Make sure that a folder can be written to, and keep every other run out of it.

    The lock is the system's own on an open file: it ends with the process, however that ends.

    Args:
        output: The folder; created if need be, and taken away again if the block fails before anything is in it.
        option: What names it on the command line.

    Yields:
        While the folder is held.

    Raises:
        UsageError: The folder cannot be written to, or another run holds it.
        FindingsError: The disk is full.
    """
    existed = output.exists()
    try:
        output.mkdir(parents=True, exist_ok=True)
        lock = _open_lock(output / LOCK_FILE)
    except OSError as error:
        reason = "it is a file" if output.is_file() else error.strerror or str(error)
        raise UsageError(f"{output}: cannot be written to ({reason}); name another folder with {option}.") from None
    if lock is None:
        raise UsageError(
            f"{output}: another run{_holder(output / LOCK_FILE)} is writing to this folder; wait until it ends, or "
            f"name another folder with {option}."
        )
    with ExitStack() as stack:
        stack.callback(os.close, lock)
        # Where an open file cannot be removed, an empty one stays, and is no lock once this process has ended.
        stack.callback(_remove, output / LOCK_FILE)
        try:
            os.truncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
        except OSError as error:
            raise unwritable(output, error) from None
        _remove_unfinished(output)
        try:
            yield
        except FindingsError:
            if not existed:
                stack.callback(_remove_empty, output)
                stack.callback(_remove, output / LOCK_FILE)
            raise


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
        # Some network file systems know no locks; there the folder is the user's to look after.
        if error.errno not in _NO_LOCKS:
            raise
    return True


def _holder(path: Path) -> str:
    """Name the process that holds a lock, if it can be told."""
    with suppress(OSError, ValueError):
        return f" (process {int(path.read_text(encoding='ascii'))})"
    return ""


def _remove_unfinished(output: Path) -> None:
    """Remove what a killed run left under temporary names."""
    for folder in (output, output / "reports"):
        with suppress(OSError):
            for path in folder.iterdir():
                if _UNFINISHED.fullmatch(path.name):
                    _remove(path)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
