"""Files → documents: one function for every accepted format."""

from dataclasses import replace
from importlib import import_module
from pathlib import Path

from pipeline.errors import DocumentError
from pipeline.formats import COMMONEST_READER
from pipeline.reading.document import DOC_TYPES, KINDS, Block, Document, Metadata
from pipeline.reading.formats import detect_format
from pipeline.reading.matter import mark_matter

DOCUMENT_SUFFIXES = frozenset({".pdf", ".docx", ".html", ".htm", ".txt", ".md"})
MAX_FILE_BYTES = 200 * 1024 * 1024

__all__ = [
    "DOCUMENT_SUFFIXES",
    "DOC_TYPES",
    "KINDS",
    "MAX_FILE_BYTES",
    "Block",
    "Document",
    "Metadata",
    "preload_readers",
    "read_document",
]


def read_document(path: Path, content: bytes | None = None) -> Document:
    """Read a document of any accepted format.

    Args:
        path: The file; its suffix decides only where the bytes leave a choice.
        content: Its bytes, where they are at hand already.

    Returns:
        Metadata and blocks in reading order.

    Raises:
        DocumentError: The file cannot be read; the message is the reason, short enough for a table.
    """
    if content is None:
        content = _load(path)
    _check_size(len(content))
    name = detect_format(content, path.name)
    try:
        document = _read(name, content)
        return replace(document, blocks=mark_matter(document.blocks))
    except DocumentError:
        raise
    except RecursionError as error:
        raise DocumentError(f"damaged {_label(name)}: nested too deeply") from error
    except MemoryError as error:
        raise DocumentError(f"{_label(name)} too large for the memory at hand") from error
    except Exception as error:  # whatever a library raises on bad bytes ends here, with the file, not the batch
        raise DocumentError(f"damaged {_label(name)}: {type(error).__name__} on reading it") from error


def preload_readers() -> None:
    """Load the libraries of the commonest format; a process that is timed document by document does it first."""
    for module in COMMONEST_READER:
        import_module(module)


def _label(name: str) -> str:
    return "text" if name == "text" else name.upper()


def _read(name: str, content: bytes) -> Document:
    # Imported here, so that one format's libraries do not slow the others.
    if name == "pdf":
        from pipeline.reading.pdf import read_pdf

        return read_pdf(content)
    if name == "docx":
        from pipeline.reading.docx import read_docx

        return read_docx(content)
    if name == "html":
        from pipeline.reading.html import read_html

        return read_html(content)
    from pipeline.reading.text import read_text

    return read_text(content)


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise DocumentError(f"file of {size // 2**20} MB: at most {MAX_FILE_BYTES // 2**20} MB are read")


def _load(path: Path) -> bytes:
    try:
        _check_size(path.stat().st_size)
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DocumentError("no such file") from error
    except IsADirectoryError as error:
        raise DocumentError("a folder, not a file") from error
    except OSError as error:
        raise DocumentError(f"cannot be opened: {error.strerror or type(error).__name__}") from error
