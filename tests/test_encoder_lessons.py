from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("transformers")

from pipeline.dataset import load_side
from pipeline.encoder_base import open_base
from pipeline.encoder_lessons import EncoderFiles, Lessons
from pipeline.extract import load_sentences
from pipeline.progress import SilentReporter
from pipeline.sentences import LAYOUT_KINDS
from tests.bases import make_base


@pytest.fixture(scope="module")
def files(dataset, store, tmp_path_factory):
    return EncoderFiles(dataset, store, answers=tmp_path_factory.mktemp("answers"))


@pytest.fixture(scope="module")
def settings(params):
    teacher = replace(params.encoder.teacher, epochs=1, sentences=30, share=0.25)
    return replace(params, encoder=replace(params.encoder, batch=64, max_length=32, teacher=teacher))


@pytest.fixture(scope="module")
def taught(settings, files, tmp_path_factory):
    base = open_base(str(make_base(tmp_path_factory.mktemp("base"))))
    return Lessons(settings, files, base, SilentReporter())


def test_without_a_teacher_labels_are_the_targets(settings, files):
    lessons = Lessons(settings, files, None, SilentReporter())
    rows = np.arange(3, 20)
    lesson = lessons.lesson(rows)
    assert lesson.texts == lessons.table["text"].iloc[rows].tolist()
    np.testing.assert_array_equal(lesson.targets, lessons.labels[rows])
    assert lessons.describe(lesson)["teacher"] is None


def test_targets_are_between_label_and_answer(taught):
    rows = np.arange(len(taught.table))
    lesson = taught.lesson(rows)
    assert lesson.targets.shape == (len(rows) + 30, 3)
    own = lesson.targets[: len(rows)]
    # A quarter is the teacher's, whose answer is between 0 and 1.
    assert (own[lesson.labels] >= 0.75).all()
    assert (own[~lesson.labels] <= 0.25).all()
    assert ((own > 0) & (own < 1)).all()
    assert taught.describe(lesson)["teacher"]["unlabelled"] == 30


def test_nothing_of_what_is_to_stay_unseen(taught, files):
    documents = taught.documents
    unlabelled = load_sentences(files.sentences).drop_duplicates("text").set_index("text")
    providers = {name for name in unlabelled["provider"].dropna().unique() if name in set(documents)}
    assert providers
    for name in sorted(providers):
        rest = documents == name
        others = taught.lesson(np.flatnonzero(~rest)).texts[(~rest).sum() :]
        assert name not in set(unlabelled.loc[others, "provider"])


def test_only_sentences_that_nobody_labelled(taught, files, dataset):
    others = taught.lesson(np.arange(5)).texts[5:]
    store = load_sentences(files.sentences).drop_duplicates("text").set_index("text")
    labelled = set(load_side(dataset, "train")["key"]) | set(load_side(dataset, "test")["key"])
    assert not labelled & set(store.loc[others, "key"])
    assert not set(store.loc[others, "kind"]) & set(LAYOUT_KINDS)


def test_domain_has_labelled_and_other_sentences(taught, files):
    domain = set(taught.domain())
    assert set(taught.table["text"]) <= domain
    assert set(load_sentences(files.sentences)["text"]) <= domain
