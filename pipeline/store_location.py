"""Where the MLflow store lies: its address, its folder, its database file and its lock."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy.engine import make_url

from pipeline.errors import StoreError, TrackingError

STORE_FOLDER = Path("mlruns")
DATABASE = "mlflow.db"
_LOCK_SECONDS = 120.0


def tracking_uri(project: Path = Path()) -> str:
    """Tell where runs and models are kept.

    Args:
        project: The project folder.

    Returns:
        MLFLOW_TRACKING_URI where it is set; else the SQLite file mlruns/mlflow.db of the project.

    Raises:
        TrackingError: The folder has a name that no database address can hold.
    """
    return os.environ.get("MLFLOW_TRACKING_URI", "").strip() or local_uri(project)


def local_uri(project: Path = Path()) -> str:
    """Write the path of the local database as an address that SQLAlchemy reads back as the same path.

    Args:
        project: The project folder.

    Returns:
        The address of mlruns/mlflow.db.

    Raises:
        TrackingError: The folder has a name that no database address can hold.
    """
    path = ((project / STORE_FOLDER).resolve() / DATABASE).as_posix()
    # From release 2.1 on SQLAlchemy takes "%20" for a space; before, it took a path as it stood.
    for form in (path, path.replace("%", "%25").replace("?", "%3F")):
        if make_url(f"sqlite:///{form}").database == path:
            return f"sqlite:///{form}"
    raise TrackingError(f"{path}: no database can lie in a folder of this name; rename the folder.")


def is_server(uri: str) -> bool:
    """Tell whether a store is an MLflow server, which decides itself where files go.

    Args:
        uri: Address of the store.

    Returns:
        False for a database.
    """
    return uri.startswith(("http://", "https://"))


def has_store(project: Path = Path()) -> bool:
    """Tell whether there is a store to look into.

    Args:
        project: The project folder.

    Returns:
        False if it would be the local one and has not been created yet.
    """
    return bool(os.environ.get("MLFLOW_TRACKING_URI", "").strip()) or (project / STORE_FOLDER / DATABASE).is_file()


def artifact_root(project: Path = Path()) -> str:
    """Tell where the local store keeps its files.

    Args:
        project: The project folder.

    Returns:
        An absolute file address.
    """
    return ((project / STORE_FOLDER).resolve() / "artifacts").as_uri()


@contextmanager
def store_lock(folder: Path) -> Iterator[None]:
    """Let one process at a time create the store or write to it.

    Args:
        folder: Folder of the store; created if need be.

    Yields:
        While the lock is held.

    Raises:
        TrackingError: The folder cannot be written to, or another process holds the lock for too long.
    """
    connection = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # SQLite's own lock works on every system and is released when the process dies.
        connection = sqlite3.connect(folder / ".lock", timeout=_LOCK_SECONDS, isolation_level=None)
        connection.execute("BEGIN EXCLUSIVE")
    except (OSError, sqlite3.Error) as error:
        if connection is not None:
            connection.close()
        raise TrackingError(
            f"{folder}: cannot be locked for writing ({error}); is another `dvc repro` running, or the disk full?"
        ) from None
    try:
        yield
    finally:
        connection.close()


def check_database(project: Path = Path(), *, write: bool = True) -> None:
    """Wait for a database that another program has locked, and fail at once where a file is no database.

    Args:
        project: The project folder.
        write: Whether the store will be written to.

    Raises:
        StoreError: It stays locked.
        TrackingError: The local store is there and is no database.
    """
    path = project / STORE_FOLDER / DATABASE
    if not path.exists():
        return
    try:
        with closing(sqlite3.connect(path, timeout=_LOCK_SECONDS, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.Error as error:
        if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise StoreError(
                f"{path}: another program has kept it locked for {_LOCK_SECONDS:.0f} s; close that program (a database "
                "browser?) and run the same command again. Nothing is lost."
            ) from None
        raise TrackingError(
            f"{path}: not usable as MLflow store ({error}); move it away, and `dvc repro` fills a new one."
        ) from None


def remove_stray(uri: str) -> None:
    """Remove the empty folder that MLflow makes where it reads a quoted address as a path.

    Args:
        uri: Address of the store.
    """
    quoted = uri.removeprefix("sqlite:///")
    if quoted != uri and quoted != make_url(uri).database:
        with suppress(OSError):
            os.removedirs(Path(quoted).parent)


def without_password(uri: str) -> str:
    """Leave out user, password and query of an address.

    Args:
        uri: Address of a store.

    Returns:
        What may be shown of it.
    """
    scheme, separator, rest = uri.partition("://")
    host, slash, path = rest.partition("/")
    if not host:  # a file
        return uri
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path.partition('?')[0]}"
