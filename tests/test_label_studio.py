import json
from xml.etree import ElementTree

import pytest

from pipeline.errors import DataError
from pipeline.labels import LABELS
from pipeline.review.files import read_answers, write_items
from pipeline.review.items import Item
from tests.reviews import annotation, export_of


@pytest.fixture
def tasks(tmp_path):
    """Three tasks as they are exported for Label Studio."""
    items = [
        Item(f"s{n:015}", f"Plan {n} is late.", "Before.", "", "r.pdf", n, "", "why", "weakness", (0.1, 0.9, 0.2), "v")
        for n in range(3)
    ]
    write_items(tmp_path / "tasks.json", items, blind=False)
    return json.loads((tmp_path / "tasks.json").read_text(encoding="utf-8"))


@pytest.fixture
def exported(tmp_path, tasks):
    """Write an export with these annotations of each task; return the file."""

    def write(*annotations, change=lambda export: export):
        given = [*annotations, *[[]] * (len(tasks) - len(annotations))]
        path = tmp_path / "export.json"
        path.write_text(json.dumps(change(export_of(tasks, given))), encoding="utf-8")
        return path

    return write


def test_tasks_hold_a_prediction_and_the_config_names_all_of_it(tmp_path, tasks):
    (prediction,) = tasks[0]["predictions"]
    assert prediction["result"][0]["value"] == {"choices": ["weakness"]}
    assert prediction["score"] == pytest.approx(0.9 * 0.9 * 0.8)
    config = ElementTree.fromstring((tmp_path / "tasks.xml").read_text(encoding="utf-8"))
    (choices,) = config.iter("Choices")
    assert choices.attrib["choice"] == "multiple"
    assert [choice.attrib["value"] for choice in choices] == [*LABELS, "none"]
    names = {element.attrib["name"] for element in config.iter() if "name" in element.attrib}
    assert {result["from_name"] for result in prediction["result"]} <= names
    used = {element.attrib["value"][1:] for element in config.iter("Text")}
    assert used <= set(tasks[0]["data"])


def test_blind_tasks_tell_nothing_of_the_model(tmp_path):
    item = Item("s1", "Plans.", "", "", "r", None, "", "the why", "weakness", (0.1, 0.9, 0.2), "the model")
    write_items(tmp_path / "tasks.json", [item], blind=True)
    text = (tmp_path / "tasks.json").read_text(encoding="utf-8") + (tmp_path / "tasks.xml").read_text(encoding="utf-8")
    assert "the why" not in text
    assert "the model" not in text
    assert "0.9" not in text
    assert "predictions" not in text


def test_none_is_an_answer_and_silence_is_not(exported):
    path = exported(
        [annotation(["none"], comment="sure")], [annotation(None)], [annotation(["weakness"], cancelled=True)]
    )
    (answer,), notes = read_answers(path)
    assert (answer.labels, answer.comment, answer.annotator, answer.place) == ((False,) * 3, "sure", "1", "task 101")
    assert answer.model_version == "v"
    assert notes == ["2 annotation(s) were skipped or empty, and count as not answered"]


def test_several_annotators_are_told_apart(exported):
    people = [annotation(["strength"], who=1), annotation(["weakness"], who={"id": 2, "email": "ben@example.org"})]
    found, _ = read_answers(exported(people))
    assert [answer.annotator for answer in found] == ["1", "ben@example.org"]


def test_a_remark_as_a_single_text(exported):
    given = annotation(["strength"], comment="x")
    given["result"][1]["value"]["text"] = "x  y"
    assert read_answers(exported([given]))[0][0].comment == "x y"


def edit(name, value):
    def change(export):
        export[0][name] = value
        return export

    return change


def minimal(export):
    return [{**task["data"], "id": task["id"], "labels": "strength", "annotator": 1} for task in export]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (minimal, "JSON-MIN export, which does not tell skipped from answered"),
        (lambda export: {"tasks": export}, "found no list of tasks"),
        (lambda export: export[0]["annotations"], "task 1: no 'data' with 'annotations'"),
        (edit("data", {"text": "Plan 0 is late."}), "task 101: its data lacks 'id' or 'text'"),
        (edit("annotations", [{"id": 1}]), "task 101: an annotation without 'result'"),
        (
            edit("annotations", [annotation(["strenght"])]),
            "task 101: found choice 'strenght'; accepted: strength, weak",
        ),
        (edit("annotations", [annotation(["S"])]), "found choice 'S'"),
        (edit("annotations", [annotation(["strength", "none"])]), "found label 'none'; accepted.*alone"),
        (edit("annotations", [{"result": [{"from_name": "sentiment", "value": {}}]}]), "named 'sentiment'; accepted"),
        (edit("annotations", [{"result": ["x"]}]), "Was the labelling config changed"),
    ],
)
def test_wrong_and_edited_exports(exported, change, message):
    with pytest.raises(DataError, match=message):
        read_answers(exported([annotation(["strength"])], change=change))


def test_text_that_is_no_json(tmp_path):
    (tmp_path / "a.json").write_text("id,text\n", encoding="utf-8")
    with pytest.raises(DataError, match="not valid JSON .*export the project from Label Studio as JSON"):
        read_answers(tmp_path / "a.json")
