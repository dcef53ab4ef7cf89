"""The sentences of the trials: those with labels, those with soft labels, their context, and the folds."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from pipeline.dataset import load_side, load_summary
from pipeline.extract import load_sentences
from pipeline.fitting import NO_SOFT, Soft
from pipeline.labelled import Labelled
from pipeline.params import Params
from pipeline.scorer import Booleans
from pipeline.soft_labels import TrainingFiles
from pipeline.training import EncoderAnswers

PROJECT = Path(__file__).resolve().parent.parent
FOLDS = 5
SEED = 20


class Corpus:
    """Sentences with labels, then some with soft labels, and the folds.

    Args:
        data: Folder with dataset/, sentences/ and soft_labels.parquet.
        share: Share of the soft sentences to train with, drawn at random; 0 for none.
        params: All settings.
    """

    def __init__(self, data: Path, share: float, params: Params) -> None:
        train = load_side(data / "dataset", "train")
        self.sha256 = load_summary(data / "dataset")["train"]["sha256"]
        self.store = load_sentences(data / "sentences")
        labelled = Labelled.of(train)
        soft = _share(self._soft(data, train, labelled, params), share) if share else NO_SOFT
        self.size = len(train)
        self.public = train["source"].str.contains("public").to_numpy()
        self.natural = (train["pool"] == "natural").to_numpy()
        self.labels: Booleans = labelled.labels
        self.targets = np.vstack([labelled.labels.astype(float), soft.probabilities])
        self.weights = np.append(np.ones(self.size), np.full(len(soft.texts), params.train.soft_weight))
        self.groups = np.append(labelled.groups.astype(object), soft.groups)
        self.table = pd.concat([self._context(train), self._context_of_soft(soft)], ignore_index=True).fillna("")
        places = np.flatnonzero(self.public)
        authorities = self.groups[places]
        enough = len(set(authorities)) >= FOLDS
        self.folds = [places[rest] for _, rest in GroupKFold(FOLDS).split(places, groups=authorities)] if enough else []

    def held_out(self, fold: Any) -> Booleans:  # noqa: ANN401
        """Tell which sentences, labelled or not, are of a fold's authorities."""
        return np.isin(self.groups, np.unique(self.groups[fold]))

    def _soft(self, data: Path, train: pd.DataFrame, labelled: Labelled, params: Params) -> Soft:
        files = TrainingFiles(
            data / "sentences",
            data / "soft_labels.parquet",
            PROJECT / "models" / "encoder",
            PROJECT / "data" / "reserved-keys.txt",
        )
        # The test side is read for its keys: none of its sentences may teach.
        return EncoderAnswers(files, train, labelled).soft(params, load_side(data / "dataset", "test"))

    def _context(self, train: pd.DataFrame) -> pd.DataFrame:
        grades = self.store.drop_duplicates(["report_id", "key"]).set_index(["report_id", "key"])["section_grade"]
        places = pd.MultiIndex.from_frame(train[["document", "key"]])
        table = train[["text", "section", "kind", "before"]].astype(object)
        return table.assign(section_grade=grades.reindex(places).to_numpy(dtype=object))

    def _context_of_soft(self, soft: Soft) -> pd.DataFrame:
        store = self.store.assign(before=self.store.groupby("report_id")["text"].shift())
        store = store.assign(group=store["provider"].fillna(store["report_id"]))
        known = store.drop_duplicates(["group", "text"]).set_index(["group", "text"])
        places = pd.MultiIndex.from_arrays([soft.groups, soft.texts], names=["group", "text"])
        table = known.reindex(places).reset_index()
        return table[["text", "section", "kind", "before", "section_grade"]].astype(object)


def _share(soft: Soft, share: float) -> Soft:
    """Draw some of the soft sentences; shortened copies, which have no context, are left out."""
    draw = (np.random.default_rng(SEED).random(len(soft.texts)) < share) & ~soft.copies
    texts = [text for text, taken in zip(soft.texts, draw, strict=True) if taken]
    return Soft(texts, soft.probabilities[draw], soft.groups[draw], soft.copies[draw])
