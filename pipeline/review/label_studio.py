"""Label Studio: tasks with predictions, a labelling config, and its JSON export back as answers."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from pipeline.errors import DataError
from pipeline.files import json_bytes
from pipeline.labels import LABELS, NONE, format_labels, parse_labels
from pipeline.review.items import COMMENT, CONTEXT_COLUMNS, MODEL_COLUMNS, Answer, Item, one_line

CHOICES, TEXT = "labels", "text"
_EXPORT = "export the project from Label Studio as JSON (not JSON-MIN or CSV) and import that file unchanged"


def render_config(*, blind: bool) -> str:
    """Write the labelling config: the sentence in its context, the labels with an explicit "none", and a remark.

    Args:
        blind: Whether to leave out why the sentence was picked.

    Returns:
        XML.
    """
    shown = [("place", "$place"), ("before", "$before"), *([] if blind else [("why", "$why")])]
    lines = [f"  <Text name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in shown]
    # "none" is a choice of its own: a sentence without an answer is not one without labels.
    choices = [f"    <Choice value={quoteattr(name)}/>" for name in (*LABELS, NONE)]
    return "\n".join(
        [
            "<View>",
            *lines,
            f'  <Header value="The sentence"/>\n  <Text name="{TEXT}" value="$text"/>',
            f'  <Choices name="{CHOICES}" toName="{TEXT}" choice="multiple" required="true" showInline="true">',
            *choices,
            "  </Choices>",
            f'  <TextArea name="{COMMENT}" toName="{TEXT}" rows="1" maxSubmissions="1" placeholder="Remark"/>',
            "</View>\n",
        ]
    )


def render_tasks(items: Sequence[Item], *, blind: bool) -> bytes:
    """Write tasks: the sentence with its context as data, the model's labels as a prediction, answers as annotations.

    Args:
        items: What to judge.
        blind: Whether to leave the model's view out.

    Returns:
        JSON.
    """
    return json_bytes([_task(item, blind=blind) for item in items], ensure_ascii=False)


def _task(item: Item, *, blind: bool) -> dict[str, Any]:
    names = [*CONTEXT_COLUMNS, *([] if blind else MODEL_COLUMNS)]
    row = item.row(blind=blind)
    # Label Studio shows an error for a null.
    data = {name: "" if row[name] is None else row[name] for name in names}
    where = [item.report, item.section, f"page {item.page}" if item.page is not None else ""]
    data["place"] = " · ".join(filter(None, where))
    task: dict[str, Any] = {"data": data}
    if not blind:
        task["predictions"] = [
            {
                "model_version": item.model_version,
                "score": round(_chance(item), 4),
                "result": [_choices(item.model_labels)],
            }
        ]
    if item.answer is not None:
        result = [_choices(format_labels(item.answer))]
        if item.comment:
            result.append(_result(COMMENT, "textarea", {"text": [item.comment]}))
        task["annotations"] = [{"result": result}]
    return task


def _chance(item: Item) -> float:
    """Probability that the whole set of labels is right, were the labels independent."""
    given = parse_labels(item.model_labels)
    chance = 1.0
    for on, probability in zip(given, item.probabilities, strict=True):
        chance *= probability if on else 1 - probability
    return chance


def _choices(labels: str) -> dict[str, Any]:
    return _result(CHOICES, "choices", {"choices": labels.split("; ")})


def _result(name: str, kind: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"from_name": name, "to_name": TEXT, "type": kind, "value": value}


def parse_export(path: Path, text: str, notes: list[str], problems: list[str]) -> list[Answer]:
    """Read a JSON export.

    Args:
        path: The file, for messages.
        text: Its content.
        notes: Gets what the reader should know.
        problems: Gets what is wrong, each with its task.

    Returns:
        One answer an annotation; skipped and empty ones are none.

    Raises:
        DataError: It is no such export.
    """
    try:
        tasks = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise DataError(f"{path}: not valid JSON ({error}); {_EXPORT}.") from None
    if not isinstance(tasks, list) or not all(isinstance(task, dict) for task in tasks):
        raise DataError(f"{path}: found no list of tasks; {_EXPORT}.")
    if tasks and all("data" not in task and "id" in task and CHOICES in task for task in tasks):
        raise DataError(f"{path}: this is a JSON-MIN export, which does not tell skipped from answered; {_EXPORT}.")
    answers: list[Answer] = []
    skipped = 0
    for number, task in enumerate(tasks, start=1):
        # The number that Label Studio shows, where it has given one.
        place = f"task {task.get('id', number)}"
        data, annotations = task.get("data"), task.get("annotations", [])
        if not isinstance(data, dict) or not isinstance(annotations, list):
            problems.append(f"{place}: no 'data' with 'annotations'; {_EXPORT}")
            continue
        if not isinstance(data.get("id"), str) or not isinstance(data.get("text"), str):
            problems.append(f"{place}: its data lacks 'id' or 'text'; was it made by `findings review export`?")
            continue
        for annotation in annotations:
            try:
                answer = _answer(place, data, annotation)
            except ValueError as error:
                problems.append(f"{place}: {error}")
                continue
            skipped += answer is None
            if answer is not None:
                answers.append(answer)
    if skipped:
        notes.append(f"{skipped} annotation(s) were skipped or empty, and count as not answered")
    return answers


def _answer(place: str, data: Mapping[str, Any], annotation: Any) -> Answer | None:  # noqa: ANN401
    """Read one annotation; the message of the ValueError says what is wrong with it."""
    if not isinstance(annotation, dict) or not isinstance(annotation.get("result"), list):
        raise ValueError(f"an annotation without 'result'; {_EXPORT}")
    words: list[str] | None = None
    comment = ""
    for result in annotation["result"]:
        name, value = (result.get("from_name"), result.get("value")) if isinstance(result, dict) else (None, None)
        if name == CHOICES and words is None and isinstance(value, dict) and _strings(value.get("choices")):
            words = value["choices"]
        elif name == COMMENT and isinstance(value, dict) and _strings(_as_list(value.get("text"))):
            comment = one_line(" ".join(_as_list(value["text"])))
        else:
            raise ValueError(
                f"found a result named {name!r}; accepted are one of {CHOICES!r} with choices, and {COMMENT!r} with "
                "text. Was the labelling config changed?"
            )
    if annotation.get("was_cancelled") or not words:
        return None
    unknown = sorted(set(words) - {*LABELS, NONE})
    if unknown:
        raise ValueError(f"found choice {', '.join(map(repr, unknown))}; accepted: {', '.join((*LABELS, NONE))}")
    labels = parse_labels("; ".join(words))
    version = "" if data.get("model_version") is None else str(data["model_version"])
    return Answer(place, data["id"], data["text"], labels, comment, version, _annotator(annotation))


def _strings(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _as_list(value: Any) -> Any:  # noqa: ANN401
    """Put a single text into a list, as releases of Label Studio differ in this."""
    return [value] if isinstance(value, str) else value


def _annotator(annotation: Mapping[str, Any]) -> str:
    who = annotation.get("completed_by")
    if isinstance(who, dict):
        who = who.get("email") or who.get("id")
    return "" if who is None else str(who)
