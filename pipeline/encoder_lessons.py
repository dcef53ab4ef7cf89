"""What the encoder is taught: labelled sentences, and what a teacher says of these and of unlabelled ones."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.dataset import groups_of, load_side, load_summary
from pipeline.encoder_base import BaseWeights
from pipeline.encoder_teacher import ANSWERS, Teacher, teach
from pipeline.extract import load_sentences
from pipeline.labels import RESERVED_KEYS, label_matrix
from pipeline.params import Params
from pipeline.progress import Reporter
from pipeline.scorer import sigmoid
from pipeline.sentences import LAYOUT_KINDS
from pipeline.training import count_examples
from pipeline.unlabelled import choose_unlabelled

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EncoderFiles:
    """What training an encoder reads.

    Attributes:
        dataset: Folder that the dataset stage wrote.
        sentences: Folder that the extract stage wrote; its words decide which tokens are kept.
        reserved: Keys of benchmark sentences, one a line, which never teach.
        answers: Folder in which teachers' answers are kept.
    """

    dataset: Path = Path("data/dataset")
    sentences: Path = Path("data/sentences")
    reserved: Path = RESERVED_KEYS
    answers: Path = ANSWERS


@dataclass(frozen=True)
class Lesson:
    """What one network learns.

    Attributes:
        texts: Labelled sentences, then unlabelled ones.
        targets: Probability of each label, of shape (texts, labels).
        labels: Labels of the labelled sentences, of shape (labelled sentences, labels).
    """

    texts: list[str]
    targets: Floats
    labels: npt.NDArray[np.bool_]


class Lessons:
    """The training side, divided into what may be learnt together.

    Attributes:
        table: The training side.
        labels: Its labels, of shape (rows, labels).
        documents: Group of each row; a group is never in two folds.

    Args:
        params: All settings.
        files: What to read.
        teacher: Base weights of a teacher; None for none.
        reporter: Told of the progress.

    Raises:
        DataError: The dataset or the sentences are missing.
    """

    def __init__(self, params: Params, files: EncoderFiles, teacher: BaseWeights | None, reporter: Reporter) -> None:
        self.table = load_side(files.dataset, "train")
        self.labels = label_matrix(self.table)
        self.documents = groups_of(self.table)
        self._files = files
        self._settings = params.encoder
        self._reporter = reporter
        self._teacher = Teacher(teacher, params.encoder, files.answers) if teacher else None
        self._store = load_sentences(files.sentences)
        self._unlabelled = self._choose_unlabelled(params) if teacher else pd.DataFrame()

    def domain(self) -> list[str]:
        """Name every sentence that is at hand, labelled or not, test documents included: only words are counted."""
        texts = pd.concat([self.table["text"], self._store["text"]])
        return list(texts.drop_duplicates())

    def lesson(self, rows: npt.NDArray[np.intp]) -> Lesson:
        """Make the lesson of some rows; nothing that it says comes from other labelled rows.

        Args:
            rows: Places of labelled sentences.

        Returns:
            Without a teacher, the sentences with their labels.
        """
        texts, labels = self.table["text"].iloc[rows].tolist(), self.labels[rows]
        if self._teacher is None:
            return Lesson(texts, labels.astype(float), labels)
        others = self._choose(np.delete(self.documents, rows))
        answers = sigmoid(teach(self._teacher, texts, labels, others, self._reporter))
        share = self._settings.teacher.share
        mixed = (1 - share) * labels + share * answers[: len(texts)]
        return Lesson([*texts, *others], np.vstack([mixed, answers[len(texts) :]]), labels)

    def describe(self, lesson: Lesson) -> dict[str, Any]:
        """Describe the training side and what the last network learnt beside it."""
        table = self.table
        taught = {"unlabelled": len(lesson.texts) - len(table)}
        return {
            "sha256": load_summary(self._files.dataset)["train"]["sha256"],
            **count_examples(table),
            "teacher": {**self._teacher.base.describe(), **taught} if self._teacher else None,
            "documents": sorted(table["document"].unique().tolist()),
        }

    def _choose_unlabelled(self, params: Params) -> pd.DataFrame:
        files, share = self._files, params.dataset.test_share
        test = load_side(files.dataset, "test")
        table = choose_unlabelled(self._store, self.table, test, share, files.reserved)
        return table[~table["kind"].isin(LAYOUT_KINDS)].sort_values("key")

    def _choose(self, unseen: npt.NDArray[Any]) -> list[str]:
        """Draw unlabelled sentences, none of a provider that is to stay unseen."""
        table = self._unlabelled[~self._unlabelled["group"].isin(set(unseen))]
        wanted = min(self._settings.teacher.sentences, len(table))
        return list(table["text"].sample(wanted, random_state=self._settings.seed))
