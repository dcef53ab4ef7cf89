"""The paired comparison of two models, and the rule by which a candidate passes."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.gate import Change, compare, judge
from pipeline.labels import LABELS
from pipeline.params import EvaluateParams, RegisterParams, ToleranceParams
from pipeline.scores import Scored, Scorer, document_draws

PARAMS = RegisterParams(
    margin=0.005,
    tolerance=ToleranceParams(strength=0.01, weakness=0.01, commitment=0.02),
    confidence=0.9,
    bootstrap=50,
    seed=1,
    data_share=0.8,
)
STEADY = Change(0.8, 0.8, 0.0, -0.01, 0.01)
BETTER = Change(0.72, 0.7, 0.02, 0.005, 0.035)


def scored_from(truth, chosen, documents):
    return Scored(truth, chosen.astype(float), chosen, documents, np.full(len(truth), "", dtype=object))


@st.composite
def pairs(draw):
    rows = draw(st.integers(1, 20))
    truth, ours, theirs = (draw(hnp.arrays(bool, (rows, 3))) for _ in range(3))
    documents = draw(hnp.arrays(np.int64, rows, elements=st.integers(0, 5)))
    return scored_from(truth, ours, documents), scored_from(truth, theirs, documents)


def judged(macro=BETTER, **labels):
    return judge({"macro_f1": macro, **dict.fromkeys(LABELS, STEADY), **labels}, PARAMS)


@given(pairs())
@settings(deadline=None)
def test_scores_and_intervals_are_those_of_the_scorer_draw_by_draw(pair):
    found = compare(*pair, PARAMS)
    drawing = EvaluateParams(bootstrap=PARAMS.bootstrap, seed=PARAMS.seed)
    draws = document_draws(pair[0].documents, drawing)
    ours, theirs = (Scorer(scored, 10) for scored in pair)
    for name, score in {"macro_f1": "macro_f1", **{label: f"{label}_f1" for label in LABELS}}.items():
        here, there = ours.scores()[score], theirs.scores()[score]
        assert (name in found) == np.isfinite(here)
        if name in found:
            assert found[name].candidate == pytest.approx(here, abs=5.1e-5)
            assert found[name].champion == pytest.approx(there, abs=5.1e-5)
            assert found[name].difference == pytest.approx(here - there, abs=1.1e-4)
            differences = np.array([ours.scores(draw)[score] - theirs.scores(draw)[score] for draw in draws])
            differences = differences[np.isfinite(differences)]
            if len(differences):
                assert found[name].low == pytest.approx(np.quantile(differences, 0.05), abs=5.1e-5)
                assert found[name].high == pytest.approx(np.quantile(differences, 0.95), abs=5.1e-5)


@given(pairs())
@settings(deadline=None)
def test_swapping_the_models_turns_every_sign_and_both_never_pass(pair):
    forth, back = compare(*pair, PARAMS), compare(*reversed(pair), PARAMS)
    for name, change in forth.items():
        assert back[name].difference == pytest.approx(-change.difference)
        assert back[name].low == pytest.approx(-change.high, abs=1e-4)
    if forth:
        assert not (judge(forth, PARAMS)[0] and judge(back, PARAMS)[0])


@given(pairs())
@settings(deadline=None)
def test_the_same_answers_differ_by_nothing_and_do_not_pass(pair):
    changes = compare(pair[0], pair[0], replace(PARAMS, margin=0.0))
    for change in changes.values():
        assert (change.difference, change.low, change.high) == (0, 0, 0)
    if changes:
        assert judge(changes, replace(PARAMS, margin=0.0))[0] is False


def test_other_sentences_are_refused():
    truth, documents = np.ones((2, 3), dtype=bool), np.arange(2)
    one = scored_from(truth, truth, documents)
    with pytest.raises(ValueError, match="different sentences"):
        compare(one, scored_from(~truth, truth, documents), PARAMS)
    with pytest.raises(ValueError, match="different sentences"):
        compare(one, scored_from(truth, truth, documents[::-1]), PARAMS)


def test_without_any_example_nothing_is_compared():
    none = scored_from(np.zeros((2, 3), dtype=bool), np.ones((2, 3), dtype=bool), np.arange(2))
    assert compare(none, none, PARAMS) == {}


def test_a_gain_of_the_margin_with_an_interval_above_0_passes():
    assert judged(Change(0.705, 0.7, 0.005, 0.0001, 0.01)) == (
        True,
        "macro F1 0.7050 is 0.0050 above the champion's 0.7000 (90% interval of the difference +0.0001 to +0.0100); "
        "that is at least 0.005, and no label falls by more than its tolerance",
    )


@pytest.mark.parametrize(
    ("macro", "words"),
    [
        (Change(0.704, 0.7, 0.004, 0.001, 0.01), "0.0040 above the champion's 0.7000"),
        (Change(0.7, 0.7, 0.0, 0.0, 0.0), "equal to the champion's 0.7000"),
        (Change(0.6, 0.7, -0.1, -0.2, 0.0), "0.1000 below the champion's 0.7000"),
    ],
)
def test_less_than_the_margin_does_not_pass(macro, words):
    passed, reason = judged(macro)
    assert not passed
    assert words in reason
    assert reason.endswith("it must be at least 0.005 above")


def test_a_gain_that_may_be_chance_does_not_pass():
    passed, reason = judged(Change(0.72, 0.7, 0.02, 0.0, 0.04))
    assert not passed
    assert reason.endswith("the interval must lie above 0, or the gain may be chance")


def test_each_label_has_its_tolerance_and_every_failure_is_named():
    fallen = Change(0.78, 0.8, -0.02, -0.03, 0.0)
    assert judged(commitment=fallen)[0]
    passed, reason = judged(Change(0.7, 0.7, 0.0, -0.1, 0.1), weakness=fallen, strength=fallen)
    assert not passed
    assert "it must be at least 0.005 above; F1 of strength falls by 0.0200, from 0.8000 to 0.7800, and may" in reason
    assert reason.endswith("F1 of weakness falls by 0.0200, from 0.8000 to 0.7800, and may fall by 0.01")
