import json
from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset import build_dataset, load_side, load_summary, side_of
from pipeline.errors import DataError
from pipeline.extract import load_manifest, load_sentences
from pipeline.labels import LABELS


@given(st.text(min_size=1), st.floats(0.01, 0.5), st.floats(0.01, 0.49))
def test_a_larger_share_only_adds_test_documents(document, share, more):
    if side_of(document, share) == "test":
        assert side_of(document, share + more) == "test"


def test_shares_come_out_near_what_was_asked():
    sides = [side_of(f"document {number}", 0.2) for number in range(5000)]
    assert 0.18 < sides.count("test") / len(sides) < 0.22


def test_no_document_and_no_text_stands_on_both_sides(dataset):
    train, test = load_side(dataset, "train"), load_side(dataset, "test")
    assert not set(train["document"]) & set(test["document"])
    assert not set(train["key"]) & set(test["key"])
    summary = load_summary(dataset)
    assert summary["train"]["sentences"] == len(train)
    assert summary["test"]["labels"] == {label: int(test[label].sum()) for label in LABELS}


def test_labels_by_key_take_text_and_context_from_the_store(tmp_path, params, store):
    sentences = load_sentences(store)
    report = load_manifest(store)["reports"][0]
    rows = sentences[sentences["report_id"] == report["report_id"]].drop_duplicates("key").head(6)
    labels = tmp_path / "labels"
    labels.mkdir()
    lines = [{"report_id": row.report_id, "key": row.key, "labels": "S"} for row in rows.head(3).itertuples()]
    lines += [{"report": row.report, "key": row.key, "labels": "W"} for row in rows.tail(3).itertuples()]
    lines.append({"report_id": report["report_id"], "key": "0" * 64, "labels": "C"})
    lines += [{"report": f"other-{n}", "text": f"Sentence number {n}.", "labels": "N"} for n in range(20)]
    (labels / "keys.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = build_dataset(params, labels, store, tmp_path / "dataset")
    assert (found.joined, found.unmatched) == (6, 1)
    table = pd.concat([load_side(tmp_path / "dataset", side) for side in ("train", "test")])
    joined = table[table["document"] == report["report_id"]]
    assert joined["text"].tolist() == rows["text"].tolist()
    assert set(joined["report"]) == {report["report"]}
    assert joined["section"].fillna("").tolist() == rows["section"].fillna("").tolist()


def test_equal_input_gives_equal_bytes(tmp_path, params, small_labels, store, dataset):
    again = tmp_path / "again"
    build_dataset(params, small_labels, store, again)
    for name in ("train.parquet", "test.parquet", "summary.json"):
        assert (again / name).read_bytes() == (dataset / name).read_bytes()


def test_an_empty_side_is_an_error(tmp_path, params, store):
    labels = tmp_path / "labels"
    labels.mkdir()
    row = {"report": "r", "text": "Plans are clear.", "labels": "S"}
    (labels / "a.jsonl").write_text(json.dumps(row), encoding="utf-8")
    share = replace(params, dataset=replace(params.dataset, test_share=0.000001))
    with pytest.raises(DataError, match="no labelled sentence falls on the test side"):
        build_dataset(share, labels, store, tmp_path / "dataset")
    assert not (tmp_path / "dataset").exists()


def test_missing_and_damaged_files_name_the_stage_to_run(tmp_path):
    with pytest.raises(DataError, match="dvc repro dataset"):
        load_side(tmp_path, "train")
    with pytest.raises(DataError, match="missing or damaged"):
        load_summary(tmp_path)
    (tmp_path / "train.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match="cannot be read"):
        load_side(tmp_path, "train")
