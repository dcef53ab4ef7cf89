"""The command `findings search`: arguments, one call, and what is printed about the outcome."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.stages_cli import DATASET, read_params, show_progress

SPACE = Path("search.yaml")


def search(
    space: Annotated[
        Path, typer.Option(help="YAML file: a list of values for settings of params.yaml.", metavar="FILE")
    ] = SPACE,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Random search: this many combinations; all of them by default.")
    ] = None,
    soft_labels: Annotated[
        bool,
        typer.Option(
            help="Train with the encoder's soft labels, as `findings train` does; without them a setting takes seconds."
        ),
    ] = True,
) -> None:
    """Compare settings of the linear model by cross-validation over providers, on the training side alone.

    Scores the present settings of params.yaml and each combination of the values in FILE: macro F1, F1 by label, exact
    match, with thresholds of each fold from the other folds. Prints a table, writes data/search/results.csv, and logs
    each setting as a run below one parent run in MLflow. After Ctrl-C, the same command goes on where it stopped.

    Example: findings search --trials 10
    """
    from pipeline.search import search_params
    from pipeline.soft_labels import TrainingFiles

    report = search_params(
        read_params(),
        DATASET,
        space=space,
        trials=trials,
        files=TrainingFiles() if soft_labels else None,
        reporter=show_progress(),
    )
    print(report.summary())
