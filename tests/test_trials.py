"""The trials of features: each answers what it says, on folds of the public labels alone."""

import shutil

import numpy as np
import pandas as pd
import pytest

from benchmarks import trials
from benchmarks.trial_corpus import Corpus
from benchmarks.trial_features import Blocks, clauses, negated
from benchmarks.trial_list import TRIALS
from pipeline.dataset import load_side
from pipeline.tracking import open_store

BY_NAME = {trial.name: trial for trial in TRIALS}
CHEAP = (
    "base",
    "signal-words",
    "heading-0.5",
    "heading-hidden",
    "clauses-max",
    "modality-0.5",
    "before-0.35",
    "authored-2",
)


@pytest.fixture(scope="module")
def data(tmp_path_factory, dataset, store):
    """A data folder in which every second document counts as public."""
    folder = tmp_path_factory.mktemp("trials") / "data"
    shutil.copytree(dataset, folder / "dataset")
    shutil.copytree(store, folder / "sentences")
    table = load_side(dataset, "train")
    documents = sorted(table["document"].unique())
    public = table["document"].isin(documents[::2])
    table["source"] = np.where(public, "data/labels/public-train.jsonl", table["source"])
    table["pool"] = np.where(public, "natural", None)
    table.to_parquet(folder / "dataset" / "train.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def corpus(data, params):
    return Corpus(data, 0.0, params)


def test_clauses_end_at_contrast_words():
    assert clauses("Plans are clear, but staff do not know them; and so on") == [
        "plans are clear",
        "staff do not know them",
        "and so on",
    ]
    assert clauses("Good, yet late") == []
    assert clauses("Leaders know their children well.") == ["leaders know their children well"]


def test_words_after_a_negation_are_marked_up_to_the_next_mark_or_contrast():
    assert negated("They do not know them, and plans are late") == ["not_know", "not_them"]
    assert negated("Staff don't wait but act") == ["not_wait"]
    assert negated("All is well") == []


def test_grades_and_improvement_bullets_come_from_the_context():
    table = pd.DataFrame(
        {
            "text": ["a"] * 4,
            "section": ["What needs to improve", "What needs to improve", "Leaders", ""],
            "section_grade": ["", "good", "good", ""],
            "kind": ["bullet", "paragraph", "bullet", "bullet"],
            "before": [""] * 4,
        }
    )
    blocks = Blocks(table, None, list)
    assert blocks.extra("improvement", 1).rows.toarray().ravel().tolist() == [1, 0, 0, 0]
    assert blocks.extra("grade", 1).rows.toarray().ravel().tolist() == [0, 1, 1, 0]


def test_every_trial_has_a_name_of_its_own_and_known_blocks():
    assert len(BY_NAME) == len(TRIALS)
    for trial in TRIALS:
        assert all(hasattr(Blocks, f"_{name}") for name in trial.extra), trial.name


def test_folds_hold_public_sentences_and_no_authority_twice(corpus):
    everything = np.concatenate(corpus.folds)
    assert sorted(everything) == np.flatnonzero(corpus.public).tolist()
    for fold in corpus.folds:
        out = corpus.held_out(fold)
        assert out[fold].all()
        assert not set(corpus.groups[out]) & set(corpus.groups[~out])


def test_hidden_features_teach_and_do_not_answer(corpus, params):
    blocks = Blocks(corpus.table, None, list)
    scored = {
        name: trials.score(BY_NAME[name], corpus, blocks, params, {}) for name in ("heading-0.5", "heading-hidden")
    }
    assert scored["heading-0.5"]["features"] == scored["heading-hidden"]["features"]
    assert scored["heading-0.5"]["macro_f1"] != scored["heading-hidden"]["macro_f1"]


def test_the_score_of_a_sentence_follows_its_clauses(corpus, params):
    blocks = Blocks(corpus.table, None, list)
    blocks.product(params.features)
    union = blocks.unions[repr(params.features)]

    class Length:
        def decision_function(self, rows):
            return np.asarray(rows.sum(axis=1)).ravel()

    texts = ["Plans are clear, but staff do not know them", "Leaders know their children well"]
    whole = np.array([[9.0], [9.0]])
    parts = Length().decision_function(union.transform(clauses(texts[0])))
    best = trials.pooled(whole, texts, union, [Length()], "max")
    assert best[0] == pytest.approx(parts.max())
    assert best[1] == 9.0
    assert trials.pooled(whole, texts, union, [Length()], "both")[0] == pytest.approx((parts.max() + 9) / 2)
    assert trials.pooled(whole, texts, union, [Length()], "logsumexp")[0] == pytest.approx(np.log(np.exp(parts).sum()))


def test_trials_are_logged_below_one_run_and_stand_in_the_table(data, tmp_path, empty_store, capsys):
    (tmp_path / "mlruns").mkdir()
    shutil.copyfile(empty_store, tmp_path / "mlruns" / "mlflow.db")
    arguments = ["--data", str(data), "--project", str(tmp_path), "--only", *CHEAP, "embeddings-1"]
    assert trials.main(arguments) == 0
    printed = capsys.readouterr().out
    assert "embeddings-1: left out" in printed
    table = pd.read_csv(tmp_path / "data" / "search" / "trials-soft-0.csv", encoding="utf-8-sig").set_index("run")
    assert set(table.index) == set(CHEAP)
    assert len(set(table["macro_f1"])) > 3
    with open_store(tmp_path, write=False) as store:
        (parent,) = [run for run in store._search("", "") if "mlflow.parentRunId" not in run.data.tags]
        below = {run.info.run_name: run for run in store._search("mlflow.parentRunId", parent.info.run_id)}
    assert parent.info.status == "FINISHED"
    assert set(below) == set(CHEAP)
    for name, run in below.items():
        assert run.data.metrics["cv_macro_f1"] == pytest.approx(table.loc[name, "macro_f1"])
        assert f"`{name}`" in printed


def test_without_public_labels_nothing_is_tried(dataset, store, tmp_path, capsys):
    assert trials.main(["--data", str(tmp_path)]) == 0
    assert "no dataset there" in capsys.readouterr().out
    shutil.copytree(dataset, tmp_path / "dataset")
    shutil.copytree(store, tmp_path / "sentences")
    assert trials.main(["--data", str(tmp_path)]) == 0
    assert "public labels of fewer than 5 authorities met a sentence" in capsys.readouterr().out
    assert not (tmp_path / "mlruns").exists()
