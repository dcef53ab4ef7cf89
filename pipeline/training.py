"""The train stage: linear model, calibration, thresholds and cascade, from the training side only."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.calibration import fit_platt
from pipeline.cascade_tuning import Answers, Tuned, tune_cascade
from pipeline.classifier import SentenceClassifier
from pipeline.copies import source_key
from pipeline.dataset import load_side, load_summary
from pipeline.encoder import load_encoder, load_held_out
from pipeline.errors import DataError
from pipeline.fitting import NO_SOFT, Fit, Soft, fit_linear
from pipeline.labelled import Labelled
from pipeline.labels import LABELS
from pipeline.model_folder import make_config, save_model
from pipeline.modes import Mode
from pipeline.params import Params
from pipeline.reference import HeldOut, Reference, build_reference, unknown_share
from pipeline.scorer import Floats, LinearScorer, sigmoid
from pipeline.soft_labels import TrainingFiles, find_rows, load_soft_labels
from pipeline.unlabelled import load_unlabelled

_CALIBRATION_DIGITS = 4


def train_candidate(
    params: Params, dataset: Path, output: Path, files: TrainingFiles | None = None
) -> SentenceClassifier:
    """Train on the training side and save the model folder.

    Args:
        params: All settings.
        dataset: Folder that the dataset stage wrote.
        output: Model folder to write.
        files: What else to read. None trains a linear model alone, which answers in the mode fast only.

    Returns:
        The trained classifier, in the mode fast.

    Raises:
        DataError: The training side is missing, or too small for a label; or the soft labels are those of another
            encoder.
        ModelError: The encoder is missing or damaged.
    """
    table = load_side(dataset, "train")
    labelled = Labelled.of(table)
    reader = EncoderAnswers(files, table, labelled) if files is not None else None
    soft = reader.soft(params, load_side(dataset, "test")) if reader else NO_SOFT
    fitted = fit_linear(labelled, params, soft)
    tuned = reader.cascade(fitted, params) if reader else None
    scores = tuned.scores if tuned else {}
    by_mode = {Mode.fast.value: HeldOut(fitted.probabilities, fitted.thresholds, np.full(len(table), True))}
    if reader and tuned:
        by_mode |= {mode: reader.held_out(tuned, mode) for mode in tuned.probabilities}
    reference = _reference(table, labelled, soft, by_mode, params)
    scorer = LinearScorer(fitted.model)
    config = make_config(
        scorer,
        thresholds=dict(zip(LABELS, fitted.thresholds.tolist(), strict=True)),
        sets=fitted.sets,
        cascade=tuned.cascade if tuned else None,
        review_margin=params.train.review_margin,
        params={name: asdict(getattr(params, name)) for name in ("features", "copies", "train", "cascade")},
        data={
            "sha256": load_summary(dataset)["train"]["sha256"],
            **count_examples(table),
            "soft_sentences": int((~soft.copies).sum()),
            "copies": int(soft.copies.sum()),
        },
        scores={"out_of_fold": fitted.scores, **{f"out_of_fold_{mode}": part for mode, part in scores.items()}},
        reference=reference,
    )
    classifier = SentenceClassifier(scorer, config)
    save_model(classifier, reference, output)
    return classifier


class EncoderAnswers:
    """What the encoder says of labelled sentences, by networks that had not seen them, and of all others.

    Attributes:
        logits: Log-odds of the labelled sentences before calibration, of shape (sentences, labels); NaN where there is
            no answer by a network that had not seen the document.
        known: Which sentences have such an answer, of shape (sentences,).
        measured: Those of them that calibration, cascade and thresholds are set on, of the same shape.

    Args:
        files: Where sentences, soft labels and encoder lie.
        table: The training side.
        labelled: The same as texts and labels.

    Raises:
        DataError: The encoder has seen every document.
        ModelError: The encoder is missing or damaged.
    """

    def __init__(self, files: TrainingFiles, table: pd.DataFrame, labelled: Labelled) -> None:
        self._files = files
        self._table = table
        self._labelled = labelled
        self._encoder = load_encoder(files.encoder)
        self.logits = self._held_out()
        self.known = np.asarray(np.isfinite(self.logits).all(axis=1), dtype=bool)
        if not self.known.any():
            raise DataError(
                f"{files.encoder}: the encoder has seen every document of the training side; make it again with "
                "`findings encoder train`."
            )
        self.measured = labelled.measured(self.known)

    def soft(self, params: Params, test: pd.DataFrame) -> Soft:
        """Collect the sentences that nobody labelled, of documents that are not on the test side, and altered copies.

        Args:
            params: All settings.
            test: The test side.

        Returns:
            The sentences with calibrated probabilities.

        Raises:
            DataError: The soft labels are those of another encoder.
        """
        files = self._files
        table = load_unlabelled(files.sentences, self._table, test, params.dataset.test_share, files.reserved)
        read, version = load_soft_labels(self._files.soft_labels)
        if version != self._encoder.version:
            raise DataError(
                f"{self._files.soft_labels}: made by encoder {version}, but {self._files.encoder} holds "
                f"{self._encoder.version}; run `dvc repro soft_labels`."
            )
        rows = find_rows(read, table["key"])
        table, rows = table[rows >= 0], rows[rows >= 0]
        labelled = self._table[["key"]].assign(group=self._labelled.groups)
        copies = read.loc[read["copy"].notna(), ["copy"]].rename_axis("name").reset_index()
        # By the sentence's key: copies of what has come to the test side since do not teach.
        copies = copies.assign(key=copies["name"].map(source_key)).merge(
            pd.concat([labelled, table[["key", "group"]]]).drop_duplicates(), on="key"
        )
        if table.empty and copies.empty:
            return NO_SOFT
        rows = np.append(rows, find_rows(read, copies["name"]))
        scores = read[list(LABELS)].to_numpy(dtype=float)[rows]
        return Soft(
            texts=table["text"].tolist() + copies["copy"].tolist(),
            probabilities=self._calibrated(scores),
            groups=np.array([*table["group"], *copies["group"]], dtype=object),
            copies=np.arange(len(scores)) >= len(table),
        )

    def cascade(self, fitted: Fit, params: Params) -> Tuned:
        """Tune the cascade on the labelled sentences.

        Args:
            fitted: The linear model.
            params: All settings.

        Returns:
            The cascade, with scores and probabilities on those sentences.
        """
        measured = self.measured
        answers = Answers(
            linear=fitted.labelled[measured],
            encoder=self.logits[measured],
            labels=self._labelled.labels[measured],
            groups=self._labelled.groups[measured],
        )
        ordinary = fitted.soft if len(fitted.soft) else fitted.labelled
        return tune_cascade(
            answers, fitted.sets, fitted.thresholds, ordinary, params.cascade.budget, self._encoder.version
        )

    def held_out(self, tuned: Tuned, mode: str) -> HeldOut:
        """Name what the cascade said of which rows."""
        thresholds = np.array([tuned.cascade.thresholds[mode][label] for label in LABELS])
        return HeldOut(tuned.probabilities[mode], thresholds, self.measured)

    def _held_out(self) -> Floats:
        """Find an honest answer for each labelled sentence; NaN where the encoder knows the document."""
        keys, stored = load_held_out(self._files.encoder)
        places = pd.Index(keys).get_indexer(pd.Index(self._table["key"]))
        logits = np.where((places >= 0)[:, None], stored[places], np.nan)
        unseen = ~self._table["document"].isin(set(self._encoder.config.data["documents"])).to_numpy()
        new = np.flatnonzero((places < 0) & unseen)
        logits[new] = self._encoder.logits([self._labelled.texts[place] for place in new])
        return logits

    def _calibrated(self, logits: Floats) -> Floats:
        """Turn log-odds into probabilities, by what held-out answers were worth (Platt 1999)."""
        measured = self.measured
        slopes, intercepts = fit_platt(self.logits[measured], self._labelled.labels[measured], _CALIBRATION_DIGITS)
        return sigmoid(logits * slopes + intercepts)


def _reference(
    table: pd.DataFrame, labelled: Labelled, soft: Soft, by_mode: dict[str, HeldOut], params: Params
) -> Reference:
    """Describe the training side; words are learnt from labelled and soft sentences alike."""
    whole = np.flatnonzero(~soft.copies)
    texts = [*labelled.texts, *(soft.texts[place] for place in whole)]
    groups = [*labelled.groups, *soft.groups[whole]]
    unknown = unknown_share(texts, groups, params.features.min_df)
    return build_reference(table, by_mode, margin=params.train.review_margin, unknown_words=unknown)


def count_examples(table: pd.DataFrame) -> dict[str, Any]:
    """Count rows, documents, examples of each label and rows of each source.

    Args:
        table: A side of the dataset.

    Returns:
        JSON-ready.
    """
    return {
        "sentences": len(table),
        "documents": int(table["document"].nunique()),
        "examples": {label: int(table[label].sum()) for label in LABELS},
        "sources": {str(name): int(count) for name, count in table["source"].value_counts().sort_index().items()},
    }
