import pytest

from pipeline.dataset import load_side, side_of
from pipeline.errors import DataError
from pipeline.extract import load_sentences
from pipeline.unlabelled import load_unlabelled


@pytest.fixture(scope="module")
def sides(dataset):
    return load_side(dataset, "train"), load_side(dataset, "test")


def test_neither_labelled_nor_of_a_test_document(store, sides, tmp_path):
    train, test = sides
    table = load_unlabelled(store, train, test, 0.2, tmp_path / "none")
    assert len(table)
    assert not set(table["key"]) & (set(train["key"]) | set(test["key"]))
    assert {side_of(name, 0.2) for name in table["report_id"]} == {"train"}
    assert table["key"].is_unique


def test_reserved_sentences_are_left_out(store, sides, tmp_path):
    every = load_unlabelled(store, *sides, 0.2, tmp_path / "none")
    (tmp_path / "keys").write_text(f"{every['key'].iloc[0]}\n", encoding="utf-8")
    assert len(load_unlabelled(store, *sides, 0.2, tmp_path / "keys")) == len(every) - 1


def test_a_document_labelled_as_a_whole_is_left_out(store, sides, tmp_path):
    train, test = sides
    every = load_unlabelled(store, train, test, 0.2, tmp_path / "none")
    name = every["report_id"].iloc[0]
    sentences = load_sentences(store).drop_duplicates("key")
    keys = sentences.loc[sentences["report_id"] == name, "key"].tolist()
    (tmp_path / "keys").write_text("\n".join(keys[:-1]), encoding="utf-8")
    left = load_unlabelled(store, train, test, 0.2, tmp_path / "keys")
    assert name not in set(left["report_id"])
    assert set(left["report_id"]) == set(every["report_id"]) - {name}


def test_group_is_the_provider_or_the_document(store, sides, tmp_path):
    table = load_unlabelled(store, *sides, 0.2, tmp_path / "none")
    for row in table.itertuples():
        assert row.group == (row.report_id if row.provider is None else row.provider)


def test_no_store(sides, tmp_path):
    with pytest.raises(DataError):
        load_unlabelled(tmp_path / "nothing", *sides, 0.2, tmp_path / "none")
