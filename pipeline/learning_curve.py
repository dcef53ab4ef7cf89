"""The learning_curve stage: scores of the linear model by how many of the labelled documents it learned from."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from pipeline.dataset import load_side
from pipeline.errors import DataError
from pipeline.files import replace_file
from pipeline.fitting import fit_linear
from pipeline.labelled import Labelled
from pipeline.labels import LABELS, label_matrix
from pipeline.params import Params
from pipeline.progress import Reporter, SilentReporter
from pipeline.scores import Scored, point_scores

LEARNING_CURVE = Path("data/learning_curve.csv")
SHARES = (0.1, 0.25, 0.5, 1.0)
_FOLDS = 3  # for thresholds; more would only cost time
SCORES = ("macro_f1", *(f"{label}_f1" for label in LABELS))


def measure_learning_curve(
    params: Params, dataset: Path, output: Path = LEARNING_CURVE, reporter: Reporter | None = None
) -> pd.DataFrame:
    """Train on parts of the training documents and score each model on the whole test side.

    Labels alone teach here: the soft labels come from an encoder that saw every training document.

    Args:
        params: All settings.
        dataset: Folder that the dataset stage wrote.
        output: CSV file to write.
        reporter: Told of the progress.

    Returns:
        A row a share: `share` of the training documents, `documents`, `sentences`, and F1 on the test side as in
        `SCORES`. Shares with too few examples to train on are left out.

    Raises:
        DataError: The dataset is missing.
    """
    reporter = reporter or SilentReporter()
    train, test = load_side(dataset, "train"), load_side(dataset, "test")
    rows = []
    reporter.start(len(SHARES), "models")
    for share in SHARES:
        part = documents_share(train, share, params.train.seed)
        try:
            scored = score_part(part, test, params)
        except DataError:
            continue
        finally:
            reporter.advance()
        scores = point_scores(scored, params.evaluate.bins)
        rows.append([share, part["document"].nunique(), len(part), *(scores[name] for name in SCORES)])
    reporter.close()
    curve = pd.DataFrame(rows, columns=["share", "documents", "sentences", *SCORES])
    with replace_file(output) as temporary:
        curve.to_csv(temporary, index=False, lineterminator="\n")
    return curve


def documents_share(table: pd.DataFrame, share: float, seed: int) -> pd.DataFrame:
    """Take the sentences of a part of the documents; a larger share of the same seed holds the smaller.

    Args:
        table: The training side.
        share: Share of the documents, above 0 and at most 1.
        seed: Which documents.

    Returns:
        Their rows.
    """
    names = np.array(sorted(table["document"].unique()), dtype=object)
    drawn = np.random.default_rng(seed).permutation(names)[: max(1, round(share * len(names)))]
    return table[table["document"].isin(set(drawn.tolist()))].reset_index(drop=True)


def score_part(part: pd.DataFrame, test: pd.DataFrame, params: Params) -> Scored:
    """Train the linear model on some labelled sentences, and let it answer others.

    Args:
        part: What it learns from.
        test: What it answers.
        params: All settings.

    Returns:
        Truth and answers of the others.

    Raises:
        DataError: There are too few examples to train on.
    """
    labelled = Labelled.of(part)
    fitted = fit_linear(labelled, replace(params, train=replace(params.train, folds=_FOLDS)))
    probabilities = fitted.predict_proba(test["text"].tolist())
    return Scored(
        truth=label_matrix(test),
        probabilities=probabilities,
        chosen=probabilities >= fitted.thresholds,
        documents=test["document"].to_numpy(dtype=object),
        doc_types=test["doc_type"].fillna("unknown").to_numpy(dtype=object),
    )
