"""What reading made of a document, for a person to check."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.errors import DocumentError
from pipeline.files import report_id_of
from pipeline.reading import read_document

_WIDTH = 100


def describe(path: Path, debug: bool = False) -> dict[str, Any]:
    """Read a document and tell what came of it.

    Args:
        path: The document.
        debug: Whether to list the lines left out as well.

    Returns:
        JSON-ready: metadata, sections (heading, level, page, grade, sentences), sentences (position, page, kind,
        section, text) and, for debug, dropped.

    Raises:
        DocumentError: The document cannot be read.
    """
    from pipeline.sentences import sentence_table

    try:
        document = read_document(path)
        digest = report_id_of(path)
    except (DocumentError, OSError) as error:
        raise DocumentError(f"{path}: {error}") from None
    meta = document.metadata
    rows: list[dict[str, Any]] = sentence_table(document, path.name, digest).to_pylist()
    sections: list[dict[str, Any]] = []
    levels = {rank: block.level for rank, block in enumerate(document.blocks, 1)}
    for row in rows:
        if row["kind"] in ("title", "heading"):
            level = levels[row["paragraph"]]
            sections.append(
                {
                    "heading": row["text"],
                    "level": level,
                    "page": row["page"],
                    "grade": row["section_grade"],
                    "sentences": 0,
                }
            )
        elif sections:
            sections[-1]["sentences"] += 1
    described: dict[str, Any] = {
        "report": path.name,
        "report_id": digest,
        "metadata": {
            **{name: value for name, value in asdict(meta).items() if name != "judgements"},
            "judgements": [{"name": name, "grade": grade} for name, grade in meta.judgements],
        },
        "sections": sections,
        "sentences": [{name: row[name] for name in ("position", "page", "kind", "section", "text")} for row in rows],
    }
    if debug:
        described["dropped"] = list(document.dropped)
    return described


def render(description: dict[str, Any]) -> str:
    """Lay out what `describe` returned as text.

    Args:
        description: The description.

    Returns:
        Lines for a terminal.
    """
    lines = [f"{description['report']}  ({description['report_id']})"]
    for name, value in description["metadata"].items():
        if name != "judgements":
            lines.append(f"  {name:<16} {value if value is not None else '-'}")
    lines += ["", "Judgements"] if description["metadata"]["judgements"] else []
    lines += [f"  {found['name']}: {found['grade']}" for found in description["metadata"]["judgements"]]
    lines += ["", "Sections"]
    for section in description["sections"]:
        page = f"p. {section['page']}" if section["page"] is not None else ""
        grade = f"  [{section['grade']}]" if section["grade"] else ""
        indent = "  " * (section["level"] + 1)
        lines.append(
            f"{indent}{section['heading']}{grade}  {page}  {section['sentences']} sentences".replace("    ", "  ")
        )
    lines += ["", "Sentences"]
    for row in description["sentences"]:
        page = f"{row['page']:>4}" if row["page"] is not None else "   -"
        lines.append(f"{row['position']:>5} {page}  {row['kind']:<9}  {row['text']}")
    if "dropped" in description:
        lines += ["", "Left out", *(f"  {line}" for line in description["dropped"])]
    return "\n".join(lines) + "\n"
