"""DOCX reading: documents written with python-docx come back block by block."""

import io
from pathlib import Path

import docx
from docx.document import Document as WordDocument
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.opc.packuri import PackURI
from docx.opc.part import Part
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
        ("heading", "1. Supervision"),
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


def tracked(kind: str, text: str) -> str:
    return (
        f'<w:{kind} {nsdecls("w")} w:id="1" w:author="a"><w:r><w:t xml:space="preserve">{text}</w:t></w:r></w:{kind}>'
    )


def test_moved_text_stands_where_it_went() -> None:
    document = docx.Document()
    document.add_paragraph("Visits are ")._p.append(parse_xml(tracked("moveFrom", "old ")))
    document.paragraphs[0]._p.append(parse_xml(tracked("moveTo", "new.")))
    assert read(document) == [("paragraph", "Visits are new.")]


def test_a_deleted_paragraph_end_joins_two_paragraphs() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Visits are ")
    mark = f'<w:rPr {nsdecls("w")}><w:del w:id="1" w:author="a"/></w:rPr>'
    paragraph._p.get_or_add_pPr().append(parse_xml(mark))
    document.add_paragraph("frequent.")
    assert read(document) == [("paragraph", "Visits are frequent.")]


def test_a_deleted_row_and_hidden_text_are_gone() -> None:
    document = docx.Document()
    table = document.add_table(rows=2, cols=2)
    for row, texts in zip(table.rows, [("Old", "row"), ("New", "row")], strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.text = text
    deleted = f'<w:trPr {nsdecls("w")}><w:del w:id="1" w:author="a"/></w:trPr>'
    table.rows[0]._tr.insert(0, parse_xml(deleted))
    document.add_paragraph("Seen.").add_run(" Hidden.").font.hidden = True
    assert read(document) == [("table_row", "New row"), ("paragraph", "Seen.")]


def test_a_text_box_is_not_read_twice() -> None:
    document = docx.Document()
    box = (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        f'{nsdecls("w")}><mc:Choice Requires="x"><w:t>Once.</w:t></mc:Choice>'
        "<mc:Fallback><w:t>Once.</w:t></mc:Fallback></mc:AlternateContent>"
    )
    document.add_paragraph().add_run()._r.append(parse_xml(box))
    assert read(document) == [("paragraph", "Once.")]


def test_footnotes_are_paragraphs_of_their_own() -> None:
    document = docx.Document()
    paragraph = document.add_paragraph("Visits are frequent")
    reference = f'<w:r {nsdecls("w")}><w:footnoteReference w:id="2"/></w:r>'
    paragraph._p.append(parse_xml(reference))
    paragraph.add_run(" and kind.")
    document.add_paragraph("Plans are clear.")
    note = '<w:footnote w:id="{}"{}><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:footnote>'
    notes = note.format(0, ' w:type="separator"', "---") + note.format(2, "", "In most of the year.")
    part = Part(
        PackURI("/word/footnotes.xml"),
        "application/vnd.openxmlformats-officedocument.wordprocessingml.footnotes+xml",
        f"<w:footnotes {nsdecls('w')}>{notes}</w:footnotes>".encode(),
        document.part.package,
    )
    document.part.relate_to(part, RELATIONSHIP_TYPE.FOOTNOTES)
    assert read(document) == [
        ("paragraph", "Visits are frequent and kind."),
        ("paragraph", "In most of the year."),
        ("paragraph", "Plans are clear."),
    ]
    assert [block.aside for block in blocks(document)] == [False, True, False]
