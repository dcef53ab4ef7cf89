from dataclasses import replace

import numpy as np
import pytest

from pipeline.conversion import convert_pipeline
from pipeline.fitting import build_pipeline
from pipeline.linear_model import Kind
from pipeline.model_file import pack_model
from pipeline.words import CONTRAST

TEXTS = ["Plans are clear, but visits are late.", "Visits are late.", "Plans are clear and visits are not late.", ""]
TRUTH = np.array([[1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 1]])


@pytest.fixture(scope="module")
def pipeline(params):
    return build_pipeline(replace(params, features=replace(params.features, min_df=1))).fit(TEXTS, TRUTH)


def test_every_term_is_there_with_its_weights(pipeline):
    model = convert_pipeline(pipeline)
    offset = 0
    for name, vectorizer in pipeline.named_steps["features"].transformer_list:
        for text, column in vectorizer.vocabulary_.items():
            bare = text.strip(">^$")
            ranks = [
                rank
                for rank in range(len(model.kinds))
                if model.term(rank) == bare and model.idf[rank] == vectorizer.idf_[column]
            ]
            weights = [e.coef_[0, offset + column] for e in pipeline.named_steps["labels"].estimators_]
            assert any((model.weights[:, rank] == weights).all() for rank in ranks), (name, text)
        offset += len(vectorizer.vocabulary_)


def test_terms_that_training_dropped_weigh_nothing(pipeline):
    model = convert_pipeline(pipeline)
    assert set(model.words) >= CONTRAST
    dropped = model.words.index("despite")
    assert model.idf[dropped] == 0
    assert not model.weights[:, dropped].any()
    assert (model.kinds[: len(model.words)] == Kind.RUN).all()


def test_equal_pipelines_give_equal_bytes(pipeline, params):
    settings = replace(params, features=replace(params.features, min_df=1))
    order = [2, 0, 3, 1]  # terms are met in another order
    again = build_pipeline(settings).fit([TEXTS[k] for k in order], TRUTH[order])
    for estimator, other in zip(
        again.named_steps["labels"].estimators_, pipeline.named_steps["labels"].estimators_, strict=True
    ):
        estimator.coef_, estimator.intercept_ = other.coef_, other.intercept_
    assert pack_model(convert_pipeline(again)) == pack_model(convert_pipeline(pipeline))
