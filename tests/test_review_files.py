import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import DataError, UsageError
from pipeline.labels import LABELS
from pipeline.review.files import guard_cell, read_answers, restore_cell, write_items
from pipeline.review.items import Item, columns_of, one_line

# What XML can hold; a workbook holds nothing else.
TEXT = st.text(st.characters(categories=("L", "M", "N", "P", "S", "Zs")), min_size=1).filter(str.strip)
ITEMS = st.lists(
    st.builds(
        Item,
        id=st.uuids().map(lambda one: f"s{one.hex[:15]}"),
        text=TEXT,
        before=st.just("") | TEXT,
        section=st.just("") | TEXT,
        report=TEXT,
        page=st.none() | st.integers(1, 999),
        link=st.sampled_from(["", "../findings/reports/0123456789abcdef.html#s12"]),
        why=TEXT,
        model_labels=st.sampled_from(["none", "strength", "weakness; commitment"]),
        probabilities=st.tuples(*[st.floats(0, 1).map(lambda value: round(value, 4))] * 3),
        model_version=st.just("ce9382a04b08"),
        answer=st.none() | st.tuples(st.booleans(), st.booleans(), st.booleans()),
        comment=st.just("") | TEXT.map(one_line),
    ),
    max_size=4,
    unique_by=lambda item: item.id,
)


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".xlsx", ".json"])
@pytest.mark.parametrize("blind", [False, True])
@given(items=ITEMS)
@settings(max_examples=25, deadline=None)
def test_answers_come_back_as_given(tmp_path_factory, suffix, blind, items):
    path = tmp_path_factory.mktemp("files") / f"queue{suffix}"
    written = write_items(path, items, blind=blind)
    first = [file.read_bytes() for file in written]
    found, _ = read_answers(path)
    expected = [item for item in items if item.answer is not None]
    assert [(one.id, one.labels, one.comment) for one in found] == [
        (item.id, item.answer, item.comment) for item in expected
    ]
    if suffix != ".xlsx":  # which keeps no space at the ends of a text
        assert [one.text for one in found] == [item.text for item in expected]
    assert {one.model_version for one in found} <= {"" if blind else "ce9382a04b08"}
    assert [file.read_bytes() for file in write_items(path, items, blind=blind)] == first


@given(st.text(st.sampled_from("'=+-@\t a1")))
def test_no_cell_runs_and_every_cell_comes_back(text):
    cell = guard_cell(text)
    assert restore_cell(cell) == text
    assert not cell.startswith(("=", "@", "\t"))


def item(number, text="Plans are clear.", **changes):
    given = {"before": "", "section": "", "report": "r", "page": 1, "link": "", "why": "w", "model_labels": "none"}
    return Item(f"s{number:015}", text, **{**given, "probabilities": (0.1, 0.1, 0.1), "model_version": "v", **changes})


@pytest.fixture
def filled(tmp_path):
    """A CSV file with one answer; changed by a function of its text and written in an encoding."""

    def write(change=lambda text: text, encoding="utf-8-sig"):
        path = tmp_path / "queue.csv"
        write_items(path, [item(1, "The café is “calm”.", answer=(True, False, False)), item(2)], blind=True)
        path.write_bytes(change(path.read_text(encoding="utf-8-sig")).encode(encoding))
        return path

    return write


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_of_a_spreadsheet(filled, encoding):
    (answer,), notes = read_answers(filled(encoding=encoding))
    assert (answer.text, answer.place, notes) == ("The café is “calm”.", "line 2", [])


def test_windows_1252_is_read_and_said(filled):
    (answer,), notes = read_answers(filled(encoding="cp1252"))
    assert answer.text == "The café is “calm”."
    assert "was read as Windows-1252; in Excel, save as CSV UTF-8" in notes[0]


def test_semicolons_and_line_ends_of_excel(filled):
    (answer,), _ = read_answers(filled(lambda text: text.replace(",", ";").replace("\n", "\r\n")))
    assert answer.labels == (True, False, False)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,text\n\x81\x8d\n")
    with pytest.raises(DataError, match="not UTF-8 .byte 8.; save it as CSV UTF-8"):
        read_answers(path)
    path = tmp_path / "a.jsonl"
    path.write_bytes("{'é'}".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_answers(path)
    with pytest.raises(DataError, match="cannot be read"):
        read_answers(tmp_path / "none.csv")
    with pytest.raises(UsageError, match="accepted: .xlsx, .csv, .jsonl, or .json"):
        read_answers(tmp_path / "a.docx")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text.replace("weakness", "weaknes", 1), "no column 'weakness'.*was 'weaknes' renamed"),
        (lambda text: text.replace("comment,", "weakness,", 1), "column 'weakness' stands there twice"),
        (
            lambda text: text.replace("yes,no,no", "yes,perhaps,no"),
            "line 2: weakness: found 'perhaps'; accepted: yes, no",
        ),
        (lambda text: text.replace("yes,no,no", "no,,"), 'line 2: weakness, commitment empty beside "no"'),
        (lambda text: text.replace("s000000000000001", ""), "line 2: answered, but its 'id' is empty"),
        (lambda text: text.replace("yes,no,no", "yes,no,no,1,2,3,4,5,6,7"), "line 2 has 1. cells"),
        (lambda text: text.replace("yes,no,no", '"yes,no,no'), "not readable as CSV"),
        (lambda text: "", "no column 'id'; found nothing"),
    ],
)
def test_wrong_files_say_where_and_what(filled, change, message):
    with pytest.raises(DataError, match=message) as caught:
        read_answers(filled(change))
    assert "othing was imported" in str(caught.value)


def test_wrong_lines_of_json(tmp_path):
    path = tmp_path / "a.jsonl"
    whole = {**dict.fromkeys(columns_of(blind=True), ""), "id": "s1", "text": "T."}
    lines = ["{", "[]", json.dumps({"id": "s1"}), json.dumps({**whole, "strength": "S"}), json.dumps(whole), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_answers(path)
    for part in (
        "line 1: not valid JSON",
        "line 2: found list",
        "line 3: no text, strength",
        "line 4: strength: found",
    ):
        assert part in str(caught.value)


def test_remarks_without_an_answer_are_told(tmp_path):
    path = tmp_path / "a.jsonl"
    row = {**dict.fromkeys(columns_of(blind=True), None), "id": "s1", "text": "T.", "comment": "unsure"}
    path.write_text(json.dumps(row), encoding="utf-8")
    assert read_answers(path) == ([], ["1 comment(s) on sentences without an answer are not kept"])


def test_labels_are_the_answer_columns():
    assert set(LABELS) <= set(columns_of(blind=True))
    assert "why" not in columns_of(blind=True)
