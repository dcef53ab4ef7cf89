import pytest

from pipeline.errors import FindingsError
from pipeline.files import json_object, replace_file, replace_folder


def test_a_file_appears_whole(tmp_path):
    path = tmp_path / "new" / "a.txt"
    with replace_file(path) as temporary:
        temporary.write_text("one", encoding="utf-8")
        assert not path.exists()
    assert path.read_text(encoding="utf-8") == "one"
    assert list(path.parent.iterdir()) == [path]


def test_what_stood_there_stays_when_writing_fails(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), replace_file(path) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise RuntimeError
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "old").write_text("old", encoding="utf-8")
    with pytest.raises(RuntimeError), replace_folder(folder) as temporary:
        (temporary / "half").write_text("half", encoding="utf-8")
        raise RuntimeError
    assert path.read_text(encoding="utf-8") == "old"
    assert [entry.name for entry in folder.iterdir()] == ["old"]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["a.txt", "folder"]


def test_a_folder_is_replaced_as_a_whole(tmp_path):
    folder = tmp_path / "folder"
    for name in ("first", "second"):
        with replace_folder(folder) as temporary:
            (temporary / name).write_text(name, encoding="utf-8")
        assert [entry.name for entry in folder.iterdir()] == [name]
    assert [entry.name for entry in tmp_path.iterdir()] == ["folder"]


@pytest.mark.parametrize("replace", [replace_file, replace_folder])
def test_a_place_that_cannot_be_written(tmp_path, replace):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(FindingsError, match="cannot be written"), replace(tmp_path / "file" / "below"):
        pass


def test_a_line_of_json():
    assert json_object('{"a": 1}\n') == {"a": 1}
    with pytest.raises(ValueError, match="not valid JSON"):
        json_object('{"a": 1')
    with pytest.raises(ValueError, match="found list, expected one JSON object a line"):
        json_object("[1]")
