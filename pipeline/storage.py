"""Documents and outputs by URL (s3://, abfs://, gs://, file://, a plain path), through fsspec."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from pipeline.errors import DocumentError, FindingsError, UsageError
from pipeline.files import REPORT_ID_DIGITS
from pipeline.inputs import printable
from pipeline.overrides import MANIFEST_FILE, SIDECAR_SUFFIX, Overrides, find_overrides, read_manifest
from pipeline.reading import DOCUMENT_SUFFIXES

_DOCUMENTS = ", ".join(sorted(DOCUMENT_SUFFIXES))


@dataclass(frozen=True, slots=True)
class Source:
    """A document that was found.

    Attributes:
        root: The URL that it was found by; it says which file system, and where that is.
        path: Its path in that file system.
        report: Name that the findings show.
        overrides: What is stated about it beside it.
    """

    root: str
    path: str
    report: str
    overrides: Overrides

    @property
    def name(self) -> str:
        """The file's name; its suffix may decide the format."""
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Listing:
    """What was found.

    Attributes:
        sources: The documents, in the order that a run on one machine has.
        ignored: Number of files of other kinds in the folders searched.
        unmatched: Files that a manifest names and that are no documents there.
    """

    sources: tuple[Source, ...]
    ignored: int
    unmatched: tuple[str, ...]


def is_url(place: str) -> bool:
    """Tell a URL from a path of this machine.

    Args:
        place: As the user gives it.

    Returns:
        Whether it names a file system.
    """
    return "://" in place


def absolute(place: str) -> str:
    """Make a place mean the same to every process.

    Args:
        place: A URL or a path.

    Returns:
        The URL, or the absolute path.
    """
    return place if is_url(place) else Path(place).absolute().as_posix()


def open_storage(url: str) -> tuple[Any, str]:
    """Find the file system of a URL.

    Args:
        url: A URL, or an absolute path.

    Returns:
        fsspec's file system, and the path in it.

    Raises:
        UsageError: There is no such file system, or its package is not installed.
    """
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{url}: {error}") from None
    return system, path.rstrip("/")


def find_documents(places: Iterable[str], skip: str) -> Listing:
    """Find documents and what is stated beside them.

    Args:
        places: Documents, or folders (searched recursively).
        skip: URL of a folder to leave out of every search: the output.

    Returns:
        What was found, each file once.

    Raises:
        UsageError: A place does not exist, cannot be searched, or holds no document.
    """
    sources: dict[tuple[str, str], Source] = {}
    ignored = 0
    unmatched: list[str] = []
    for url in map(absolute, places):
        system, path = open_storage(url)
        try:
            if system.isdir(path):
                found = _search(url, system, path, skip)
            elif system.isfile(path):
                found = Listing((_single(url, system, path),), 0, ())
            else:
                raise UsageError(f"{url}: no such file or folder; check the spelling, and quote names with spaces.")
        except FindingsError:
            raise
        except Exception as error:  # each file system has its own, for want of credentials as of a server
            raise UsageError(f"{url}: cannot be searched ({type(error).__name__}: {error}).") from None
        for source in found.sources:
            sources.setdefault((type(system).__name__, source.path), source)
        ignored += found.ignored
        unmatched += found.unmatched
    return Listing(tuple(sources.values()), ignored, tuple(unmatched))


def identify(source: Source) -> str:
    """Identify a document by its content, without holding all of it.

    Args:
        source: The document.

    Returns:
        Its `report_id`.

    Raises:
        DocumentError: It is not there, or may not be read.
        OSError: It could not be read this time.
    """
    system, _ = open_storage(source.root)
    try:
        with system.open(source.path, "rb") as file:
            return file_digest(file, "sha256").hexdigest()[:REPORT_ID_DIGITS]
    except (FileNotFoundError, PermissionError) as error:
        raise DocumentError(f"cannot be opened: {error.strerror or type(error).__name__}") from None


def put(file: Path, system: Any, path: str) -> None:  # noqa: ANN401  fsspec has no types
    """Write a file under a temporary name, and move it to its own when it is there as a whole.

    Args:
        file: What to write.
        system: The file system.
        path: Where to.

    Raises:
        FindingsError: That cannot be done.
    """
    folder, _, name = path.rpartition("/")
    temporary = f"{folder}/.{name}.{uuid4().hex}.tmp"
    try:
        system.put_file(str(file), temporary)
        system.mv(temporary, path)
    except Exception as error:  # as above
        raise FindingsError(f"{path}: cannot be written ({type(error).__name__}: {error}).") from None


def _single(url: str, system: Any, path: str) -> Source:  # noqa: ANN401
    name = PurePosixPath(path).name
    if PurePosixPath(name).suffix.lower() not in DOCUMENT_SUFFIXES:
        raise UsageError(f"{url}: a cluster labels documents ({_DOCUMENTS}); label a table without --scheduler.")
    with TemporaryDirectory() as folder:
        if system.isfile(path + SIDECAR_SUFFIX):
            system.get_file(path + SIDECAR_SUFFIX, str(Path(folder) / (name + SIDECAR_SUFFIX)))
        return Source(url, path, printable(name), find_overrides(Path(folder) / name))


def _search(url: str, system: Any, root: str, skip: str) -> Listing:  # noqa: ANN401
    """Search a folder; what is stated there is copied here, and read as it is on one machine."""
    outputs, output = open_storage(skip)
    left_out = f"{output}/" if type(outputs) is type(system) else None
    names = [
        path[len(root) :].lstrip("/") for path in system.find(root) if left_out is None or not path.startswith(left_out)
    ]
    names = sorted((name for name in names if not _hidden(name)), key=lambda name: name.split("/"))
    with TemporaryDirectory() as folder:
        for name in names:
            if name == MANIFEST_FILE or name.endswith(SIDECAR_SUFFIX):
                copy = Path(folder) / name
                copy.parent.mkdir(parents=True, exist_ok=True)
                system.get_file(f"{root}/{name}", str(copy))
        manifest = read_manifest(Path(folder))
        documents = [name for name in names if PurePosixPath(name).suffix.lower() in DOCUMENT_SUFFIXES]
        sources = tuple(
            Source(url, f"{root}/{name}", printable(name), find_overrides(Path(folder) / name, name, manifest))
            for name in documents
        )
    if not documents:
        raise UsageError(f"{url}: no documents in this folder ({_DOCUMENTS}).")
    stated = sum(name.endswith(SIDECAR_SUFFIX) for name in names) + bool(manifest.rows)
    return Listing(sources, len(names) - len(documents) - stated, tuple(sorted(set(manifest.rows) - set(documents))))


def _hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
