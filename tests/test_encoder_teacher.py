from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'inspection-findings[encoder]'")
pytest.importorskip("transformers")

from pipeline.encoder_base import open_base
from pipeline.encoder_teacher import Question, Teacher, cost, teach
from pipeline.progress import SilentReporter
from tests.bases import make_base
from tests.reporters import Recorder

TEXTS = ["children plans good", "leaders plans weak"] * 40
LABELS = np.array([[True, False, False], [False, True, False]] * 40)


@pytest.fixture(scope="module")
def teacher(params, tmp_path_factory):
    base = open_base(str(make_base(tmp_path_factory.mktemp("base"))))
    lessons = replace(params.encoder.teacher, epochs=6, learning_rate=0.01)
    settings = replace(params.encoder, batch=8, head_rate=1.0, max_length=32, teacher=lessons)
    return Teacher(base, settings, tmp_path_factory.mktemp("answers") / "teacher")


def ask(others=(), texts=TEXTS, labels=LABELS):
    return Question(np.arange(len(texts)), list(texts), labels, list(others))


def test_learns_and_answers_in_the_order_of_the_sentences(teacher):
    answers = teach(teacher, ask(["weak plans", "good plans"]), SilentReporter()).logits
    assert answers.shape == (82, 3)
    assert ((answers[:80] > 0) == LABELS).mean() > 0.9
    assert answers[80, 1] > answers[80, 0]
    assert answers[81, 0] > answers[81, 1]


def test_the_same_question_is_answered_from_the_file(teacher):
    before = teach(teacher, ask(), SilentReporter())
    (path,) = [path for path in teacher.answers.iterdir() if np.load(path)["logits"].shape == before.logits.shape]
    np.savez(path, logits=before.logits + 1, components=before.components + 2)
    again = teach(teacher, ask(), SilentReporter())
    np.testing.assert_allclose(again.logits, before.logits + 1, rtol=1e-5)
    np.testing.assert_allclose(again.components, before.components + 2, rtol=1e-5)


def test_components_are_of_its_states_and_unit_variance(teacher):
    texts = [f"{first} plans {second}" for first in ("children", "leaders") for second in ("good", "weak", "new")] * 10
    own = replace(teacher.settings.teacher, components=2)
    components = teach(
        replace(teacher, settings=replace(teacher.settings, teacher=own)), ask(texts), SilentReporter()
    ).components
    assert components.shape == (140, 2)
    np.testing.assert_allclose(components.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(components.var(axis=0, ddof=1), 1, rtol=1e-6)
    # The same sentence has the same state.
    np.testing.assert_allclose(components[80:86], components[86:92], atol=1e-4)
    assert np.abs(components[80] - components[81]).max() > 0.1


def test_the_outputs_learn_at_a_rate_of_their_own(teacher):
    def sureness(head_rate):
        lessons = replace(teacher.settings.teacher, epochs=10, learning_rate=1e-4)
        settings = replace(teacher.settings, head_rate=head_rate, teacher=lessons)
        return np.abs(teach(replace(teacher, settings=settings), ask(), SilentReporter()).logits).mean()

    assert sureness(30.0) > 2 * sureness(1.0)


@pytest.mark.parametrize("change", ["labels", "texts", "unlabelled", "settings", "components"])
def test_another_question_is_not(teacher, change):
    texts, labels, others, settings = TEXTS, LABELS, ["weak"], teacher.settings
    teach(teacher, ask(others, texts, labels), SilentReporter())
    before = set(teacher.answers.iterdir())
    if change == "labels":
        labels = ~labels
    elif change == "texts":
        texts = texts[::-1]
    elif change == "unlabelled":
        others = ["good"]
    elif change == "settings":
        settings = replace(settings, teacher=replace(settings.teacher, epochs=1))
    else:
        settings = replace(settings, teacher=replace(settings.teacher, components=3))
    teach(replace(teacher, settings=settings), ask(others, texts, labels), SilentReporter())
    assert len(set(teacher.answers.iterdir()) - before) == 1


def test_what_only_the_encoder_needs_changes_nothing(teacher):
    teach(teacher, ask(["weak"]), SilentReporter())
    before = set(teacher.answers.iterdir())
    settings = replace(teacher.settings, epochs=9, teacher=replace(teacher.settings.teacher, share=0.1, hints=0))
    teach(replace(teacher, settings=settings), ask(["weak"]), SilentReporter())
    assert set(teacher.answers.iterdir()) == before


def test_every_sentence_is_reported_whether_the_answers_are_known_or_not(teacher):
    question = ask(["new plans"])
    for _ in range(2):
        counter = Recorder()
        teach(teacher, question, counter)
        assert counter.done == cost(teacher, question)
