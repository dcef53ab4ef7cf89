"""A folder that a batch writes to: usable, held by one run at a time, and clean of what a killed run left."""

import errno
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from pipeline.errors import FindingsError, UsageError
from pipeline.file_lock import FileHeldError, hold_file
from pipeline.files import unwritable

LOCK_FILE = ".lock"
_FULL = {errno.ENOSPC, errno.EDQUOT}
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
    with ExitStack() as stack:
        try:
            output.mkdir(parents=True, exist_ok=True)
            stack.enter_context(hold_file(output / LOCK_FILE))
        except FileHeldError as holder:
            raise UsageError(
                f"{output}: another run{holder} is writing to this folder; wait until it ends, or name another folder "
                f"with {option}."
            ) from None
        except OSError as error:
            if error.errno in _FULL:
                raise unwritable(output, error) from None
            reason = "it is a file" if output.is_file() else error.strerror or str(error)
            raise UsageError(f"{output}: cannot be written to ({reason}); name another folder with {option}.") from None
        _remove_unfinished(output)
        try:
            yield
        except FindingsError:
            if not existed:
                stack.callback(_remove_empty, output)
                stack.callback(_remove, output / LOCK_FILE)
            raise


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
