from dataclasses import replace

import numpy as np
import pytest

from pipeline import fitting
from pipeline.calibration import best_thresholds
from pipeline.conversion import convert_pipeline
from pipeline.dataset import load_side
from pipeline.errors import DataError
from pipeline.fitting import Problem, Soft, _features, build_pipeline, fit_linear
from pipeline.labelled import Labelled
from pipeline.labels import label_matrix
from pipeline.model_file import pack_model


@pytest.fixture(scope="module")
def side(dataset):
    table = load_side(dataset, "train")
    return table["text"].tolist(), label_matrix(table), table["document"].to_numpy()


def test_thresholds_see_held_out_scores_only(side, params):
    # In-sample every training sentence is separable, so a threshold tuned there would score about 1.
    scores = fit_linear(Labelled(*side), params).scores
    assert 0.5 < scores["macro_f1"] < 0.95


@pytest.mark.parametrize(("value", "found"), [(False, "no example"), (True, "no counter-example")])
def test_a_label_without_examples(side, params, value, found):
    texts, labels, documents = side
    labels = labels.copy()
    labels[:, 2] = value
    with pytest.raises(DataError, match=f"label 'commitment' has {found}"):
        fit_linear(Labelled(texts, labels, documents), params)


def test_a_label_in_one_document(side, params):
    texts, labels, documents = side
    labels = labels.copy()
    labels[:, 2] &= documents == documents[0]
    assert labels[:, 2].any() or labels[:, 2].sum() == 0
    labels[0, 2] = True
    with pytest.raises(DataError, match="label 'commitment' stands in too few documents"):
        fit_linear(Labelled(texts, labels, documents), params)


def test_fewer_documents_than_folds(side, params):
    texts, labels, documents = side
    many = replace(params, train=replace(params.train, folds=50))
    with pytest.raises(DataError, match="cannot make 50 folds"):
        fit_linear(Labelled(texts, labels, documents), many)


def test_without_soft_labels_it_is_the_plain_pipeline(side, params):
    texts, labels, _ = side
    fitted = fit_linear(Labelled(*side), params)
    plain = build_pipeline(params).fit(texts, labels.astype(int))
    # The calibration is one straight line a label; apart from it the scores are the same.
    scores, expected = fitted.pipeline.decision_function(texts), plain.decision_function(texts)
    for rank in range(labels.shape[1]):
        slope, intercept = np.polyfit(expected[:, rank], scores[:, rank], 1)
        np.testing.assert_allclose(expected[:, rank] * slope + intercept, scores[:, rank], atol=1e-3)


def test_sure_soft_labels_teach_like_labels(side, params):
    texts, labels, documents = side
    half = np.isin(documents, sorted(set(documents))[::2])
    taught = Labelled([texts[k] for k in np.flatnonzero(half)], labels[half], documents[half])
    rest = np.flatnonzero(~half)
    soft = Soft([texts[k] for k in rest], labels[rest].astype(float), documents[rest], np.zeros(len(rest), dtype=bool))
    alone, together = fit_linear(taught, params), fit_linear(taught, params, soft)
    asked, truth = [texts[k] for k in rest], labels[rest]
    assert (together.pipeline.predict(asked) == truth).mean() > (alone.pipeline.predict(asked) == truth).mean() + 0.02
    assert len(alone.soft) == 0


def test_soft_labels_of_a_held_out_group_are_not_seen(side, params):
    texts, labels, documents = side
    alone = fit_linear(Labelled(*side), params)
    # The very sentences with their very labels: whoever saw them would know every answer.
    copies = np.arange(len(texts)) % 2 == 0
    fitted = fit_linear(Labelled(*side), params, Soft(list(texts), labels.astype(float), documents, copies))
    assert abs(fitted.scores["macro_f1"] - alone.scores["macro_f1"]) < 0.05
    # What the cascade is tuned on are whole sentences.
    assert fitted.soft.shape == ((~copies).sum(), labels.shape[1])


def test_passes_over_a_part_are_as_many_as_over_the_whole(side, params, monkeypatch):
    texts, labels, documents = side
    monkeypatch.setattr(fitting, "_VISITS", 2 * len(texts))
    rows, _, _ = _features(build_pipeline(params).named_steps["features"], texts, np.zeros(len(texts), dtype=bool))
    problem = Problem(rows, labels.astype(float), np.ones(len(texts)), params)
    part = np.isin(documents, sorted(set(documents))[::2])
    fitted = problem.fit_all([np.ones(len(texts), dtype=bool), part])
    assert [[regression.n_iter_[0] for regression in one] for one in fitted] == [[2] * labels.shape[1]] * 2


def test_picked_sentences_teach_but_set_no_thresholds(side, params):
    texts, labels, documents = side
    # Commitments are too few here to set a threshold on a part of them.
    labels = labels[:, [0, 1, 0]]
    picked = np.arange(len(texts)) % 3 == 0
    # Labels that contradict their words: what they measure would be far off.
    wrong = np.where(picked[:, None], ~labels, labels)
    fitted = fit_linear(Labelled(texts, wrong, documents, picked), params)
    found = fitted.probabilities[~picked]
    np.testing.assert_allclose(found.mean(axis=0), labels[~picked].mean(axis=0), atol=0.01)
    assert fitted.thresholds.tolist() == best_thresholds(found).tolist()
    blind = fit_linear(Labelled(texts, wrong, documents), params)
    assert not np.array_equal(blind.thresholds, fitted.thresholds)


def test_copies_bring_no_features(side, params):
    texts, labels, documents = side
    made_up = [f"{text} zyx" for text in texts]
    copies = Soft(made_up, labels.astype(float), documents, np.ones(len(texts), dtype=bool))
    alone, taught = fit_linear(Labelled(*side), params), fit_linear(Labelled(*side), params, copies)
    names = [fit.pipeline.named_steps["features"].get_feature_names_out().tolist() for fit in (alone, taught)]
    assert names[0] == names[1]
    # The same words in the same order of sentences, or the labels would be those of others.
    assert abs(taught.scores["macro_f1"] - alone.scores["macro_f1"]) < 0.05


def test_features_of_copies_are_those_of_whole_sentences(side, params):
    texts, _, _ = side
    union = build_pipeline(params).named_steps["features"]
    copies = np.arange(2 * len(texts)) >= len(texts)
    rows, _, _ = _features(union, [*texts, *reversed(texts)], copies)
    difference = rows[: len(texts)] - rows[len(texts) :][::-1]
    assert abs(difference).max() < 1e-12


def test_copies_have_a_weight_of_their_own(side, params):
    texts, labels, documents = side

    def fit(**weights):
        changed = replace(params, train=replace(params.train, **weights))
        soft = Soft(list(texts), labels.astype(float), documents, np.ones(len(texts), dtype=bool))
        return fit_linear(Labelled(*side), changed, soft).labelled

    light = fit(copy_weight=0.2, soft_weight=3.0)
    np.testing.assert_array_equal(light, fit(copy_weight=0.2, soft_weight=0.1))
    assert not np.array_equal(light, fit(copy_weight=3.0, soft_weight=3.0))


def test_plain_arrays_are_those_of_the_pipeline(side, params):
    fitted = fit_linear(Labelled(*side), params)
    assert pack_model(fitted.model) == pack_model(convert_pipeline(fitted.pipeline))
