"""The encoder's teacher: a larger transformer that is fine-tuned, answers sentences, and is then thrown away."""

from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipeline.encoder_base import BaseWeights
from pipeline.encoder_network import EncoderNetwork, encode, fine_tune, predict
from pipeline.files import json_bytes, replace_file
from pipeline.params import EncoderParams
from pipeline.progress import Reporter

Floats = npt.NDArray[np.float64]
ANSWERS = Path("data/cache/teacher")


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


def teach(teacher: Teacher, question: Question, reporter: Reporter) -> Floats:
    """Fine-tune a teacher on labelled sentences, and let it answer these and others.

    Args:
        teacher: How it is made.
        question: What it learns and is asked.
        reporter: Told of each sentence, also of those whose answers are known.

    Returns:
        Log-odds of shape (texts + others, labels).
    """
    asked = [*question.texts, *question.others]
    path = teacher.answers / f"{_name(teacher, question)}.npy"
    if path.exists():
        reporter.message(f"the teacher's answers are in {path}")
        reporter.advance(cost(teacher, question))
        known: Floats = np.load(path, allow_pickle=False).astype(float)
        return known
    settings = teacher.settings
    tokenizer = teacher.base.open_tokenizer(settings.max_length)
    network = EncoderNetwork(teacher.base.source, settings.seed, settings.dropout)
    # Few of the words occur, and each of them costs the optimiser as much as any other weight.
    network.body.embeddings.requires_grad_(False)
    lessons = replace(settings, epochs=settings.teacher.epochs, learning_rate=settings.teacher.learning_rate)
    fine_tune(network, encode(tokenizer, question.texts), question.labels.astype(float), lessons, reporter)
    answers = predict(network, encode(tokenizer, asked), reporter)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_file(path) as temporary, temporary.open("wb") as file:
        np.save(file, answers.astype(np.float32))
    return answers


def cost(teacher: Teacher, question: Question) -> int:
    """Count the sentences that a teacher reads, those that it learns once for each epoch."""
    return (teacher.settings.teacher.epochs + 1) * len(question.texts) + len(question.others)


def _name(teacher: Teacher, question: Question) -> str:
    """Name what was asked by its hash: nothing else decides over the answers."""
    settings = asdict(teacher.settings)
    made = {name: settings[name] for name in ("batch", "dropout", "head_rate", "max_length", "seed")}
    made["teacher"] = {name: settings["teacher"][name] for name in ("epochs", "learning_rate")}
    asked = [question.texts, question.labels.astype(int).tolist(), question.others]
    return sha256(json_bytes([teacher.base.sha256, made, *asked])).hexdigest()[:16]
