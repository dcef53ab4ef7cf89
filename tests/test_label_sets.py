import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from pipeline.calibration import choose_prior, fit_label_sets
from pipeline.label_sets import LabelSets, one_by_one, read_set_weights
from pipeline.labels import LABELS, format_labels
from pipeline.scorer import sigmoid

FINITE = st.floats(-20, 20)
ROWS = st.lists(st.tuples(*[FINITE] * 6), min_size=1, max_size=8).map(np.array)
COEFFICIENTS = st.tuples(st.floats(-3, 3), st.floats(-3, 3), st.floats(-3, 3))
PRIOR = 10.0
NAMES = ("none", "strength", "weakness", "commitment", "strength; weakness", "weakness; commitment")


def drawn(size, seed=5):
    """Sentences of which hardly one has two labels, and log-odds that know of each label alone."""
    generator = np.random.default_rng(seed)
    only = generator.integers(0, 4, size)
    labels = only[:, None] == np.arange(3)
    labels[: size // 50, :2] = True
    return np.where(labels, 1.5, -1.5) + generator.normal(0, 2, labels.shape), labels


@given(known=ROWS, coefficients=st.tuples(COEFFICIENTS, COEFFICIENTS, COEFFICIENTS))
def test_labels_one_by_one_are_a_special_case(known, coefficients):
    by_label = dict(zip(LABELS, coefficients, strict=True))
    first, second, intercept = np.array(coefficients).T
    expected = sigmoid(known[:, :3] * first + known[:, 3:] * second + intercept)
    found = LabelSets(one_by_one(by_label)).probabilities(known)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@given(known=ROWS, weights=st.lists(st.tuples(*[FINITE] * 7), min_size=6, max_size=6), data=st.data())
def test_what_a_sentence_gets_does_not_depend_on_the_others(known, weights, data):
    sets = LabelSets(dict(zip(NAMES, weights, strict=True)))
    found = sets.probabilities(known)
    assert ((found >= 0) & (found <= 1)).all()
    rank = data.draw(st.integers(0, len(known) - 1))
    assert (sets.probabilities(known[rank : rank + 1]) == found[rank]).all()
    assert (sets.probabilities(known[::-1])[::-1] == found).all()


@given(seed=st.integers(0, 1000), size=st.integers(60, 300))
@settings(max_examples=10, deadline=None)
def test_no_weights_near_those_fitted_explain_the_labels_better(seed, size):
    known, labels = drawn(size, seed)
    weights = fit_label_sets(known, labels, PRIOR)
    names = list(weights)
    places = [names.index(format_labels(row)) for row in labels]
    alone = one_by_one(
        {
            label: (*model.coef_[0], model.intercept_[0])
            for label, model in (
                (label, LogisticRegression(C=1e6).fit(known[:, [k]], labels[:, k])) for k, label in enumerate(LABELS)
            )
        }
    )
    prior, fitted = (np.array([table[name] for name in names]) for table in (alone, weights))

    def loss(values):
        logs = log_softmax(known @ values[:, :-1].T + values[:, -1], axis=1)
        change = values - prior
        # In numbers of mean 0 and deviation 1, as the weights are drawn towards those of each label by itself.
        change = np.column_stack(
            [change[:, :-1] * known.std(axis=0), change[:, -1] + change[:, :-1] @ known.mean(axis=0)]
        )
        return PRIOR / 2 * (change**2).sum() - logs[np.arange(size), places].sum()

    generator, least = np.random.default_rng(seed), loss(fitted)
    for _ in range(20):
        assert loss(fitted + generator.normal(0, 0.02, fitted.shape)) > least
    assert loss(prior) >= least - 1e-3


def test_the_firmer_the_prior_the_nearer_to_each_label_by_itself():
    known, labels = drawn(300)
    answers = [LabelSets(fit_label_sets(known, labels, prior)).probabilities(known) for prior in (1, 10, 100, 1000)]
    alone = LabelSets(fit_label_sets(known, labels, np.inf)).probabilities(known)
    apart = [np.abs(answer - alone).mean() for answer in answers]
    assert apart == sorted(apart, reverse=True)
    assert apart[0] > 0.05
    assert apart[-1] < 0.05


def test_labels_that_shut_each_other_out_are_told_apart_better_together():
    (known, labels), (asked, truth) = drawn(4000), drawn(4000, 6)
    together = LabelSets(fit_label_sets(known, labels, PRIOR)).probabilities(asked)
    alone = np.column_stack(
        [
            LogisticRegression(C=1e6).fit(known[:, [k]], labels[:, k]).predict_proba(asked[:, [k]])[:, 1]
            for k in range(len(LABELS))
        ]
    )
    right = [((probabilities >= 0.5) == truth).all(axis=1).mean() for probabilities in (together, alone)]
    assert right[0] > right[1] + 0.05
    assert np.abs(together.mean(axis=0) - truth.mean(axis=0)).max() < 0.02


def test_two_sets_of_labels():
    known = np.array([[3.0, -2.0, -2.0], [-3.0, -2.0, -2.0]] * 20)
    labels = np.array([[True, False, False], [False, False, False]] * 20)
    weights = fit_label_sets(known, labels, PRIOR)
    assert set(weights) == {"none", "strength"}
    found = LabelSets(weights).probabilities(known)
    assert found[0, 0] > 0.9
    assert found[1, 0] < 0.1
    assert (found[:, 1:] == 0).all()


@pytest.mark.parametrize(
    "raw",
    [
        None,
        ["none"],
        {},
        {"none": []},
        {"none": [0.5]},
        {"none": [0, 0, 0, float("nan")]},
        {"none": [0, 0, 0, 0], "strength": [1, 0, 0]},
        {"none": [0, 0, 0], "strength": [1, 0, 0]},
        {"none": [0, 0, 0, 0], "praise": [1, 0, 0, 0]},
        {"none": [0, 0, 0, "much"]},
        {"none": None},
    ],
)
def test_weights_that_are_not_as_documented(raw):
    with pytest.raises((ValueError, TypeError)):
        read_set_weights(raw, 3)


def test_the_prior_gives_way_where_labels_shut_each_other_out():
    known, labels = drawn(1000)
    groups = np.arange(1000) % 20
    prior, said = choose_prior(known, labels, groups)
    assert prior == 10
    for train, rest in GroupKFold(5).split(known, groups=groups):
        others = LabelSets(fit_label_sets(known[train], labels[train], prior))
        np.testing.assert_array_equal(said[rest], others.probabilities(known[rest]))


def test_labels_that_know_nothing_of_each_other_are_read_one_by_one():
    generator = np.random.default_rng(9)
    labels = generator.random((400, 3)) < 0.4
    known = np.where(labels, 1.0, -1.0) + generator.normal(0, 1, labels.shape)
    assert choose_prior(known, labels, np.arange(400) % 20)[0] >= 100
    prior, said = choose_prior(known, labels, np.zeros(400))
    assert prior == np.inf
    alone = LabelSets(fit_label_sets(known, labels, np.inf)).probabilities(known)
    np.testing.assert_array_equal(said, alone)
    for rank in range(3):
        model = LogisticRegression(C=1e6).fit(known[:, [rank]], labels[:, rank])
        np.testing.assert_allclose(alone[:, rank], model.predict_proba(known[:, [rank]])[:, 1], atol=1e-3)
