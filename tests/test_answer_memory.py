import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.answer_memory import AnswerMemory
from pipeline.model_folder import load_model

TEXTS = ("Plans are clear.", "Plans are late.", "plans are late.", "", "We will recruit by March.", "1.", "Contents")
BATCHES = st.lists(st.lists(st.sampled_from(TEXTS), max_size=9), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def classifier(model):
    return load_model(model)


class Counted:
    """Counts the sentences that are read."""

    def __init__(self, classifier):
        self._classifier = classifier
        self.read_texts = []
        self.judge = classifier.judge

    def read(self, texts):
        self.read_texts += texts
        return self._classifier.read(texts)


@given(batches=BATCHES, most=st.integers(0, 10))
@settings(deadline=None)
def test_answers_are_those_of_the_classifier(classifier, batches, most):
    memory = AnswerMemory(classifier, most)
    for batch in batches:
        found, expected = memory.label(batch), classifier.label(batch)
        for name in ("chosen", "probabilities", "uncertain", "words"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert (found.labels, found.model_version) == (expected.labels, expected.model_version)


def test_a_sentence_is_read_once_until_all_are_forgotten(classifier):
    counted = Counted(classifier)
    memory = AnswerMemory(counted, most=4)
    memory.label(["Plans are late.", "Contents", "Plans are late."])
    memory.label(["Contents", "plans are late.", "Contents"])
    assert counted.read_texts == ["Plans are late.", "Contents", "plans are late."]
    memory.label(["1.", "Contents", ""])
    assert counted.read_texts[3:] == ["1.", "Contents", ""]
    memory.label(["Contents", "Plans are late."])
    assert counted.read_texts[6:] == ["Plans are late."]
