"""Findings kept between runs, one part a document: a run labels only what has changed since the last."""

import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version as library_version
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.parts import read_part_schema

if TYPE_CHECKING:
    import pyarrow as pa

CACHE_FOLDER = ".parts"
_PACKAGE = Path(__file__).parent
_LIBRARIES = (
    "lxml",
    "numpy",
    "pandas",
    "pyarrow",
    "pypdfium2",
    "python-docx",
    "scikit-learn",
    "scipy",
    "trafilatura",
)


class Cache:
    """The parts in one folder.

    A part is found again by what it was made from, all of which stands in its path: this product with the libraries
    that read and label, the model, the document's content, and what is stated beside it.

    Args:
        place: The folder, usually the output folder. Only what is in `.parts` there is ever touched.
        model_version: The model's version.
    """

    def __init__(self, place: Path, model_version: str) -> None:
        self._top = place / CACHE_FOLDER
        self.folder = self._top / f"{product_version()}-{model_version}"

    def open(self) -> None:
        """Make the folder that parts go to."""
        self.folder.mkdir(parents=True, exist_ok=True)

    def holds(self, path: Path, schema: "pa.Schema") -> bool:
        """Tell whether a part is there and whole.

        Args:
            path: The part.
            schema: Columns that it must have.

        Returns:
            False also for a file that is damaged where it says what is in it; damage further in is met when the
            part is read.
        """
        try:
            found = read_part_schema(path)
        except (OSError, ValueError):
            return False
        return bool(found.equals(schema))

    def keep(self, parts: Collection[Path]) -> None:
        """Remove everything but some parts: what other models made, and documents that are gone.

        Args:
            parts: What the next run may use again.
        """
        for folder in _listed(self._top):
            if folder != self.folder:
                shutil.rmtree(folder, ignore_errors=True)
        for path in _listed(self.folder):
            if path not in parts:
                with suppress(OSError):
                    path.unlink()

    def clear(self) -> None:
        """Remove all parts."""
        shutil.rmtree(self._top, ignore_errors=True)


def product_version() -> str:
    """Hash this package, and name the libraries whose release may change what is read or labelled.

    Returns:
        16 hex digits.
    """
    digest = sha256()
    for path in sorted([*_PACKAGE.rglob("*.py"), *_PACKAGE.glob("*.json")]):
        digest.update(path.relative_to(_PACKAGE).as_posix().encode() + path.read_bytes().replace(b"\r\n", b"\n"))
    for name in _LIBRARIES:
        digest.update(f"{name}={library_version(name)}".encode())
    return digest.hexdigest()[:16]


def _listed(folder: Path) -> Iterable[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []
