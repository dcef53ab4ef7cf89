"""Render documents of the authored corpus as the real files that readers meet: PDF, DOCX, HTML, plain text.

The text comes from `data/labels/authored-*.jsonl`, unchanged and in order; this script adds only what a layout brings
with it: running heads and feet, page and paragraph numbers, a contents page, a web page's navigation. `SAMPLES` says
which document gets which layout.

    python data/samples/render.py                  rewrite every sample, beside this script
    python data/samples/render.py --output DIR     write them to DIR

The same corpus and the locked libraries give the same bytes everywhere: dates are fixed, the PDFs use the standard
fonts, and nothing is compressed, since compressors differ from one zlib to the next.
"""

import argparse
import datetime as dt
import html
import io
import itertools
import json
import re
import textwrap
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import docx
import jinja2
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    PageBreak,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
)
from reportlab.platypus.tableofcontents import TableOfContents

HERE = Path(__file__).resolve().parent
LABELS = HERE.parent / "labels"
SIDE, TOP, BOTTOM = 62, 84, 76  # page margins, points
INK = HexColor(0x000000)


@dataclass(frozen=True)
class Block:
    """Rows of the corpus that stand together: one title, heading, paragraph, bullet or table row."""

    kind: str
    text: str
    section: str | None


@dataclass(frozen=True)
class Source:
    """One document of the corpus."""

    name: str
    provider: str
    published: dt.date
    blocks: tuple[Block, ...]

    @property
    def title(self) -> str:
        """The text of the first title."""
        return next(block.text for block in self.blocks if block.kind == "title")

    @property
    def date(self) -> str:
        """The publication date in words."""
        return f"{self.published.day} {self.published:%B %Y}"

    @property
    def dates(self) -> str:
        """The dates of the inspection in words, or the publication date."""
        found = (b.text.partition(": ")[2] for b in self.blocks if b.text.startswith("Inspection dates: "))
        return next(found, self.date)


@dataclass(frozen=True)
class Layout:
    """One look of printed report. In `head` and `foot`, {provider}, {title}, {date} and {dates} are filled in."""

    head: str
    foot: tuple[str, ...] = ()
    foot_on_first_page: bool = True
    title: float = 20
    heading: float = 14
    body: float = 12
    accent: HexColor = INK
    first_column: float = 0.7  # share of the table's width
    bold_details: bool = False  # dates and inspector wholly bold, or only what stands before the colon
    bold_grades: bool = False
    numbered_from: str = ""  # paragraphs are numbered from the heading that begins so
    contents: bool = False
    publication_line: bool = False
    own_page: tuple[str, ...] = ()  # headings that begin so start a page


SIF = Layout(
    "Inspection report: {provider}", title=21, heading=14, bold_details=True, bold_grades=True, first_column=0.74,
    numbered_from="Summary of findings", contents=True, publication_line=True,
    own_page=("What does the local authority",),
)  # fmt: skip
ILACS_2018 = Layout(
    "{provider}: inspection of services", body=12.5, bold_details=True, numbered_from="The experiences and"
)
ILACS_2022 = replace(
    ILACS_2018, head="Inspection report", foot=("{title}", "{dates}"), foot_on_first_page=False, title=23,
    bold_details=False, first_column=0.5,
)  # fmt: skip
ILACS_2025 = replace(ILACS_2022, accent=HexColor(0x1F3864))
LETTER = Layout("{date}", foot=("Focused visit: {provider}",), title=17, heading=13)
HOME = Layout(
    "Children’s home inspection report", foot=("{provider}", "{dates}"), title=22, heading=15,
    accent=HexColor(0x5B2C6F), first_column=0.62,
)  # fmt: skip


def read_sources() -> dict[str, Source]:
    """Return the documents of the authored corpus by name."""
    rows = [
        json.loads(line)
        for path in sorted(LABELS.glob("authored-*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    named = ((name, list(group)) for name, group in itertools.groupby(rows, key=lambda row: row["report"]))
    return {
        name: Source(name, found[0]["provider"], dt.date.fromisoformat(found[0]["published"]), tuple(to_blocks(found)))
        for name, found in named
        if found[0]["published"]
    }


def to_blocks(rows: list[dict[str, Any]]) -> Iterator[Block]:
    """Join the rows of one paragraph; a line of the title block, such as the inspection dates, stays by itself."""

    def place(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["paragraph"], row["kind"], row["position"] if is_detail(row["text"]) else 0

    for _, group in itertools.groupby(rows, key=place):
        members = list(group)
        yield Block(members[0]["kind"], " ".join(row["text"] for row in members), members[0]["section"])


def is_detail(text: str) -> bool:
    """Tell whether a text is a line of the title block."""
    return text.startswith(("Inspection dates: ", "Lead inspector: "))


def cells(text: str) -> list[str]:
    """Split a table row into its two cells: at the bar, or else after the last colon."""
    if " | " in text:
        return text.split(" | ")
    left, colon, right = text.rpartition(": ")
    return [left + ":", right] if colon else [text, ""]


class Report(BaseDocTemplate):
    """A paginated report that collects its headings for the contents page."""

    def afterFlowable(self, flowable: Flowable) -> None:  # noqa: N802 - reportlab's name
        """Note on which page a main heading landed."""
        if getattr(getattr(flowable, "style", None), "name", "") == "heading":
            self.notify("TOCEntry", (0, flowable.getPlainText(), self.page))


def to_pdf(source: Source, layout: Layout) -> bytes:
    """Render a paginated report.

    Args:
        source: The document.
        layout: Its look.

    Returns:
        The bytes of a PDF.
    """
    words = {"provider": source.provider, "title": source.title, "date": source.date, "dates": source.dates}

    def furniture(canvas: Canvas, doc: BaseDocTemplate) -> None:
        width, height = A4
        canvas.saveState()
        face = "Helvetica" if layout.accent is INK else "Helvetica-Bold"
        canvas.setFont(face, 10)
        canvas.setFillColor(layout.accent)
        canvas.drawRightString(width - SIDE, height - 46, layout.head.format(**words))
        canvas.setFillColor(INK)
        if doc.page > 1 or layout.foot_on_first_page:
            canvas.line(SIDE, BOTTOM - 22, width - SIDE, BOTTOM - 22)
            canvas.setFont(face, 7)
            for rank, line in enumerate(layout.foot):
                canvas.drawString(SIDE, BOTTOM - 32 - 9 * rank, line.format(**words))
            canvas.setFont("Helvetica", 14)
            canvas.drawRightString(width - SIDE, BOTTOM - 38, str(doc.page))
        canvas.restoreState()

    out = io.BytesIO()
    report = Report(
        out, pagesize=A4, title=source.title, author="inspection-findings", invariant=1, pageCompression=0, lang="en-GB"
    )
    width = A4[0] - 2 * SIDE
    frame = Frame(SIDE, BOTTOM, width, A4[1] - TOP - BOTTOM, leftPadding=0, rightPadding=0)
    report.addPageTemplates(PageTemplate(frames=[frame], onPage=furniture))
    report.multiBuild(list(flowables(source, layout, width)))
    return out.getvalue()


def flowables(source: Source, layout: Layout, width: float) -> Iterator[Flowable]:
    """Yield what reportlab sets on the pages, in order."""
    body = ParagraphStyle(
        "body", fontName="Helvetica", fontSize=layout.body, leading=layout.body * 1.25, spaceAfter=layout.body,
        embeddedHyphenation=1,
    )  # fmt: skip
    hanging = ParagraphStyle("numbered", body, leftIndent=25, bulletFontName="Helvetica", bulletFontSize=layout.body)
    bullet = ParagraphStyle("bullet", hanging, leftIndent=18, bulletFontName="ZapfDingbats", bulletFontSize=8)
    cell = ParagraphStyle("cell", body, spaceAfter=0)
    heading = ParagraphStyle(
        "heading", body, fontName="Helvetica-Bold", fontSize=layout.heading, leading=layout.heading * 1.2,
        textColor=layout.accent, spaceBefore=6,
    )  # fmt: skip
    subheading = ParagraphStyle("subheading", heading, fontSize=layout.body + 1, textColor=INK)
    title = ParagraphStyle(
        "title", heading, fontName="Helvetica", fontSize=layout.title, leading=layout.title * 1.2, spaceAfter=14,
    )  # fmt: skip

    number = 0
    for kind, group in itertools.groupby(source.blocks, key=lambda block: block.kind):
        blocks = list(group)
        if kind == "table_row":
            rows = [cells(block.text) for block in blocks]
            yield judgement_table(rows, layout, width, cell)
            yield Spacer(1, 14)
            if layout.contents:
                line = ParagraphStyle("contents", body, rightIndent=30, spaceAfter=4)
                yield from (PageBreak(), Paragraph("Contents", title))
                yield TableOfContents(levelStyles=[line], dotsMinLevel=-1)
                layout = replace(layout, contents=False)
                yield PageBreak()
            continue
        for block in blocks:
            text = html.escape(block.text, quote=False)
            if kind == "title":
                yield Paragraph(text, title)
            elif kind == "heading":
                if block.text.startswith(layout.own_page or ("\0",)):
                    yield PageBreak()
                yield CondPageBreak(7 * layout.body)  # a heading takes two lines of its text with it
                if layout.numbered_from and block.text.startswith(layout.numbered_from):
                    number = number or 1
                yield Paragraph(text, heading if block.text == block.section else subheading)
            elif kind == "bullet":
                yield Paragraph(text, bullet, bulletText="n")  # a black square in this font
            elif is_detail(block.text):
                name, _, value = text.partition(": ")
                yield Paragraph(f"<b>{text}</b>" if layout.bold_details else f"<b>{name}:</b> {value}", body)
                if layout.publication_line and name == "Inspection dates":
                    yield Paragraph(f"<b>Report published: {source.date}</b>", body)
            elif number:
                yield Paragraph(text, hanging, bulletText=f"{number}.")
                number += 1
            else:
                yield Paragraph(text, body)


def judgement_table(rows: list[list[str]], layout: Layout, width: float, style: ParagraphStyle) -> Table:
    """Return a ruled table of two columns; judgements numbered 2.1 stand indented under 2."""
    header = rows[0] == ["Judgement", "Grade"]
    indented = ParagraphStyle("indented", style, leftIndent=28)

    def paragraph(text: str, bold: bool, look: ParagraphStyle) -> Paragraph:
        return Paragraph(f"<b>{html.escape(text)}</b>" if bold else html.escape(text), look)

    data = [
        [
            paragraph(left, header and rank == 0, indented if re.match(r"\d\.\d", left) else style),
            paragraph(right, layout.bold_grades or (header and rank == 0), style),
        ]
        for rank, (left, right) in enumerate(rows)
    ]
    share = layout.first_column
    look = [("GRID", (0, 0), (-1, -1), 0.8, INK), ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            ("TOPPADDING", (0, 0), (-1, -1), 6), ("BOTTOMPADDING", (0, 0), (-1, -1), 6)]  # fmt: skip
    return Table(data, colWidths=[width * share, width * (1 - share)], style=look)


def to_docx(source: Source, head: str) -> bytes:
    """Render a word processor's document with a running head and a page number.

    Args:
        source: The document.
        head: The running head.

    Returns:
        The bytes of a DOCX.
    """
    document = docx.Document()
    for style in list(document.styles):  # the template's hundred table styles are dead weight
        if style.type == WD_STYLE_TYPE.TABLE and style.name not in ("Normal Table", "Table Grid"):
            style.delete()
    for rel_id, rel in list(document.part.rels.items()):
        if rel.reltype.endswith("/stylesWithEffects"):
            del document.part.rels[rel_id]
    package_rels = document.part.package.rels
    for rel_id in [rel_id for rel_id, rel in package_rels.items() if rel.reltype.endswith("/thumbnail")]:
        del package_rels[rel_id]

    moment = dt.datetime.combine(source.published, dt.time(9))
    core = document.core_properties
    core.title, core.author, core.last_modified_by = source.title, source.provider, source.provider
    core.created = core.modified = moment
    core.comments, core.language, core.revision = "", "en-GB", 1
    document.sections[0].header.paragraphs[0].text = head
    foot = document.sections[0].footer.paragraphs[0]
    foot.add_run(f"{source.date}\tPage ")
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    foot._p.append(field)  # python-docx has no call for fields

    for block in source.blocks:
        match block.kind:
            case "title":
                document.add_heading(block.text, level=0)
            case "heading":
                document.add_heading(block.text, level=1 if block.text == block.section else 2)
            case "bullet":
                document.add_paragraph(block.text, style="List Bullet")
            case _:
                document.add_paragraph(block.text)

    written, out = io.BytesIO(), io.BytesIO()
    document.save(written)
    with zipfile.ZipFile(written) as parts, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in parts.namelist():
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), parts.read(name))
    return out.getvalue()


def to_html(source: Source, site: str, menu: tuple[str, ...], related: tuple[str, ...]) -> bytes:
    """Render a web page: the text among navigation, cookie notice, related links and footer."""
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True)
    template = environment.from_string((HERE / "page.html.jinja").read_text(encoding="utf-8"))
    return template.render(source=source, site=site, menu=menu, related=related).encode()


def to_text(source: Source) -> bytes:
    """Render plain text of 76 columns: title and headings underlined, paragraphs parted by blank lines."""

    def wrap(block: Block) -> str:
        indent = "- " if block.kind == "bullet" else ""
        text = textwrap.fill(
            block.text, 76, initial_indent=indent, subsequent_indent=" " * len(indent), break_on_hyphens=False
        )
        rule = {"title": "=", "heading": "-"}.get(block.kind)
        return f"{text}\n{rule * max(map(len, text.splitlines()))}" if rule else text

    return ("\n\n".join(map(wrap, source.blocks)) + "\n").encode()


PAPER = ("News", "Sport", "Business", "What’s on", "Jobs")
COUNCIL = ("Council tax", "Bins and recycling", "Schools", "Planning", "Your council")

# Which document becomes which file.
SAMPLES: dict[str, tuple[str, Callable[[Source], bytes]]] = {
    "stennick-2014-inspection": (".pdf", lambda source: to_pdf(source, SIF)),
    "thornhaven-2018-inspection": (".pdf", lambda source: to_pdf(source, ILACS_2018)),
    "brackenshaw-2019-inspection": (".pdf", lambda source: to_pdf(source, ILACS_2018)),
    "pellbridge-2022-inspection": (".pdf", lambda source: to_pdf(source, ILACS_2022)),
    "wyvernstoke-2025-inspection": (".pdf", lambda source: to_pdf(source, ILACS_2025)),
    "westhollow-2023-focused-visit": (".pdf", lambda source: to_pdf(source, LETTER)),
    "larkstile-house-2023-childrens-home": (".pdf", lambda source: to_pdf(source, HOME)),
    "thornhaven-2018-statement": (".docx", lambda source: to_docx(source, "Thornhaven City Council: news release")),
    "silverholt-2024-action-plan": (".docx", lambda source: to_docx(source, "Silverholt Council: improvement board")),
    "penhollow-2024-news": (
        ".html",
        lambda source: to_html(source, "Penhollow Courier", PAPER, ("Harbour works to start", "Bypass vote delayed")),
    ),
    "marlbeck-2025-statement": (
        ".html",
        lambda source: to_html(source, "Marlbeck Council", COUNCIL, ("Become a foster carer", "Family hubs")),
    ),
    "redmere-2024-minutes": (".txt", to_text),
}


def main() -> None:
    """Write every sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--output", type=Path, default=HERE, metavar="DIR", help="folder to write to (default: this one)"
    )
    given = parser.parse_args()
    sources = read_sources()
    given.output.mkdir(parents=True, exist_ok=True)
    for name, (suffix, render) in SAMPLES.items():
        path = given.output / (name + suffix)
        path.write_bytes(render(sources[name]))
        print(f"{path.name}  {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
