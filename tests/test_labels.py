import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import DataError
from pipeline.labels import (
    LABELS,
    find_label_files,
    format_labels,
    label_matrix,
    loose_key,
    parse_labels,
    read_labels,
    read_reserved,
)
from pipeline.sentences import normalise, sentence_key

MASKS = st.tuples(*[st.booleans()] * len(LABELS))


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@given(MASKS)
def test_words_round_trip(mask):
    assert parse_labels(format_labels(mask)) == mask


@given(MASKS, st.randoms())
def test_letters_mean_the_same_in_any_order(mask, random):
    letters = [letter for letter, on in zip("SWC", mask, strict=True) if on] or ["N"]
    random.shuffle(letters)
    assert parse_labels("".join(letters)) == mask


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Weakness;strength", "strength; weakness"),
        ("none", "none"),
        (" C ", "commitment"),
        ("strength, weakness", "strength; weakness"),
    ],
)
def test_spellings(value, expected):
    assert format_labels(parse_labels(value)) == expected


@pytest.mark.parametrize("value", ["", "X", "strenght", "NS", "none; strength", "S;W", ";"])
def test_unknown_labels_are_refused(value):
    with pytest.raises(ValueError, match="accepted: strength, weakness, commitment"):
        parse_labels(value)


def test_reserved_keys(tmp_path):
    path = tmp_path / "reserved.txt"
    assert read_reserved(path) == set()
    path.write_text(f"# a benchmark\n{'ab' * 32}\n\n{'cd' * 32}\n")
    assert read_reserved(path) == {"ab" * 32, "cd" * 32}
    path.write_text("Leaders know their children well.\n")
    with pytest.raises(DataError, match="expected a key"):
        read_reserved(path)


def test_rows_keep_their_order_and_place(tmp_path):
    first = write(
        tmp_path / "a.jsonl",
        [
            {"report": "r1", "text": "Plans are clear.", "labels": "S"},
            {"report": "r1", "text": "Pages.", "labels": "N"},
        ],
    )
    second = tmp_path / "b.csv"
    second.write_bytes('\ufeffreport,text,labels\r\nr2,"Visits are late, and\nrare.",weakness\r\n'.encode())
    table = read_labels([first, second])
    assert table["text"].tolist() == ["Plans are clear.", "Pages.", "Visits are late, and\nrare."]
    assert label_matrix(table).tolist() == [[True, False, False], [False, False, False], [False, True, False]]
    assert table["line"].tolist() == [1, 2, 3]
    assert table["key"].tolist() == [sentence_key(text) for text in table["text"]]


def test_a_key_may_stand_for_the_text(tmp_path):
    key = sentence_key("Plans are clear.")
    table = read_labels([write(tmp_path / "a.jsonl", [{"report_id": "00ff", "key": key, "labels": "S"}])])
    assert table.loc[0, "key"] == key
    assert table["text"].isna().all()


def test_all_problems_are_listed_with_their_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [
        {"report": "r", "text": "One.", "labels": "strenght"},
        {"report": "r", "text": "Two."},
        {"report": "r", "labels": "S"},
        {"text": "Three.", "labels": "S"},
        {"report": "r", "text": "Four.", "labels": ""},
        {"report": "r", "text": 5, "labels": "S"},
        [1],
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_labels([path])
    message = str(caught.value)
    assert message.startswith("8 problem(s)")
    for line, part in [
        (1, "found label 'strenght'"),
        (2, "no column 'labels'"),
        (3, "no column 'text' (or 'key')"),
        (4, "names the document"),
        (5, "'labels' is empty"),
        (6, "must be strings"),
        (7, "expected one JSON object"),
        (8, "not valid JSON"),
    ]:
        assert any(f"{path}:{line}: " in row and part in row for row in message.splitlines()), part


def test_one_text_with_two_answers_lists_every_place(tmp_path):
    first = write(tmp_path / "a.jsonl", [{"report": "r", "text": "Plans are clear.", "labels": "S"}])
    second = write(
        tmp_path / "b.jsonl",
        [
            {"report": "q", "text": "Plans are  CLEAR", "labels": "N"},
            {"report": "p", "text": "plans are clear.", "labels": "S"},
        ],
    )
    with pytest.raises(DataError, match="one text, two answers") as caught:
        read_labels([first, second])
    assert f"strength at {first}:1, {second}:2 but none at {second}:1" in str(caught.value)


def test_a_label_by_key_answers_for_its_own_document_alone(tmp_path):
    key = sentence_key("Plans are clear.")
    rows = [
        {"report": "r", "text": "Plans are clear.", "labels": "N"},
        {"report_id": "a", "key": key, "labels": "S"},
        {"report_id": "b", "key": key, "labels": "W"},
    ]
    assert len(read_labels([write(tmp_path / "a.jsonl", rows)])) == 3
    with pytest.raises(DataError, match="^1 problem.*\n.*weakness at .*:3 but none at .*:4"):
        read_labels([write(tmp_path / "a.jsonl", [*rows, {"report_id": "b", "key": key, "labels": "N"}])])
    with pytest.raises(DataError, match="^1 problem.*\n.*strength at .*:2 but none at .*:4"):
        rows.append({"report_id": "a", "text": "Plans are clear.", "labels": "N"})
        read_labels([write(tmp_path / "a.jsonl", rows)])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("A multi-agency plan.", "a multiagency plan", True),
        ("12. Plans are clear.", "Plans are clear.", True),
        ("7Plans are clear.", "Plans are clear.", True),
        ("Plans are  clear", "Plans are clear.", True),
        ("Plans are clear.", "Plans are clean.", False),
        ("The 12 plans are clear.", "The plans are clear.", False),
        ("2019 was hard.", "Was hard.", False),
    ],
)
def test_loose_keys(one, other, same):
    assert (loose_key(one) == loose_key(other)) is same


@given(st.text(st.characters(categories=("L", "Z", "P")), min_size=1))
def test_a_loose_key_ignores_every_space_and_mark(text):
    assert loose_key(text) == loose_key(f"31) {'- '.join(sentence_words(text))}.")


def sentence_words(text):
    return normalise(text).split() or [text]


def test_files_that_cannot_be_label_files(tmp_path):
    with pytest.raises(DataError, match="no label file"):
        find_label_files(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_labels([tmp_path / "missing.jsonl"])
    latin = tmp_path / "latin.csv"
    latin.write_bytes("report,text,labels\nr,caf\xe9,N\n".encode("latin-1"))
    with pytest.raises(DataError, match="not UTF-8"):
        read_labels([latin])
    columns = tmp_path / "columns.csv"
    columns.write_text("report,sentence,labels\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column 'text' .or 'key'.; found report, sentence, labels"):
        read_labels([columns])
    other = tmp_path / "labels.xlsx"
    other.write_text("x", encoding="utf-8")
    with pytest.raises(DataError, match="unknown label file format"):
        read_labels([other])


def test_label_files_are_found_in_order(tmp_path):
    for name in ("more", "reviewed"):
        (tmp_path / name).mkdir()
    for name in ("b.csv", "a.jsonl", "more/c.jsonl", "reviewed/anna-2026-01-31.jsonl", "notes.md"):
        (tmp_path / name).write_text("", encoding="utf-8")
    assert [path.name for path in find_label_files(tmp_path)] == ["a.jsonl", "b.csv", "c.jsonl"]
