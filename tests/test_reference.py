import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pipeline.dataset import load_side
from pipeline.fitting import fit_linear
from pipeline.labelled import Labelled
from pipeline.labels import LABELS
from pipeline.model_folder import load_reference
from pipeline.reference import (
    ALL,
    HeldOut,
    Tally,
    build_reference,
    pack_reference,
    parse_reference,
    unknown_share,
)

THRESHOLDS = np.array([0.5, 0.5, 0.4])


def held_out(probabilities):
    return HeldOut(np.array(probabilities), THRESHOLDS, np.full(len(probabilities), True))


def test_shares_by_hand():
    tally = Tally(THRESHOLDS, 0.1)
    tally.add(np.array([[0.9, 0.1, 0.0], [0.45, 0.5, 0.1]]), ["action_plan", None])
    tally.add(np.array([[1.0, 0.0, 0.45]]))
    tally.add(np.empty((0, 3)), [])
    assert tally.sentences == {ALL: 3, "action_plan": 1}
    found = tally.result()
    assert found.shares[ALL] == {"strength": 0.6667, "weakness": 0.3333, "commitment": 0.3333}
    assert found.shares["action_plan"] == {"strength": 1.0, "weakness": 0.0, "commitment": 0.0}
    assert found.near == {"strength": 0.3333, "weakness": 0.3333, "commitment": 0.3333}
    assert found.histograms["strength"] == [0, 0, 0, 0, 0.3333, 0, 0, 0, 0, 0.6667]


def test_headings_do_not_count_and_a_random_draw_counts_alone():
    rows = 1100
    table = pd.DataFrame(
        {
            "doc_type": ["action_plan"] * rows + ["focused_visit"] * 200 + [None] * 10,
            "kind": ["paragraph"] * (rows + 200) + ["heading"] * 10,
            "pool": ["natural"] * rows + [None] * 210,
        }
    )
    answers = {"fast": held_out([[0.9, 0.1, 0.1]] * len(table))}
    found = build_reference(table, answers, margin=0.1, unknown_words=0.02)
    assert found.sentences == {ALL: rows, "action_plan": rows}
    assert found.doc_types == ("action_plan", "focused_visit")
    few = table.assign(pool=None)
    assert build_reference(few, answers, margin=0.1, unknown_words=0.02).sentences[ALL] == rows + 200


def test_unknown_words_by_hand():
    texts = ["plans are clear", "plans are late", "plans dazzle"]
    # Group a is the fifth held out: of its two words one stands in both others.
    assert unknown_share(texts, ["b", "c", "a"], least=2) == 0.5
    assert unknown_share(texts, ["a", "a", "a"], least=2) == 0


def test_what_training_leaves(model, dataset, params):
    found = load_reference(model)
    train = load_side(dataset, "train")
    assert set(found.modes) == {"fast"}
    assert set(found.doc_types) == set(train["doc_type"].dropna())
    assert 0 < found.unknown_words < 0.3
    prose = train["kind"].isin(["paragraph", "bullet"]).to_numpy()
    fitted = fit_linear(Labelled.of(train), params)
    given = fitted.probabilities[prose] >= fitted.thresholds
    for rank, label in enumerate(LABELS):
        share = found.modes["fast"].shares[ALL][label]
        assert share == pytest.approx(given[:, rank].mean(), abs=0.001)
        # Where a model knows little, the highest F1 takes more labels than there are.
        assert share == pytest.approx(train.loc[prose, label].mean(), abs=0.2)


def test_bytes_and_back(model):
    found = load_reference(model)
    assert parse_reference(pack_reference(found)) == found
    assert found != replace(found, unknown_words=0.5)
    raw = json.loads(pack_reference(found))
    for change in (
        {"format": 2},
        {"modes": {}},
        {"unknown_words": True},
        {"unknown_words": 1.5},
        {"sentences": {}},
        {"modes": {"fast": {"shares": {}, "histograms": {}, "near": {}}}},
    ):
        with pytest.raises(ValueError, match=r"."):
            parse_reference(json.dumps(raw | change).encode())
