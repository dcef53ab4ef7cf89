"""Fine-tuning the encoder on the training side, and what it answers on documents that it has not seen."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import version as library_version
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold
from tokenizers import Tokenizer

from pipeline.calibration import best_thresholds, fit_platt, held_out_scores
from pipeline.encoder import (
    DEFAULT_ENCODER,
    ENCODER_CONFIG,
    ENCODER_MODEL,
    ENCODER_TOKENIZER,
    HELD_OUT_FILE,
    Encoder,
    EncoderConfig,
    describe_encoder,
)
from pipeline.encoder_base import BaseWeights, open_base
from pipeline.encoder_card import render_encoder_card
from pipeline.encoder_export import export_encoder
from pipeline.encoder_lessons import EncoderFiles, Lesson, Lessons
from pipeline.encoder_network import EncoderNetwork, encode, fine_tune
from pipeline.encoder_processes import default_workers, side_by_side
from pipeline.encoder_teacher import Question, Taught, cost, teach
from pipeline.encoder_vocabulary import prune_tokenizer
from pipeline.files import hash_file, json_bytes, replace_folder
from pipeline.labels import LABELS
from pipeline.params import EncoderParams, Params
from pipeline.progress import Reporter, SilentReporter
from pipeline.scorer import sigmoid

Floats = npt.NDArray[np.float64]
Fold = tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
_CALIBRATION = 400  # sentences of each label, and of none, whose activations fix the scales
_LIBRARIES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")


def train_encoder(
    params: Params,
    files: EncoderFiles,
    base: str,
    teacher: str | None = None,
    output: Path = DEFAULT_ENCODER,
    workers: int | None = None,
    reporter: Reporter | None = None,
) -> Encoder:
    """Fine-tune, quantise and save the encoder.

    It is trained once for each fold without that fold's documents, for honest answers on every training sentence, and
    once on the whole training side. Test documents are never seen. A teacher is made for each fold, from the same
    documents: its answers on labelled and unlabelled sentences are what the fold's encoder learns beside the labels
    (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network"), as are its states. The last
    encoder learns what all teachers said.

    Args:
        params: All settings.
        files: What to read.
        base: Folder or hub name of the base weights.
        teacher: The same of the teachers'; None for none.
        output: Folder to write.
        workers: Networks that are trained at a time; None for what the machine bears.
        reporter: Told of the progress.

    Returns:
        The encoder.

    Raises:
        DataError: The dataset or the sentences are missing.
        FindingsError: A process that trained a network was ended from outside.
        UsageError: The base weights cannot be loaded.
    """
    reporter = reporter or SilentReporter()
    settings = params.encoder
    opened = open_base(base)
    lessons = Lessons(params, files, open_base(teacher) if teacher else None)
    table, labels = lessons.table, lessons.labels
    tokenizer, rows = prune_tokenizer(
        opened.open_tokenizer(settings.max_length), lessons.domain(), settings.vocabulary, settings.max_length
    )
    student = _Student(opened, tokenizer, rows, settings)
    with replace_folder(output) as folder:
        held_out, lesson = _train_all(lessons, student, folder, workers or default_workers(), reporter)
        reporter.close()
        slopes, intercepts = fit_platt(held_out, labels)
        answers = sigmoid(held_out * slopes + intercepts)
        _save_held_out(folder / HELD_OUT_FILE, table["key"], held_out)
        thresholds = best_thresholds(answers)
        config = EncoderConfig(
            labels=LABELS,
            max_length=settings.max_length,
            base=opened.describe(),
            settings=asdict(settings),
            data=lessons.describe(lesson),
            scores={"held_out": held_out_scores(labels, answers, thresholds, lessons.documents)},
            libraries={name: library_version(name) for name in _LIBRARIES},
            files={name: hash_file(folder / name) for name in (ENCODER_MODEL, ENCODER_TOKENIZER, HELD_OUT_FILE)},
        )
        (folder / ENCODER_CONFIG).write_bytes(json_bytes(describe_encoder(config)))
        (folder / "README.md").write_bytes(render_encoder_card(config).encode())
    return Encoder(output, config)


@dataclass(frozen=True)
class _Student:
    """The network that becomes the encoder, begun anew for each lesson."""

    base: BaseWeights
    tokenizer: Tokenizer
    rows: list[int]
    settings: EncoderParams


def _train_all(
    lessons: Lessons, student: _Student, folder: Path, workers: int, reporter: Reporter
) -> tuple[Floats, Lesson]:
    """Train all networks, a fold's encoder as soon as its teacher has answered.

    Returns:
        Log-odds of each labelled sentence by the encoder that had not seen it, and what the last encoder learnt.
    """
    texts = lessons.table["text"]
    everything = np.arange(len(texts))
    folds = list(GroupKFold(student.settings.folds).split(lessons.table, groups=lessons.documents))
    teacher = lessons.teacher
    questions = [lessons.question(train) for train, _ in folds] if teacher else []
    held_out = np.empty(lessons.labels.shape)
    reporter.start(_total(lessons, student.settings.epochs, folds, questions), "sentences")
    with side_by_side(workers, reporter) as submit:
        answers = [submit(teach, teacher, question) for question in questions]
        learning = {}
        for count, rank in enumerate(_as_they_end(answers) if teacher else range(len(folds)), start=1):
            if count == len(folds):
                # What takes longest must not begin last.
                answered = [(question, future.result()) for question, future in zip(questions, answers, strict=True)]
                whole = lessons.lesson(everything, answered)
                last = submit(_learn, student, whole, folder)
            train, rest = folds[rank]
            lesson = lessons.lesson(train, [(questions[rank], answers[rank].result())] if teacher else [])
            learning[rank] = submit(_learn_and_answer, student, lesson, texts.iloc[rest].tolist())
        for rank, (_, rest) in enumerate(folds):
            held_out[rest] = learning[rank].result()
        last.result()
    return held_out, whole


def _total(lessons: Lessons, epochs: int, folds: Sequence[Fold], questions: Sequence[Question]) -> int:
    """Count the sentences that all networks together learn, once for each epoch, and that teachers answer."""
    asked = 0
    learnt = len(lessons.table) + sum(len(train) for train, _ in folds)
    if lessons.teacher is not None:
        asked = sum(cost(lessons.teacher, question) for question in questions)
        learnt += len({text for question in questions for text in question.others})
        learnt += sum(len(question.others) for question in questions)
    return epochs * learnt + asked


def _as_they_end(futures: "Sequence[Future[Taught]]") -> Iterator[int]:
    for future in as_completed(futures):
        yield futures.index(future)


def _learn(student: _Student, lesson: Lesson, folder: Path, reporter: Reporter) -> None:
    """Train one network and write its tokenizer and its quantised file into a folder."""
    settings = student.settings
    network = EncoderNetwork(student.base.source, settings.seed, settings.dropout)
    network.prune(student.rows, settings.max_length)
    tokens = encode(student.tokenizer, lesson.texts)
    fine_tune(network, tokens, lesson.targets, settings, reporter, lesson.components)
    draw = np.random.default_rng(settings.seed)
    groups = [*lesson.labels.T, ~lesson.labels.any(axis=1)]
    chosen = {int(place) for group in groups for place in draw.permutation(np.flatnonzero(group))[:_CALIBRATION]}
    student.tokenizer.save(str(folder / ENCODER_TOKENIZER))
    export_encoder(network, [tokens[place] for place in sorted(chosen)], folder / ENCODER_MODEL)


def _learn_and_answer(student: _Student, lesson: Lesson, texts: Sequence[str], reporter: Reporter) -> Floats:
    """Train one network, and give its quantised answers."""
    with TemporaryDirectory() as scratch:
        _learn(student, lesson, Path(scratch), reporter)
        config = EncoderConfig(LABELS, student.settings.max_length, {}, {}, {}, {}, {}, {})
        return Encoder(Path(scratch), config).logits(list(texts))


def _save_held_out(path: Path, keys: "pd.Series[str]", logits: Floats) -> None:
    first = ~keys.duplicated().to_numpy()
    raw = np.array([list(bytes.fromhex(key)) for key in keys[first]], dtype=np.uint8)
    np.savez_compressed(path, keys=raw, logits=logits[first].astype(np.float32))
