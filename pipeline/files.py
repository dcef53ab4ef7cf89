"""Writing files and folders so that a reader never meets half of one."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import file_digest, sha256
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from pipeline.errors import DataError, FindingsError

REPORT_ID_DIGITS = 16


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
    # Arrow puts words of its own around what the system said.
    reason = os.strerror(error.errno) if error.errno else str(error)
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


def report_id_of(source: Path | bytes) -> str:
    """Identify a document by its content.

    Args:
        source: The file, or its bytes.

    Returns:
        First 16 hex digits of the SHA-256.
    """
    digest = hash_file(source) if isinstance(source, Path) else sha256(source).hexdigest()
    return digest[:REPORT_ID_DIGITS]


def json_bytes(value: Any, *, ensure_ascii: bool = True) -> bytes:  # noqa: ANN401
    """Write a value as the content of a JSON file that people may read, too.

    Args:
        value: Whatever JSON holds.
        ensure_ascii: Whether other characters are escaped.

    Returns:
        UTF-8, indented, with a line end.
    """
    return (json.dumps(value, indent=2, ensure_ascii=ensure_ascii) + "\n").encode()


def read_table_text(path: Path, hint: str = "") -> str:
    """Read a text file that people write: UTF-8, with or without byte order mark.

    Args:
        path: The file.
        hint: What to do where it cannot be opened.

    Returns:
        Its text.

    Raises:
        DataError: It cannot be opened, or is not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}){hint and '; '}{hint}.") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not UTF-8 (byte {error.start}); save the file as UTF-8.") from None


def json_object(line: str) -> dict[str, Any]:
    """Read one line of a JSON-lines file.

    Args:
        line: The line.

    Returns:
        The object that it holds.

    Raises:
        ValueError: It holds none; the message says what was found.
    """
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not valid JSON ({error.msg})") from None
    if not isinstance(value, dict):
        raise ValueError(f"found {type(value).__name__}, expected one JSON object a line")
    return value
