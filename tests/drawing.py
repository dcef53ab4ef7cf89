"""Small authored PDFs, drawn line by line."""

import io
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pipeline.reading import Document, read_document

LEFT, HANG, RIGHT, TOP = 72, 100, 330, 760


class Page:
    """Draws lines down a page; keeps the height of the next one."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas, self.y = canvas, TOP

    def line(self, text: str, x: float = LEFT, size: float = 12, bold: bool = False, step: float = 14.5) -> None:
        self.canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        self.canvas.drawString(x, self.y, text)
        self.y -= step

    def space(self, points: float = 12) -> None:
        self.y -= points


def draw(*pages: object, head: str = "", foot: bool = False) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for number, fill in enumerate(pages, 1):
        fill(Page(canvas))  # type: ignore[operator]
        canvas.setFont("Helvetica", 8)
        if head:
            canvas.drawString(LEFT, 815, head)
        if foot:
            canvas.drawString(LEFT, 30, f"3 to 14 March 2025 {number}")
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def read(content: bytes) -> Document:
    return read_document(Path("report.pdf"), content)


def texts(document: Document, kind: str) -> list[str]:
    return [block.text for block in document.blocks if block.kind == kind]


FULL = "Leaders in Aldmoor know their services well and they act on what children tell them"
