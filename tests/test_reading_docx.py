"""DOCX reading: documents written with python-docx come back block by block."""

import io
from pathlib import Path

import docx
from docx.document import Document as WordDocument
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from pipeline.reading import Block, read_document


def read(document: WordDocument) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in blocks(document)]


def blocks(document: WordDocument) -> tuple[Block, ...]:
    buffer = io.BytesIO()
    document.save(buffer)
    return read_document(Path("plan.docx"), buffer.getvalue()).blocks


def test_blocks_in_document_order() -> None:
    document = docx.Document()
    document.add_heading("Improvement plan", 0)
    document.add_heading("1. Supervision", 2)
    document.add_paragraph("We will train every manager.\u00a0This starts in May.")
    document.add_paragraph("Audits each month", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    for row, cells in zip(table.rows, [("Action", "Owner"), ("Review visits", "Head of Service")], strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    document.add_paragraph("• A typed bullet")
    document.add_paragraph("")
    document.add_paragraph("After the table.")
    assert read(document) == [
        ("title", "Improvement plan"),
        ("heading", "Supervision"),
        ("paragraph", "We will train every manager. This starts in May."),
        ("bullet", "Audits each month"),
        ("table_row", "Action Owner"),
        ("table_row", "Review visits Head of Service"),
        ("bullet", "A typed bullet"),
        ("paragraph", "After the table."),
    ]
    assert [block.level for block in blocks(document)][:3] == [0, 2, 0]
    assert {block.page for block in blocks(document)} == {None}


def test_bold_line_is_a_heading_bold_sentence_is_not() -> None:
    document = docx.Document()
    document.add_paragraph().add_run("What happens next").bold = True
    document.add_paragraph().add_run("This sentence is bold.").bold = True
    assert read(document) == [("heading", "What happens next"), ("paragraph", "This sentence is bold.")]


def test_tracked_changes_count_as_accepted() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Visits are ")._p
    paragraph.append(
        parse_xml(f'<w:del {nsdecls("w")} w:id="1" w:author="a"><w:r><w:delText>rare</w:delText></w:r></w:del>')
    )
    paragraph.append(parse_xml(f'<w:ins {nsdecls("w")} w:id="2" w:author="a"><w:r><w:t>frequent.</w:t></w:r></w:ins>'))
    assert read(document) == [("paragraph", "Visits are frequent.")]


def test_one_column_table_is_a_box() -> None:
    document = docx.Document()
    document.add_table(rows=1, cols=1).cell(0, 0).text = "A boxed sentence. Another one."
    assert read(document) == [("paragraph", "A boxed sentence. Another one.")]
