from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("transformers")

from pipeline.dataset import load_side
from pipeline.encoder_base import open_base
from pipeline.encoder_lessons import EncoderFiles, Lessons
from pipeline.encoder_teacher import Taught
from pipeline.extract import load_sentences
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
    return Lessons(settings, files, open_base(str(make_base(tmp_path_factory.mktemp("base")))))


def answers(question, log_odds, component=0.0):
    count = len(question.rows) + len(question.others)
    return Taught(np.full((count, 3), log_odds), np.full((count, 2), component))


def test_without_a_teacher_labels_are_the_targets(settings, files):
    lessons = Lessons(settings, files, None)
    rows = np.arange(3, 20)
    lesson = lessons.lesson(rows)
    assert lesson.texts == lessons.table["text"].iloc[rows].tolist()
    np.testing.assert_array_equal(lesson.targets, lessons.labels[rows])
    assert lessons.describe(lesson)["teacher"] is None


def test_targets_are_between_label_and_answer(taught):
    rows = np.arange(5, 25)
    question = taught.question(rows)
    lesson = taught.lesson(rows, [(question, answers(question, 0.0))])
    assert lesson.texts == [*question.texts, *question.others]
    np.testing.assert_array_equal(lesson.labels, taught.labels[rows])
    # A quarter is the teacher's, whose answer is one half.
    np.testing.assert_allclose(lesson.targets[:20], 0.75 * taught.labels[rows] + 0.125)
    np.testing.assert_allclose(lesson.targets[20:], 0.5)
    assert taught.describe(lesson)["teacher"]["unlabelled"] == len(lesson.texts) - len(taught.table)


def test_what_several_teachers_answered_is_averaged(taught):
    one, other = taught.question(np.arange(0, 60)), taught.question(np.arange(40, 100))
    lesson = taught.lesson(np.arange(100), [(one, answers(one, -40.0)), (other, answers(other, 40.0))])
    said = (lesson.targets[:100] - 0.75 * taught.labels[:100]) / 0.25
    np.testing.assert_allclose(said[:40], 0, atol=1e-9)
    np.testing.assert_allclose(said[40:60], 0.5)
    np.testing.assert_allclose(said[60:], 1)
    assert set(lesson.texts[100:]) == {*one.others, *other.others}
    by_text = dict(zip(lesson.texts[100:], lesson.targets[100:, 0], strict=True))
    both = set(one.others) & set(other.others)
    assert both
    for text, target in by_text.items():
        assert target == pytest.approx(0.5 if text in both else text in other.others)


def test_components_of_several_teachers_stand_side_by_side(taught):
    one, other = taught.question(np.arange(0, 60)), taught.question(np.arange(40, 100))
    lesson = taught.lesson(np.arange(100), [(one, answers(one, 0.0, 1.0)), (other, answers(other, 0.0, 2.0))])
    assert lesson.components.shape == (len(lesson.texts), 4)
    asked = [[*one.rows, *one.others], [*other.rows, *other.others]]
    for name, row in zip([*range(100), *lesson.texts[100:]], lesson.components, strict=True):
        expected = [value if name in names else np.nan for names, value in zip(asked, (1, 2), strict=True)]
        np.testing.assert_array_equal(row, np.repeat(expected, 2))


def test_without_a_weight_there_are_no_components(taught, settings, files):
    own = replace(settings.encoder.teacher, hints=0.0)
    lessons = Lessons(replace(settings, encoder=replace(settings.encoder, teacher=own)), files, taught.teacher.base)
    question = lessons.question(np.arange(20))
    assert lessons.lesson(np.arange(20), [(question, answers(question, 0.0))]).components is None


def test_nothing_of_what_is_to_stay_unseen(taught, files):
    documents = taught.documents
    unlabelled = load_sentences(files.sentences).drop_duplicates("text").set_index("text")
    providers = {name for name in unlabelled["provider"].dropna().unique() if name in set(documents)}
    assert providers
    for name in sorted(providers):
        question = taught.question(np.flatnonzero(documents != name))
        assert question.texts == taught.table["text"][documents != name].tolist()
        assert name not in set(unlabelled.loc[question.others, "provider"])


def test_only_sentences_that_nobody_labelled(taught, files, dataset):
    others = taught.question(np.arange(len(taught.table))).others
    assert len(others) == 30
    store = load_sentences(files.sentences).drop_duplicates("text").set_index("text")
    labelled = set(load_side(dataset, "train")["key"]) | set(load_side(dataset, "test")["key"])
    assert not labelled & set(store.loc[others, "key"])
    assert not set(store.loc[others, "kind"]) & set(LAYOUT_KINDS)


def test_domain_has_labelled_and_other_sentences(taught, files):
    domain = set(taught.domain())
    assert set(taught.table["text"]) <= domain
    assert set(load_sentences(files.sentences)["text"]) <= domain
