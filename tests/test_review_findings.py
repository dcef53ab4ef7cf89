import json
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import DataError
from pipeline.labels import LABELS, loose_key
from pipeline.review.events import resolve
from pipeline.review.findings import given_labels, load_findings, make_items, reviewed_rows, rows_by_id
from pipeline.sentences import sentence_key
from tests.reviews import event


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_every_format_says_the_same(findings, suffix):
    expected, found = load_findings(findings), load_findings(findings.with_suffix(suffix))
    columns = ["document", "key", "text", "labels", *LABELS, "position", "page"]
    pd.testing.assert_frame_equal(found[columns], expected[columns], check_dtype=False)
    assert found["before"].isna().tolist() == expected["before"].isna().tolist()
    assert found["p_strength"].round(6).tolist() == expected["p_strength"].tolist()


def test_the_sentence_before_is_of_the_same_document(findings):
    rows = load_findings(findings)
    first = rows.drop_duplicates("document")
    assert first["before"].isna().all()
    assert rows["before"].isna().sum() == len(first)


def test_tables_that_are_no_findings_of_documents(findings, tmp_path):
    with pytest.raises(DataError, match="run `findings classify`"):
        load_findings(tmp_path / "none.parquet")
    (tmp_path / "a.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match="accepted are findings as .parquet"):
        load_findings(tmp_path / "a.xlsx")
    (tmp_path / "a.csv").write_text("text\nPlans are clear.\n", encoding="utf-8")
    with pytest.raises(DataError, match="no column strength.*no table of findings"):
        load_findings(tmp_path / "a.csv")
    pd.read_parquet(findings).drop(columns=["report", "report_id"]).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match="a label belongs to a document"):
        load_findings(tmp_path / "b.parquet")


def test_labels_are_found_by_text_anywhere_and_by_key_in_their_document(findings, tmp_path):
    rows = load_findings(findings)
    prose = rows[rows["kind"] == "paragraph"].drop_duplicates("key")
    one, two, three = (prose.iloc[n] for n in (3, 8, 12))
    lines = [
        {"report": "elsewhere", "text": one["text"], "labels": "S"},
        {"report_id": two["document"], "key": two["key"], "labels": "W"},
        {"report": three["report"], "key": "f" * 64, "loose_key": loose_key(three["text"]), "labels": "N"},
        {"report_id": "0" * 16, "key": prose.iloc[20]["key"], "labels": "C"},
    ]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = given_labels(rows, tmp_path)
    assert found[[one.name, two.name, three.name]].tolist() == ["strength", "weakness", "none"]
    assert set(rows.loc[found.notna(), "key"]) == {one["key"], two["key"], three["key"]}
    assert given_labels(rows, tmp_path / "none").isna().all()


def test_answered_sentences_are_known(findings):
    rows = load_findings(findings)
    first = rows.iloc[5]
    held = replace(event(first["text"], report_id=None, report=first["document"]), text=None)
    same = event(rows.iloc[9]["text"])
    known = reviewed_rows(rows, resolve([held, same]))
    assert known[first.name]
    assert set(rows.loc[known, "key"]) == {sentence_key(first["text"]), same.key}


def test_items_link_to_their_sentence(findings, tmp_path):
    rows = load_findings(findings)
    row = rows[rows["kind"] == "paragraph"].iloc[[30]]
    (item,) = make_items(row, ["why"], ["natural"], tmp_path / "queue.csv", findings.parent / "reports")
    page, _, anchor = item.link.partition("#")
    assert f'id="{anchor}"' in (tmp_path / page).resolve().read_text(encoding="utf-8")
    assert item.before == row["before"].iloc[0]
    assert rows_by_id(rows)[item.id] == (row.index[0], "natural")
    (bare,) = make_items(row, ["why"], ["natural"], tmp_path / "queue.csv", Path("nowhere"))
    assert bare.link == ""


def test_findings_of_ones_own_table_need_only_a_report(findings, tmp_path):
    kept = pd.read_parquet(findings).drop(columns=["report_id", "key", "position", "page", "section", "kind"])
    kept.to_parquet(tmp_path / "own.parquet")
    rows = load_findings(tmp_path / "own.parquet")
    assert set(rows["document"]) == set(kept["report"])
    assert rows["key"].tolist() == pd.read_parquet(findings)["key"].tolist()
    shutil.rmtree(tmp_path)
