import csv
import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.dataset import build_dataset, load_side, load_summary, side_of
from pipeline.errors import DataError
from pipeline.extract import extract_sentences, load_manifest, load_sentences
from pipeline.labels import LABELS, find_label_files, loose_key, read_labels
from tests.conftest import PROJECT


def write_labels(tmp_path, rows):
    folder = tmp_path / "labels"
    folder.mkdir()
    (folder / "labels.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


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


def test_every_row_knows_the_text_before(dataset, store, small_labels):
    rows = pd.concat([load_side(dataset, side) for side in ("train", "test")])
    first = next(iter(read_labels(find_label_files(small_labels)).groupby("report", sort=False)))[1]
    part = rows[rows["report"] == first["report"].iloc[0]].set_index("text")["before"]
    texts = first["text"].tolist()
    assert pd.isna(part[texts[0]])
    for before, text in pairwise(texts):
        if texts.count(text) == 1 and text in part.index:
            assert part[text] == before


def test_loose_sentences_and_gaps_have_nothing_before(tmp_path, params, store):
    rows = [{"report": "g", "paragraph": 0, "position": n, "text": f"Loose {n}.", "labels": "S"} for n in (1, 2)]
    rows += [{"report": "d", "paragraph": 1, "position": n, "text": f"Plan {n}.", "labels": "S"} for n in (1, 2, 4)]
    rows += [{"report": f"other-{n}", "text": f"Sentence number {n}.", "labels": "N"} for n in range(20)]
    build_dataset(params, write_labels(tmp_path, rows), store, tmp_path / "dataset")
    table = pd.concat([load_side(tmp_path / "dataset", side) for side in ("train", "test")])
    before = table.set_index("text")["before"].dropna()
    assert before.to_dict() == {"Plan 2.": "Plan 1."}


def test_labels_by_key_survive_another_reading(tmp_path, params, store):
    sentences = load_sentences(store)
    rows = sentences[sentences["kind"] == "paragraph"].drop_duplicates("key").head(40)
    lines = [
        # The key of another reader, which joined all words; the letters alone are the same.
        {"report_id": row.report_id, "key": "f" * 64, "loose_key": loose_key(f"4 {row.text}"), "labels": "S"}
        for row in rows.itertuples()
    ]
    first = rows.iloc[0]
    lines.append({"report_id": first["report_id"], "key": first["key"], "labels": "W"})
    lines.append({"report_id": "0123", "key": first["key"], "labels": "W"})
    lines += [{"report": f"other-{n}", "text": f"Sentence number {n}.", "labels": "N"} for n in range(20)]
    found = build_dataset(params, write_labels(tmp_path, lines), store, tmp_path / "dataset")
    # The sentence with a label of its own is not labelled a second time.
    assert (found.joined, found.unmatched, found.absent, found.absent_documents) == (40, 1, 1, 1)
    (counts,) = load_summary(tmp_path / "dataset")["keyed"].values()
    assert counts == {"labels": 42, "joined": 40, "exact": 1, "loose": 39, "unmatched": 1, "absent": 1}
    table = pd.concat([load_side(tmp_path / "dataset", side) for side in ("train", "test")])
    assert set(rows["key"]) <= set(table["key"])
    assert table.loc[table["key"] == first["key"], "weakness"].tolist() == [True]


def test_without_reports_the_other_labels_go_on(tmp_path, params, store, small_labels, dataset):
    labels = tmp_path / "labels"
    shutil.copytree(small_labels, labels)
    shutil.copy(PROJECT / "data" / "labels" / "public-train.jsonl", labels)
    found = build_dataset(params, labels, store, tmp_path / "dataset")
    assert (found.joined, found.unmatched, found.absent, found.absent_documents) == (0, 0, 10800, 163)
    for side in ("train", "test"):
        assert load_summary(tmp_path / "dataset")[side]["sha256"] == load_summary(dataset)[side]["sha256"]


def test_the_public_labels_hold_no_text():
    rows = [
        json.loads(line)
        for line in (PROJECT / "data" / "labels" / "public-train.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    assert len(rows) == 10800
    names = ["report_id", "key", "loose_key", "labels", "annotator", "annotated", "pool"]
    assert all(list(row) == names for row in rows)
    hexadecimal = {"report_id": 16, "key": 64, "loose_key": 16}
    assert all(re.fullmatch(f"[0-9a-f]{{{n}}}", row[name]) for row in rows for name, n in hexadecimal.items())
    assert {row["pool"] for row in rows} == {"natural", "commit", "uncertain"}


@pytest.mark.shared
@pytest.mark.slow
def test_the_public_labels_meet_their_sentences(tmp_path, params, shared):
    extract_sentences([shared / "reports"], tmp_path / "sentences")
    (tmp_path / "labels").mkdir()
    shutil.copy(PROJECT / "data" / "labels" / "public-train.jsonl", tmp_path / "labels")
    found = build_dataset(params, tmp_path / "labels", tmp_path / "sentences", tmp_path / "dataset")
    assert found.absent == 0
    assert found.joined >= 0.97 * 10800
    # No sentence of the benchmark is trained or tested on.
    with (shared / "gold" / "dev.csv").open(encoding="utf-8", newline="") as file:
        benchmark = {loose_key(row["text"]) for row in csv.DictReader(file)}
    for side in ("train", "test"):
        assert not benchmark & {loose_key(text) for text in load_side(tmp_path / "dataset", side)["text"]}


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


def test_reserved_sentences_never_train(params, small_labels, store, tmp_path):
    whole = tmp_path / "whole"
    build_dataset(params, small_labels, store, whole, tmp_path / "none.txt")
    keys = load_side(whole, "train")["key"].unique()[:5].tolist()
    (tmp_path / "reserved.txt").write_text("\n".join(keys))
    build_dataset(params, small_labels, store, tmp_path / "less", tmp_path / "reserved.txt")
    assert not set(load_side(tmp_path / "less", "train")["key"]) & set(keys)
    assert len(load_side(tmp_path / "less", "test")) == len(load_side(whole, "test"))
