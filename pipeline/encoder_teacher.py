"""The encoder's teacher: a larger transformer that is fine-tuned, answers sentences, and is then thrown away."""

from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from pipeline.encoder_base import BaseWeights
from pipeline.encoder_network import EncoderNetwork, encode, fine_tune, predict
from pipeline.files import json_bytes, replace_file
from pipeline.params import EncoderParams
from pipeline.progress import Reporter

Floats = npt.NDArray[np.float64]
ANSWERS = Path("data/cache/teacher")
# What a teacher does not do: be pruned, be cross-validated, teach. Any other setting may change its answers.
_NOT_OF_A_TEACHER = ("vocabulary", "folds", "teacher")


@dataclass(frozen=True)
class Teacher:
    """How a teacher is made.

    Attributes:
        base: Its base weights.
        settings: The section `encoder` of params.yaml.
        answers: Folder in which its answers are kept: an interrupted training goes on after the last teacher.
    """

    base: BaseWeights
    settings: EncoderParams
    answers: Path = ANSWERS

    @property
    def lessons(self) -> EncoderParams:
        """The settings with the epochs and the learning rate of a teacher in the place of the encoder's."""
        own = self.settings.teacher
        return replace(self.settings, epochs=own.epochs, learning_rate=own.learning_rate)


@dataclass(frozen=True, eq=False)
class Question:
    """What a teacher learns and is asked.

    Attributes:
        rows: Places of the labelled sentences on the training side.
        texts: Labelled sentences.
        labels: Their labels, of shape (texts, labels).
        others: Sentences that nobody labelled.
    """

    rows: npt.NDArray[np.intp]
    texts: list[str]
    labels: npt.NDArray[np.bool_]
    others: list[str]


@dataclass(frozen=True, eq=False)
class Taught:
    """What a teacher makes of the sentences that it was asked, labelled ones first.

    Attributes:
        logits: Log-odds of shape (sentences, labels).
        components: Principal components of its pooled states, each of variance 1, of shape (sentences, components):
            what it knows of a sentence beyond its labels.
    """

    logits: Floats
    components: Floats


def teach(teacher: Teacher, question: Question, reporter: Reporter) -> Taught:
    """Fine-tune a teacher on labelled sentences, and let it answer these and others.

    Args:
        teacher: How it is made.
        question: What it learns and is asked.
        reporter: Told of each sentence, also of those whose answers are known.

    Returns:
        Its answers to texts and others.
    """
    asked = [*question.texts, *question.others]
    path = teacher.answers / f"{_name(teacher, question)}.npz"
    if path.exists():
        reporter.message(f"the teacher's answers are in {path}")
        reporter.advance(cost(teacher, question))
        with np.load(path, allow_pickle=False) as known:
            return Taught(known["logits"].astype(float), known["components"].astype(float))
    lessons = teacher.lessons
    tokenizer = teacher.base.open_tokenizer(lessons.max_length)
    network = EncoderNetwork(teacher.base.source, lessons.seed, lessons.dropout)
    # Few of the words occur, and each of them costs the optimiser as much as any other weight.
    network.body.embeddings.requires_grad_(False)
    fine_tune(network, encode(tokenizer, question.texts), question.labels.astype(float), lessons, reporter)
    answers = predict(network, encode(tokenizer, asked), reporter)
    count = min(teacher.settings.teacher.components, *answers.states.shape)
    components = PCA(count, whiten=True, random_state=lessons.seed).fit_transform(answers.states)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.savez(file, logits=answers.logits.astype(np.float32), components=components.astype(np.float32))
    return Taught(answers.logits, components)


def cost(teacher: Teacher, question: Question) -> int:
    """Count the sentences that a teacher reads, those that it learns once for each epoch."""
    return (teacher.lessons.epochs + 1) * len(question.texts) + len(question.others)


def _name(teacher: Teacher, question: Question) -> str:
    """Name what was asked by its hash: nothing else decides over the answers."""
    made = {name: value for name, value in asdict(teacher.lessons).items() if name not in _NOT_OF_A_TEACHER}
    made["components"] = teacher.settings.teacher.components
    asked = [question.texts, question.labels.astype(int).tolist(), question.others]
    return sha256(json_bytes([teacher.base.sha256, made, *asked])).hexdigest()[:16]
