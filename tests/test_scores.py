import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn import metrics

from pipeline.labels import LABELS
from pipeline.scores import Scored, Scorer, document_draws, point_scores, scores_with_intervals

BINS = 10


def scored_from(truth, probabilities, documents=None):
    rows = len(truth)
    return Scored(
        truth,
        probabilities,
        probabilities >= 0.5,
        np.arange(rows) if documents is None else documents,
        np.array(["a" if row % 2 else "b" for row in range(rows)], dtype=object),
    )


@st.composite
def answers(draw):
    rows = draw(st.integers(1, 30))
    truth = draw(hnp.arrays(bool, (rows, 3)))
    tenths = draw(hnp.arrays(np.int64, (rows, 3), elements=st.integers(0, 20)))
    return scored_from(truth, tenths / 20)


@given(answers())
@settings(deadline=None)
def test_scores_are_those_of_scikit_learn(scored):
    found = Scorer(scored, BINS).scores()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for k, label in enumerate(LABELS):
            truth, chosen, p = scored.truth[:, k], scored.chosen[:, k], scored.probabilities[:, k]
            if truth.any():
                assert found[f"{label}_recall"] == pytest.approx(metrics.recall_score(truth, chosen))
                assert found[f"{label}_f1"] == pytest.approx(metrics.f1_score(truth, chosen))
                expected = metrics.average_precision_score(truth, p)
                assert found[f"{label}_average_precision"] == pytest.approx(expected)
            else:
                assert np.isnan(found[f"{label}_f1"])
            if chosen.any():
                assert found[f"{label}_precision"] == pytest.approx(metrics.precision_score(truth, chosen))
            assert found[f"{label}_brier"] == pytest.approx(np.mean((p - truth) ** 2))
            assert found[f"{label}_support"] == truth.sum()
        exact = metrics.accuracy_score(scored.truth, scored.chosen)
        assert found["exact_match"] == pytest.approx(exact)
        if (scored.truth | scored.chosen).any():
            assert found["micro_f1"] == pytest.approx(metrics.f1_score(scored.truth, scored.chosen, average="micro"))


@given(answers(), st.data())
@settings(deadline=None)
def test_a_weight_is_a_repetition(scored, data):
    times = data.draw(hnp.arrays(np.int64, len(scored.truth), elements=st.integers(0, 3)).filter(np.any))
    repeated = scored_from(np.repeat(scored.truth, times, axis=0), np.repeat(scored.probabilities, times, axis=0))
    assert Scorer(scored, BINS).scores(times.astype(float)) == pytest.approx(
        Scorer(repeated, BINS).scores(), nan_ok=True
    )


def test_calibration_error_by_hand():
    # Two bins: [0.2, 0.2] with one true of two, [0.9] true: (2 * |0.5 - 0.2| + 1 * |1 - 0.9|) / 3.
    truth = np.array([[True] * 3, [False] * 3, [True] * 3])
    probabilities = np.array([[0.2] * 3, [0.2] * 3, [0.9] * 3])
    assert point_scores(scored_from(truth, probabilities), BINS)["ece"] == pytest.approx(0.7 / 3, abs=1e-4)


def test_macro_f1_passes_over_labels_without_example():
    truth = np.array([[True, False, False]])
    found = point_scores(scored_from(truth, np.array([[0.9, 0.1, 0.1]])), BINS)
    assert found["macro_f1"] == 1
    assert found["weakness_f1"] is None


def test_documents_are_drawn_whole(params):
    documents = np.array(["a", "a", "b", "c", "c", "c"])
    draws = document_draws(documents, params.evaluate)
    assert len(draws) == params.evaluate.bootstrap
    for draw in draws:
        assert draw[0] == draw[1]
        assert draw[3] == draw[4] == draw[5]
        assert draw[0] + draw[2] + draw[3] == 3


def test_intervals_hold_the_value_and_follow_the_seed(params):
    generator = np.random.default_rng(0)
    truth = generator.random((200, 3)) < 0.4
    probabilities = np.clip(truth * 0.3 + generator.random((200, 3)) * 0.7, 0, 1)
    scored = scored_from(truth, probabilities, np.repeat(np.arange(20), 10))
    settings_ = replace(params.evaluate, bootstrap=200)
    found = scores_with_intervals(scored, settings_)
    for score in found.values():
        assert score["low"] <= score["value"] <= score["high"]
    assert found["macro_f1"]["low"] < found["macro_f1"]["high"]
    assert scores_with_intervals(scored, settings_) == found
    assert scores_with_intervals(scored, replace(settings_, seed=1)) != found


def test_one_type_alone():
    truth = np.ones((5, 3), dtype=bool)
    part = scored_from(truth, np.full((5, 3), 0.5)).of_type("a")
    assert len(part.truth) == len(part.documents) == 2
