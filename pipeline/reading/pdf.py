"""PDF → Document, by way of pypdfium2."""

import ctypes

import pypdfium2.raw as pdfium

from pipeline.errors import DocumentError
from pipeline.reading.document import Document
from pipeline.reading.layout import lay_out
from pipeline.reading.lines import Line, LineReader
from pipeline.reading.metadata import find_metadata

MAX_PAGES = 5000
_SCANNED_CHARACTERS = 20


def read_pdf(content: bytes) -> Document:
    """Read a PDF's text layer.

    Args:
        content: The bytes of the file.

    Returns:
        The document.

    Raises:
        DocumentError: The file is encrypted, damaged, or holds no text.
    """
    pages, heights = _read_pages(content)
    if sum(len(line.text) for page in pages for line in page) < _SCANNED_CHARACTERS:
        raise DocumentError("no text layer: run OCR first")
    blocks, dropped = lay_out(pages, heights)
    if not blocks:
        raise DocumentError("no text layer: run OCR first")
    return Document(find_metadata(blocks), tuple(blocks), tuple(dropped), len(pages))


def _read_pages(content: bytes) -> tuple[list[list[Line]], list[float]]:
    handle = pdfium.FPDF_LoadMemDocument64(content, len(content), None)
    if not handle:
        raise _load_error(content)
    try:
        count = pdfium.FPDF_GetPageCount(handle)
        if count <= 0:
            raise DocumentError("damaged PDF: it has no pages")
        if count > MAX_PAGES:
            raise DocumentError(f"PDF of {count} pages: at most {MAX_PAGES} are read")
        reader = LineReader()
        pages: list[list[Line]] = []
        heights: list[float] = []
        for index in range(count):
            lines, height = _read_page(handle, reader, index)
            pages.append(lines)
            heights.append(height)
        return pages, heights
    finally:
        pdfium.FPDF_CloseDocument(handle)


def _read_page(handle: object, reader: LineReader, index: int) -> tuple[list[Line], float]:
    page = pdfium.FPDF_LoadPage(handle, index)
    if not page:
        raise DocumentError(f"damaged PDF: page {index + 1} cannot be read")
    try:
        height = float(pdfium.FPDF_GetPageHeightF(page))
        textpage = pdfium.FPDFText_LoadPage(page)
        if not textpage:
            raise DocumentError(f"damaged PDF: the text of page {index + 1} cannot be read")
        try:
            return reader.read(textpage, index + 1), height
        finally:
            pdfium.FPDFText_ClosePage(textpage)
    finally:
        pdfium.FPDF_ClosePage(page)


def _load_error(content: bytes) -> DocumentError:
    code = ctypes.c_ulong(pdfium.FPDF_GetLastError()).value
    if code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
        return DocumentError("encrypted PDF: remove the password first")
    if b"%%EOF" not in content[-2048:]:
        return DocumentError("damaged PDF: it breaks off before its end")
    return DocumentError("damaged PDF: PDFium cannot open it")
