"""Fine-tuning the encoder on the training side, and what it answers on documents that it has not seen."""

from dataclasses import asdict, dataclass
from importlib.metadata import version as library_version
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.model_selection import GroupKFold
from tokenizers import Tokenizer

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
from pipeline.encoder_vocabulary import prune_tokenizer
from pipeline.files import hash_file, json_bytes, replace_folder
from pipeline.fitting import best_thresholds, held_out_scores
from pipeline.labels import LABELS
from pipeline.params import EncoderParams, Params
from pipeline.progress import Reporter, SilentReporter
from pipeline.scorer import sigmoid

Floats = npt.NDArray[np.float64]
_CALIBRATION = 400  # sentences of each label, and of none, whose activations fix the scales
_LIBRARIES = ("torch", "transformers", "tokenizers", "onnx", "onnxruntime")


def train_encoder(
    params: Params,
    files: EncoderFiles,
    base: str,
    teacher: str | None = None,
    output: Path = DEFAULT_ENCODER,
    reporter: Reporter | None = None,
) -> Encoder:
    """Fine-tune, quantise and save the encoder.

    It is trained once for each fold without that fold's documents, for honest answers on every training sentence, and
    once on the whole training side. Test documents are never seen. A teacher is made anew for each, from the same
    documents: its answers on labelled and unlabelled sentences are what the encoder learns beside the labels
    (Hinton, Vinyals and Dean 2015, "Distilling the knowledge in a neural network").

    Args:
        params: All settings.
        files: What to read.
        base: Folder or hub name of the base weights.
        teacher: The same of a teacher's; None for none.
        output: Folder to write.
        reporter: Told of the progress.

    Returns:
        The encoder.

    Raises:
        DataError: The dataset or the sentences are missing.
        UsageError: The base weights cannot be loaded.
    """
    reporter = reporter or SilentReporter()
    settings = params.encoder
    opened = open_base(base)
    lessons = Lessons(params, files, open_base(teacher) if teacher else None, reporter)
    table, labels, documents = lessons.table, lessons.labels, lessons.documents
    tokenizer, rows = prune_tokenizer(
        opened.open_tokenizer(settings.max_length), lessons.domain(), settings.vocabulary, settings.max_length
    )
    with replace_folder(output) as folder:
        tokenizer.save(str(folder / ENCODER_TOKENIZER))
        student = _Student(opened, tokenizer, rows, settings, folder, reporter)
        held_out = np.empty(labels.shape)
        for rank, (train, rest) in enumerate(GroupKFold(settings.folds).split(table, groups=documents), start=1):
            reporter.message(f"without fold {rank} of {settings.folds}: {len(train):,} sentences")
            student.learn(lessons.lesson(train))
            held_out[rest] = student.open().logits(table["text"].iloc[rest].tolist())
        reporter.message(f"on all of the training side: {len(table):,} sentences")
        lesson = lessons.lesson(np.arange(len(table)))
        student.learn(lesson)
        reporter.close()
        answers = sigmoid(held_out)
        _save_held_out(folder / HELD_OUT_FILE, table["key"], held_out)
        config = EncoderConfig(
            labels=LABELS,
            max_length=settings.max_length,
            base=opened.describe(),
            settings=asdict(settings),
            data=lessons.describe(lesson),
            scores={"held_out": held_out_scores(labels, answers, best_thresholds(labels, answers), documents)},
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
    folder: Path
    reporter: Reporter

    def learn(self, lesson: Lesson) -> None:
        """Train one network and write its quantised file into the folder."""
        network = EncoderNetwork(self.base.source)
        network.prune(self.rows, self.settings.max_length)
        tokens = encode(self.tokenizer, lesson.texts)
        fine_tune(network, tokens, lesson.targets, self.settings, self.reporter)
        draw = np.random.default_rng(self.settings.seed)
        groups = [*lesson.labels.T, ~lesson.labels.any(axis=1)]
        chosen = {int(place) for group in groups for place in draw.permutation(np.flatnonzero(group))[:_CALIBRATION]}
        export_encoder(network, [tokens[place] for place in sorted(chosen)], self.folder / ENCODER_MODEL)

    def open(self) -> Encoder:
        """Open what stands in a folder that is not described yet."""
        return Encoder(self.folder, EncoderConfig(LABELS, self.settings.max_length, {}, {}, {}, {}, {}, {}))


def _save_held_out(path: Path, keys: "pd.Series[str]", logits: Floats) -> None:
    first = ~keys.duplicated().to_numpy()
    raw = np.array([list(bytes.fromhex(key)) for key in keys[first]], dtype=np.uint8)
    np.savez_compressed(path, keys=raw, logits=logits[first].astype(np.float32))
