"""Review files as people fill them in, and the events that follow."""

import json
from pathlib import Path

from pipeline.labels import LABELS, loose_key
from pipeline.params import ReviewParams
from pipeline.review.events import Event
from pipeline.review.exporting import export_queue
from pipeline.review.importing import import_answers
from pipeline.sentences import sentence_key

SIZE = 12


class Desk:
    """A folder with findings, labels and models, where a reviewer works."""

    def __init__(self, folder: Path, findings: Path, model: Path) -> None:
        self.folder, self.findings, self.model = folder, findings, model
        self.labels = folder / "labels"
        self.labels.mkdir()

    def export(self, name: str, **settings):
        given = {"candidate": self.folder / "none", "params": ReviewParams(size=SIZE), **settings}
        return export_queue(self.findings, self.folder / name, labels=self.labels, model=self.model, **given)

    def take_in(self, name: str, reviewers=("anna",), **settings):
        return import_answers(
            self.folder / name, list(reviewers), findings=self.findings, labels=self.labels, **settings
        )

    def stored(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.labels / "reviewed").glob("*"))}


def read_rows(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_rows(path: Path, rows: list[dict]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def answered(row: dict, labels: tuple[str, ...] = (), comment: str = "") -> dict:
    return {**row, **{label: "yes" if label in labels else "no" for label in LABELS}, "comment": comment}


def event(text: str = "Plans are clear.", labels: str = "strength", reviewer: str = "anna", **changes) -> Event:
    given = {
        "key": sentence_key(text),
        "loose_key": loose_key(text),
        "report_id": "0123456789abcdef",
        "report": "plan.pdf",
        "doc_type": "action_plan",
        "provider": None,
        "published": None,
        "section": None,
        "kind": "paragraph",
        "before": None,
        "text": text,
        "labels": labels,
        "reviewer": reviewer,
        "at": "2026-01-31T10:00:00.000+00:00",
        "settles": False,
        "model_version": None,
        "previous": None,
        "pool": "natural",
        "comment": None,
        "file": "00",
    }
    return Event(**{**given, **changes})


def annotation(choices: list[str] | None, who=1, comment: str = "", cancelled: bool = False) -> dict:
    """An annotation as Label Studio 1.23 exports it."""
    result = []
    if choices is not None:
        result.append(
            {"from_name": "labels", "to_name": "text", "type": "choices", "value": {"choices": choices}, "id": "aB3"}
        )
    if comment:
        result.append({"from_name": "comment", "to_name": "text", "type": "textarea", "value": {"text": [comment]}})
    return {
        "id": 1,
        "completed_by": who,
        "result": result,
        "was_cancelled": cancelled,
        "ground_truth": False,
        "created_at": "2026-01-31T10:00:00.000000Z",
        "updated_at": "2026-01-31T10:00:00.000000Z",
        "draft_created_at": None,
        "lead_time": 3.2,
        "prediction": {},
        "unique_id": "178fae6b-0f43-49d5-8d3e-2a5af1cea7d7",
        "last_action": None,
        "task": 1,
        "project": 1,
        "updated_by": 1,
        "parent_prediction": None,
    }


def export_of(tasks: list[dict], annotations: list[list[dict]]) -> list[dict]:
    """The JSON export of a project with these tasks."""
    return [
        {
            "id": 100 + number,
            "annotations": given,
            "drafts": [],
            "predictions": [number],
            "data": task["data"],
            "meta": {},
            "created_at": "2026-01-31T09:00:00.000000Z",
            "inner_id": number,
            "total_annotations": len(given),
            "cancelled_annotations": 0,
            "project": 1,
            "comment_authors": [],
        }
        for number, (task, given) in enumerate(zip(tasks, annotations, strict=True), start=1)
    ]
