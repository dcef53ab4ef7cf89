"""Cross-validation by authority over the public labels of the training side.

Held out, for each sentence:
- its authority's labels, from the linear model (`train.folds` over providers) and from the encoder that answered
  (`models/encoder/held_out.npz`: networks trained on the other two of three folds over providers, quantised alike);
- its fold's labels, from the band, the weights of sets of labels and every threshold, which come from the other four of
  five folds over providers.

Not held out: the labels behind the linear model's calibration (two numbers a label), and the counts of words, which
need no label. The linear model also learns from soft labels of other authorities' sentences; the encoder that made them
was trained on the whole training side, so that a trace of the held-out authority may come through them.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from sklearn.model_selection import GroupKFold

from benchmarks.material import PUBLIC, SCORE_HEADS, Material, markdown, score_cells, scored_of, take
from pipeline.calibration import best_thresholds, choose_prior, fit_label_sets
from pipeline.cascade_tuning import Answers, tune_cascade
from pipeline.fitting import Fit, fit_linear
from pipeline.label_sets import LabelSets
from pipeline.labelled import Labelled
from pipeline.labels import LABELS
from pipeline.modes import Mode
from pipeline.scorer import Floats
from pipeline.scores import Scored
from pipeline.soft_labels import TrainingFiles
from pipeline.training import EncoderAnswers

_FOLDS = 5


def measure(material: Material) -> list[str]:
    """Score the out-of-fold answers on public rows, by pool."""
    train = material.train
    if not (train["origin"] == PUBLIC).any():
        return ["No public label has met its sentence (data/reports is empty): nothing to cross-validate."]
    if material.classifier.encoder is None:
        return ["The model has no encoder: its model card has the out-of-fold scores."]
    labelled = Labelled.of(train)
    files = TrainingFiles(
        material.data / "sentences",
        material.data / "soft_labels.parquet",
        material.classifier.encoder.folder,
        material.project / "data" / "reserved-keys.txt",
    )
    reader = EncoderAnswers(files, train, labelled)
    fitted = fit_linear(labelled, material.params, reader.soft(material.params, material.test))
    known = reader.known
    answers = Answers(fitted.labelled[known], reader.logits[known], labelled.labels[known], labelled.groups[known])
    table: pd.DataFrame = train[pd.Series(known, index=train.index)].reset_index(drop=True)
    rows = []
    for name, scored in crossed_answers(answers, fitted, material.params.cascade.budget).items():
        for part, chosen in _parts(table).items():
            cells = score_cells(take(scored, chosen.to_numpy()), material.params.evaluate.bins)
            rows.append([f"{part}, {name}", f"{chosen.sum():,}", *cells])
    rows.sort(key=lambda row: list(_parts(table)).index(row[0].rsplit(", ", 1)[0]))
    authorities = table.loc[table["origin"] == PUBLIC, "provider"].nunique()
    return [
        f"{(table['origin'] == PUBLIC).sum():,} public sentences of {authorities} authorities.",
        "",
        *markdown(("part", "sentences", *SCORE_HEADS), rows),
    ]


def crossed_answers(answers: Answers, fitted: Fit, budget: float) -> dict[str, Scored]:
    """Give each mode's answer to each sentence, by a cascade and thresholds that had not seen its fold.

    Args:
        answers: What both models say of sentences that neither had seen.
        fitted: The linear model, for the sentences that say what is ordinary.
        budget: Share of ordinary sentences that the encoder may read.

    Returns:
        Truth and answers by mode. Chosen are the labels by each fold's own thresholds.
    """
    ordinary = fitted.soft if len(fitted.soft) else fitted.labelled
    shape = answers.labels.shape
    probabilities: dict[str, Floats] = {mode.value: np.empty(shape) for mode in Mode}
    chosen = {mode.value: np.empty(shape, dtype=bool) for mode in Mode}
    folds = min(_FOLDS, len(set(answers.groups.tolist())))
    for train, rest in GroupKFold(folds).split(answers.linear, groups=answers.groups):
        part = Answers(*(getattr(answers, name)[train] for name in ("linear", "encoder", "labels", "groups")))
        prior, _ = choose_prior(part.linear, part.labels, part.groups)
        weights = fit_label_sets(part.linear, part.labels, prior)
        sets = LabelSets(weights)
        fast = best_thresholds(sets.probabilities(part.linear))
        cascade = tune_cascade(part, weights, fast, ordinary, budget, "").cascade
        plain = sets.probabilities(answers.linear[rest])
        both = cascade.probabilities(answers.encoder[rest], answers.linear[rest])
        for mode, values in (
            (Mode.fast, plain),
            (Mode.balanced, np.where(cascade.unsure(plain)[:, None], both, plain)),
            (Mode.accurate, both),
        ):
            by_label = cascade.thresholds.get(mode.value)
            thresholds = fast if by_label is None else np.array([by_label[label] for label in LABELS])
            probabilities[mode.value][rest] = values
            chosen[mode.value][rest] = values >= thresholds
    return {
        mode: replace(scored_of(answers.labels, values, np.zeros(shape[1])), chosen=chosen[mode])
        for mode, values in probabilities.items()
    }


def _parts(table: pd.DataFrame) -> dict[str, "pd.Series[bool]"]:
    public = table["origin"] == PUBLIC
    pools = sorted(table.loc[public, "pool"].dropna().unique())
    return {"public": public, **{f"pool {name}": public & (table["pool"] == name) for name in pools}}
