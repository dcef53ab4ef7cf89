"""Whatever a file holds, reading ends in a document or in a short reason."""

import io
import zipfile
from pathlib import Path

import docx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

import pipeline.reading
from pipeline.errors import DocumentError
from pipeline.reading import docx as docx_reading
from pipeline.reading import html as html_reading
from pipeline.reading import read_document

TEXT_REASON = "not UTF-8 or Windows-1252 text: save it as UTF-8"


def make_pdf(password: str | None = None, image: bool = False) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer, encrypt=StandardEncryption(password) if password else None)
    if image:
        canvas.drawImage(ImageReader(Image.new("RGB", (40, 40), "white")), 100, 100)
    else:
        for number in range(30):
            canvas.drawString(72, 780 - 20 * number, f"Sentence number {number} of an authored report is here.")
    canvas.save()
    return buffer.getvalue()


def make_docx() -> bytes:
    document = docx.Document()
    document.add_heading("A plan", 1)
    document.add_paragraph("We will visit children more often.")
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def make_zip(**members: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), text)
    return buffer.getvalue()


def reason(name: str, content: bytes) -> str:
    with pytest.raises(DocumentError) as caught:
        read_document(Path(name), content)
    return str(caught.value)


PAGE = b"<!DOCTYPE html>\n<html><head><title>Not found</title></head><body><p>No such file.</p></body></html>"


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.pdf", PAGE, "HTML page named .pdf"),
        ("a.docx", b"\xef\xbb\xbf  <html><body>x</body></html>", "HTML page named .docx"),
        ("a.pdf", b"", "empty file"),
        ("a.txt", b" \r\n\t ", "empty file"),
        ("a.txt", b"\x00\x00\x00", "empty file"),
        ("a.pdf", make_pdf("secret"), "encrypted PDF: remove the password first"),
        ("a.pdf", make_pdf(image=True), "no text layer: run OCR first"),
        ("a.txt", b"Good work\x00 was seen.", TEXT_REASON),
        ("a.md", b"caf\x81\x8d", TEXT_REASON),
        ("a.txt", b"\xff\xfeA", TEXT_REASON),
        ("a.txt", b"--- ***\n\n...", "no readable text in it"),
        ("a.html", b"<html><body><nav>Home</nav></body></html>", "no main text in this HTML page"),
        ("a.docx", b"PK\x03\x04 but no more", "damaged DOCX: the zip archive cannot be opened"),
        ("a.docx", make_zip(word__document_xml="<broken"), "damaged DOCX: "),
        ("a.pdf", b"just words", "damaged PDF: it does not begin as a PDF does"),
        ("a.docx", b"just words", "damaged DOCX: it is no zip archive"),
        ("a.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "old Word or other Office format"),
        ("a.xlsx", make_zip(xl__workbook_xml="<x/>"), "unknown format: a zip archive that is no DOCX"),
        ("a.rtf", b"{\\rtf1 words}", "unknown format: RTF"),
        ("a.png", b"\x89PNG\r\n\x1a\n", "unknown format: .png; accepted: PDF, DOCX, HTML, text, Markdown"),
    ],
)
def test_reason(name: str, content: bytes, expected: str) -> None:
    assert reason(name, content).startswith(expected)


def test_truncated_pdf() -> None:
    content = make_pdf()
    assert reason("a.pdf", content[: len(content) // 3]).startswith("damaged PDF: ")


def test_docx_without_text() -> None:
    buffer = io.BytesIO()
    docx.Document().save(buffer)
    assert reason("a.docx", buffer.getvalue()) == "no readable text in it"


def test_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx_reading, "MAX_UNPACKED", 2**20)
    content = make_zip(word__document_xml=" " * 2**21)
    assert len(content) < 2**14
    assert reason("a.docx", content) == "DOCX unpacks to 2 MB: at most 1 MB are read"


def test_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the secret words", encoding="utf-8")
    source = zipfile.ZipFile(io.BytesIO(make_docx()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for item in source.namelist():
            data = source.read(item)
            if item == "word/document.xml":
                entity = f'<!DOCTYPE d [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'.encode()
                head, body = data.split(b"?>", 1)
                data = head + b"?>" + entity + body.replace(b"We will", b"&e; We will")
            archive.writestr(item, data)
    try:
        document = read_document(Path("a.docx"), buffer.getvalue())
    except DocumentError:
        return
    assert "secret words" not in " ".join(block.text for block in document.blocks)


def test_too_large_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pipeline.reading, "MAX_FILE_BYTES", 2**20)
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * (3 * 2**20))
    with pytest.raises(DocumentError, match="file of 3 MB: at most 1 MB are read"):
        read_document(path)
    with pytest.raises(DocumentError, match="file of 3 MB"):
        read_document(path, path.read_bytes())


def test_too_large_an_html_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_reading, "MAX_BYTES", 2**20)
    assert reason("a.html", PAGE + b" " * 2**21).startswith("HTML page of 2 MB")


def test_fifty_megabytes_of_html_are_refused_at_once() -> None:
    page = PAGE.replace(b"</body>", b"<p>Staff are kind.</p>" * (50 * 2**20 // 22) + b"</body>")
    assert reason("a.html", page).startswith("HTML page of 50 MB: at most 20 MB are read")


def test_entities_that_grow_are_not_expanded() -> None:
    source = zipfile.ZipFile(io.BytesIO(make_docx()))
    buffer = io.BytesIO()
    laughs = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    with zipfile.ZipFile(buffer, "w") as archive:
        for item in source.namelist():
            data = source.read(item)
            if item == "word/document.xml":
                head, body = data.split(b"?>", 1)
                entities = f'<!DOCTYPE d [<!ENTITY e0 "ha">{laughs}]>'.encode()
                data = head + b"?>" + entities + body.replace(b"We will", b"&e11; We will")
            archive.writestr(item, data)
    try:
        document = read_document(Path("a.docx"), buffer.getvalue())
    except DocumentError:
        return
    assert sum(len(block.text) for block in document.blocks) < 200


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        read_document(tmp_path / "none.pdf")
    with pytest.raises(DocumentError, match="a folder, not a file"):
        read_document(tmp_path)


def test_bytes_tell_the_format_not_the_name() -> None:
    assert read_document(Path("a.txt"), make_pdf()).blocks[0].page == 1
    assert read_document(Path("a.pdf"), make_docx()).blocks[0].text == "A plan"


@pytest.mark.parametrize("content", [make_pdf(), make_docx()], ids=["pdf", "docx"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_mutated_files_end_in_a_document_or_a_reason(content: bytes, data: st.DataObject) -> None:
    mutated = bytearray(content)
    for _ in range(data.draw(st.integers(1, 20))):
        mutated[data.draw(st.integers(0, len(mutated) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(mutated)))
    for name in ("a.pdf", "a.docx"):
        try:
            read_document(Path(name), bytes(mutated[: cut or None]))
        except DocumentError as error:
            assert len(str(error)) < 160
            assert "\n" not in str(error)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400), st.sampled_from(["a.txt", "a.md", "a.html", "a.pdf", "a.docx", "a"]))
def test_any_bytes_end_in_a_document_or_a_reason(content: bytes, name: str) -> None:
    try:
        read_document(Path(name), content)
    except DocumentError as error:
        assert str(error)
