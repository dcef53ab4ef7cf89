"""The stages as commands: arguments, one call each, and what is printed about the outcome."""

import sys
from pathlib import Path
from typing import Any

import typer

from pipeline.modes import Mode

PARAMS = Path("params.yaml")
REPORTS = Path("data/reports")
SOURCES = (Path("data/samples"), REPORTS)
LABEL_FILES = Path("data/labels")
SENTENCES = Path("data/sentences")
DATASET = Path("data/dataset")
CANDIDATE = Path("models/candidate")


def add_stages(app: typer.Typer) -> None:
    """Add a command a stage; `findings evaluate`, which does more, is not among them.

    Args:
        app: What to add them to.
    """
    for name, stage in (
        ("extract", extract),
        ("dataset", dataset),
        ("soft-labels", soft_labels),
        ("learning-curve", learning_curve),
        ("train", train),
        ("register", register),
        ("track", track),
    ):
        app.command(name)(stage)


def read_params() -> Any:  # noqa: ANN401
    """Read the settings of the project folder.

    Returns:
        `pipeline.params.Params`, which takes time to load.

    Raises:
        ParamsError: There are none, or they are wrong.
    """
    from pipeline.params import load_params

    return load_params(PARAMS)


def show_progress() -> Any:  # noqa: ANN401
    """Make what shows progress on this terminal.

    Returns:
        A `pipeline.progress.Reporter`.
    """
    from pipeline.progress import make_reporter

    return make_reporter()


def extract() -> None:
    """Stage: read new and changed documents of data/samples and data/reports into data/sentences."""
    from pipeline.extract import extract_sentences

    report = extract_sentences(
        SOURCES, SENTENCES, time_limit=read_params().extract.time_limit, reporter=show_progress()
    )
    for name, reason in report.failures:
        print(f"failed: {name}: {reason}", file=sys.stderr)
    for name, original in report.duplicates:
        print(f"left out: {name} has the same content as {original}", file=sys.stderr)
    print(
        f"{report.new} new, {report.reused} reused, {report.removed} removed; {report.sentences:,} sentences"
        f"{f', {len(report.failures)} document(s) failed' if report.failures else ''}"
    )


def dataset() -> None:
    """Stage: join labels and sentences and divide them by document into data/dataset."""
    from pipeline.dataset import build_dataset

    print(build_dataset(read_params(), LABEL_FILES, SENTENCES, DATASET).summary())


def soft_labels() -> None:
    """Stage: let the encoder read every new sentence, and altered copies, into data/soft_labels.parquet."""
    from pipeline.soft_labels import make_soft_labels

    report = make_soft_labels(read_params(), DATASET, reporter=show_progress())
    print(f"{report.new:,} sentences and copies read by the encoder, {report.reused:,} read before")


def train() -> None:
    """Stage: fit, calibrate and set thresholds on the training side; write models/candidate."""
    from pipeline.soft_labels import TrainingFiles
    from pipeline.training import train_candidate

    classifier = train_candidate(read_params(), DATASET, CANDIDATE, TrainingFiles())
    scores = classifier.config.scores
    names = {"out_of_fold": "fast", **{f"out_of_fold_{mode}": mode for mode in Mode}}
    modes = ", ".join(f"{names[name]} {part['macro_f1']}" for name, part in scores.items())
    print(f"model {classifier.version}: out-of-fold macro F1 {modes}")


def learning_curve() -> None:
    """Stage: train on parts of the training documents and write their scores to data/learning_curve.csv."""
    from pipeline.learning_curve import LEARNING_CURVE, measure_learning_curve

    curve = measure_learning_curve(read_params(), DATASET, LEARNING_CURVE, show_progress())
    for row in curve.itertuples(index=False):
        print(f"{row.documents} documents, {row.sentences:,} sentences: macro F1 {row.macro_f1}")


def register() -> None:
    """Stage: log the run in MLflow, register the model, and make it champion if it is better."""
    from pipeline.registration import register_candidate

    print(register_candidate(read_params()).summary())


def track() -> None:
    """Stage: bring the MLflow store up to date with the run and the drift of data/findings."""
    from pipeline.track import track_run

    warnings = track_run(read_params())
    print("In MLflow: the run, and how far the findings are unlike the training data.")
    for warning in warnings:
        print(f"  {warning}")
