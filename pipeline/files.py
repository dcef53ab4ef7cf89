"""Writing files and folders so that a reader never meets half of one."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest
from pathlib import Path
from tempfile import mkdtemp

from pipeline.errors import FindingsError


@contextmanager
def replace_file(path: Path) -> Iterator[Path]:
    """Write a file under a temporary name and rename it when all went well.

    Args:
        path: The file to replace.

    Yields:
        The temporary path to write to, in the same folder.

    Raises:
        FindingsError: The folder cannot be written to, or the disk is full.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        temporary.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextmanager
def replace_folder(path: Path) -> Iterator[Path]:
    """Fill a new folder and put it in the place of an old one when all went well.

    Args:
        path: The folder to replace.

    Yields:
        The temporary folder to fill, beside the old one.

    Raises:
        FindingsError: The folder cannot be written to, or the disk is full.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent))
        temporary.chmod(0o777 & ~_umask())
        yield temporary
        if path.exists():
            old = Path(mkdtemp(prefix=f".{path.name}.", suffix=".old", dir=path.parent))
            path.rename(old / path.name)
            temporary.rename(path)
            shutil.rmtree(old)
        else:
            temporary.rename(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _umask() -> int:
    """Return the process's file mode mask (there is no way to read it but to set it)."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def unwritable(path: Path, error: OSError) -> FindingsError:
    """Explain why a file or folder cannot be written.

    Args:
        path: The file or folder.
        error: What the system said.

    Returns:
        The error to raise.
    """
    reason = error.strerror or str(error)
    return FindingsError(f"{path}: cannot be written ({reason}); name another folder, or free space and permissions.")


def hash_file(path: Path) -> str:
    """Hash the content of a file.

    Args:
        path: The file.

    Returns:
        SHA-256 in hex.
    """
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
