import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.cascade import Cascade, read_cascade
from pipeline.labels import LABELS
from pipeline.scorer import sigmoid

RAW = {
    "encoder": "0123456789ab",
    "weights": {label: [1.5, 0.5, -0.25] for label in LABELS},
    "thresholds": {mode: dict.fromkeys(LABELS, 0.4) for mode in ("balanced", "accurate")},
    "band": {"strength": [-1.0, 1.0], "weakness": [-0.5, 2.0], "commitment": [0.0, 0.0]},
    "reach": 0.25,
}


@pytest.fixture
def cascade() -> Cascade:
    read = read_cascade(RAW)
    assert read is not None
    return read


def test_unsure_where_some_label_lies_in_its_band(cascade):
    scores = np.array([[5.0, -3.0, -4.0], [5.0, 1.9, -4.0], [0.9, -3.0, -4.0], [5.0, -3.0, 0.0], [1.1, -0.6, 0.1]])
    assert cascade.unsure(sigmoid(scores)).tolist() == [False, True, True, True, False]


def test_both_answers_count_by_their_weights(cascade):
    logits, scores = np.array([[2.0, -1.0, 0.0]]), np.array([[1.0, 1.0, -2.0]])
    np.testing.assert_allclose(cascade.probabilities(logits, scores), sigmoid(1.5 * logits + 0.5 * scores - 0.25))


@given(st.lists(st.tuples(*[st.floats(-30, 30)] * 6), min_size=1, max_size=5))
def test_probabilities_lie_between_0_and_1(rows):
    values = np.array(rows)
    answers = read_cascade(RAW).probabilities(values[:, :3], values[:, 3:])
    assert ((answers >= 0) & (answers <= 1)).all()


def test_a_model_without_a_cascade():
    assert read_cascade(None) is None


@pytest.mark.parametrize(
    "change",
    [
        {"weights": {label: [1.5, 0.5] for label in LABELS}},
        {"weights": {"strength": [1, 2, 3]}},
        {"band": {label: [float("nan"), 1] for label in LABELS}},
        {"thresholds": {"balanced": dict.fromkeys(LABELS, 0.4)}},
        {"thresholds": {mode: dict.fromkeys(LABELS, 1.4) for mode in ("balanced", "accurate")}},
        {"reach": "much"},
    ],
)
def test_a_cascade_that_is_not_as_documented(change):
    with pytest.raises(ValueError, match="cascade"):
        read_cascade({**RAW, **change})


def test_a_cascade_of_another_kind():
    with pytest.raises(ValueError, match="cascade"):
        read_cascade(["balanced"])
