"""What the encoder is taught: labelled sentences, and what a teacher says of these and of unlabelled ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from pipeline.dataset import groups_of, load_side, load_summary
from pipeline.encoder_base import BaseWeights
from pipeline.encoder_teacher import ANSWERS, Question, Taught, Teacher
from pipeline.extract import load_sentences
from pipeline.labels import RESERVED_KEYS, label_matrix
from pipeline.params import Params
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
        components: Those of each teacher's states, side by side, of shape (texts, components); NaN where a teacher was
            not asked. None for none.
    """

    texts: list[str]
    targets: Floats
    labels: npt.NDArray[np.bool_]
    components: npt.NDArray[np.float32] | None = None


class Lessons:
    """The training side, divided into what may be learnt together.

    Attributes:
        table: The training side.
        labels: Its labels, of shape (rows, labels).
        documents: Group of each row; a group is never in two folds.
        teacher: How teachers are made, or None.

    Args:
        params: All settings.
        files: What to read.
        teacher: Base weights of a teacher; None for none.

    Raises:
        DataError: The dataset or the sentences are missing.
    """

    def __init__(self, params: Params, files: EncoderFiles, teacher: BaseWeights | None) -> None:
        self.table = load_side(files.dataset, "train")
        self.labels = label_matrix(self.table)
        self.documents = groups_of(self.table)
        self.teacher = Teacher(teacher, params.encoder, files.answers) if teacher else None
        self._files = files
        self._settings = params.encoder
        self._store = load_sentences(files.sentences)
        self._unlabelled = self._choose_unlabelled(params) if teacher else pd.DataFrame()

    def domain(self) -> list[str]:
        """Name every sentence that is at hand, labelled or not, test documents included: only words are counted."""
        texts = pd.concat([self.table["text"], self._store["text"]])
        return list(texts.drop_duplicates())

    def question(self, rows: npt.NDArray[np.intp]) -> Question:
        """Put together what a teacher learns and is asked; nothing of it comes from the providers of other rows.

        Args:
            rows: Places of labelled sentences.

        Returns:
            The question, with as many unlabelled sentences as the settings say.
        """
        unseen = set(np.delete(self.documents, rows))
        table = self._unlabelled[~self._unlabelled["group"].isin(unseen)]
        others = table.head(self._settings.teacher.sentences)["text"].tolist()
        return Question(rows, self.table["text"].iloc[rows].tolist(), self.labels[rows], others)

    def lesson(self, rows: npt.NDArray[np.intp], answered: Sequence[tuple[Question, Taught]] = ()) -> Lesson:
        """Make the lesson of some rows.

        Args:
            rows: Places of labelled sentences.
            answered: What teachers were asked and made of it: each row by one at least. Where several answered a
                sentence, the mean of their probabilities counts.

        Returns:
            Without teachers, the sentences with their labels.
        """
        texts, labels = self.table["text"].iloc[rows].tolist(), self.labels[rows]
        if not answered:
            return Lesson(texts, labels.astype(float), labels)
        asked = [(pd.Index([*question.rows, *question.others], dtype=object), taught) for question, taught in answered]
        others = list(dict.fromkeys(text for question, _ in answered for text in question.others))
        order = [*rows, *others]
        said = pd.concat([pd.DataFrame(sigmoid(taught.logits), names) for names, taught in asked])
        means = said.groupby(level=0, sort=False).mean().loc[order].to_numpy()
        share = self._settings.teacher.share
        mixed = (1 - share) * labels + share * means[: len(rows)]
        components = None
        if self._settings.teacher.hints:
            tables = [pd.DataFrame(taught.components, names).reindex(order) for names, taught in asked]
            components = np.hstack([table.to_numpy(dtype=np.float32) for table in tables])
        return Lesson([*texts, *others], np.vstack([mixed, means[len(rows) :]]), labels, components)

    def describe(self, lesson: Lesson) -> dict[str, Any]:
        """Describe the training side and what the last network learnt beside it."""
        table = self.table
        taught = {"unlabelled": len(lesson.texts) - len(table)}
        return {
            "sha256": load_summary(self._files.dataset)["train"]["sha256"],
            **count_examples(table),
            "teacher": {**self.teacher.base.describe(), **taught} if self.teacher else None,
            "documents": sorted(table["document"].unique().tolist()),
        }

    def _choose_unlabelled(self, params: Params) -> pd.DataFrame:
        """Choose what a teacher may be asked; the order by key, a hash, is a draw that new documents do not change."""
        files, share = self._files, params.dataset.test_share
        test = load_side(files.dataset, "test")
        table = choose_unlabelled(self._store, self.table, test, share, files.reserved)
        return table[~table["kind"].isin(LAYOUT_KINDS)].sort_values("key")
