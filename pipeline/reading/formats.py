"""What a file is, told from its bytes rather than from its name."""

import codecs
import io
import re
from pathlib import PurePath

from pipeline.errors import DocumentError

_ACCEPTED = "accepted: PDF, DOCX, HTML, text, Markdown"
_HTML = re.compile(rb"\s*(?:<!--.*?-->\s*|<\?xml[^>]*>\s*)*<(?:!doctype\s+html|html|head|body)\b", re.I | re.S)
_TEXT_SUFFIXES = (".txt", ".md")
_HTML_SUFFIXES = (".html", ".htm")
# Printable in no text; a few of them and the file is no text at all.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x81\x8d\x8f\x90\x9d]")


def detect_format(content: bytes, name: str) -> str:
    """Tell the format of a document.

    Args:
        content: The bytes of the file.
        name: Its name; only its suffix matters, and only where the bytes leave a choice.

    Returns:
        "pdf", "docx", "html" or "text".

    Raises:
        DocumentError: The format is none that is read, or contradicts the suffix.
    """
    suffix = PurePath(name).suffix.lower()
    if not content.strip(b" \t\r\n\x00"):
        raise DocumentError("empty file")
    head = content[:1024]
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _zip_format(content)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise DocumentError("old Word or other Office format (or encrypted DOCX): save it as DOCX without a password")
    if head.startswith(b"{\\rtf"):
        raise DocumentError(f"unknown format: RTF; {_ACCEPTED}")
    if _HTML.match(content.removeprefix(codecs.BOM_UTF8)[:4096]):
        if suffix in (".pdf", ".docx"):
            raise DocumentError(f"HTML page named {suffix}")
        return "html"
    if suffix in _HTML_SUFFIXES:
        return "html"
    if suffix in _TEXT_SUFFIXES:
        return "text"
    if suffix == ".pdf":
        raise DocumentError("damaged PDF: it does not begin as a PDF does")
    if suffix == ".docx":
        raise DocumentError("damaged DOCX: it is no zip archive")
    raise DocumentError(f"unknown format: {suffix or 'no suffix'}; {_ACCEPTED}")


def _zip_format(content: bytes) -> str:
    # Few documents are one; the others need not wait for the libraries behind it.
    import zipfile

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except Exception as error:
        raise DocumentError("damaged DOCX: the zip archive cannot be opened") from error
    if "word/document.xml" in names:
        return "docx"
    if "[Content_Types].xml" in names and any(name.startswith("word/") for name in names):
        return "docx"
    raise DocumentError(f"unknown format: a zip archive that is no DOCX; {_ACCEPTED}")


def decode_text(content: bytes) -> str:
    """Decode text: UTF-8, UTF-16 with a byte order mark, or Windows-1252.

    Args:
        content: The bytes of the file.

    Returns:
        The text with line feeds as line ends, without byte order mark.

    Raises:
        DocumentError: The bytes are no such text.
    """
    text: str | None = None
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encodings: tuple[str, ...] = ("utf-16",)
    else:
        encodings = ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    if text is None or _CONTROL.search(text):
        raise DocumentError("not UTF-8 or Windows-1252 text: save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n")
