"""The command `findings`: arguments, one call each, and what is printed about the outcome."""

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.encoder_cli import encoder
from pipeline.errors import FindingsError, UsageError
from pipeline.formats import COMMONEST_READER, TABLE_SUFFIXES, Format
from pipeline.modes import Mode
from pipeline.pool import TIME_LIMIT, start_early, tuned_libraries
from pipeline.registry_cli import registry
from pipeline.review_cli import review
from pipeline.search_cli import search
from pipeline.stages_cli import CANDIDATE, DATASET, LABEL_FILES, PARAMS, REPORTS, add_stages, read_params, show_progress

app = typer.Typer(
    name="findings",
    help="Label every sentence of inspection reports: strength, weakness, commitment.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(registry, name="registry")
app.add_typer(encoder, name="encoder")
app.add_typer(review, name="review")

CATALOGUE = Path("data/catalogue.csv")
SPLITTER = Path("pipeline/punkt.json")
CHAMPION = Path("models/champion")
METRICS = Path("metrics.json")
EVALUATION = Path("data/evaluation")
PLOTS = Path("plots")
SOME_FAILED = 3


class View(StrEnum):
    """How `findings read` prints."""

    table = "table"
    json = "json"


ModeOption = Annotated[
    Mode | None, typer.Option(help="Who reads: balanced by default, fast for a model without an encoder.")
]
ModelOption = Annotated[Path, typer.Option(help="Model folder.", metavar="DIR")]


@app.callback(invoke_without_command=True)
def version(
    context: typer.Context,
    show: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Label every sentence of inspection reports: strength, weakness, commitment."""
    if show:
        from importlib.metadata import version as installed

        print(f"findings {installed('inspection-findings')}")
        raise typer.Exit


@app.command()
def classify(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH...",
            help="Documents (PDF, DOCX, HTML, text, Markdown), folders (searched recursively), or tables (.csv, "
            ".jsonl, .parquet) with a column 'text', one sentence a row.",
        ),
    ],
    output: Annotated[str, typer.Option(help="Folder to write to.", metavar="DIR")],
    formats: Annotated[
        list[Format] | None, typer.Option("--format", help="Repeat for several; parquet and csv by default.")
    ] = None,
    html: Annotated[bool, typer.Option("--html/--no-html", help="Write pages to read in a browser.")] = True,
    model: ModelOption = CHAMPION,
    mode: ModeOption = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; one a processor by default.")] = None,
    resume: Annotated[
        bool,
        typer.Option(
            help="Use again what an earlier run into DIR, finished or stopped, left in DIR/.parts; --no-resume labels "
            "everything anew and keeps nothing there."
        ),
    ] = True,
    cache: Annotated[
        Path | None,
        typer.Option(help="Keep that in CACHE/.parts, also of an extract store.", metavar="CACHE"),
    ] = None,
    time_limit: Annotated[
        int, typer.Option(min=1, help="Seconds after which a document counts as failed.", metavar="SECONDS")
    ] = TIME_LIMIT,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Label on a Dask cluster; PATH and DIR may then be URLs (s3://, abfs://, gs://). Writes Parquet, one "
            "file a document, and no pages.",
            metavar="tcp://HOST:PORT",
        ),
    ] = None,
) -> None:
    """Label the sentences of documents.

    Mode fast: the linear model alone. Mode balanced: an encoder (a small transformer) reads the sentences where the
    linear model is unsure. Mode accurate: the encoder reads every sentence.

    Writes findings.FORMAT, reports.csv, summary.csv, failures.csv, drift.json and index.html (with a page a report) to
    the output folder, and warns where many sentences are unlike the training data. Run again into the same folder, it
    reads only documents that are new or have changed. Exit code: 0 all documents read, 3 some failed (listed in
    failures.csv), 2 wrong usage, 1 another error.

    Example: findings classify reports/ --output findings/ --format xlsx
    """
    if scheduler is not None:
        if cache is not None:
            raise UsageError("--cache: a cluster keeps what it labelled in its output folder; leave the option out.")
        _classify_on_cluster(paths, output, scheduler, model, mode, formats, workers, resume, time_limit)
        return
    for place in (*paths, output):
        if "://" in place:
            raise UsageError(f"{place}: a URL needs a cluster; name its scheduler with --scheduler tcp://HOST:PORT.")
    if not all(path.lower().endswith(TABLE_SUFFIXES) for path in paths):
        start_early("pipeline.parts", *COMMONEST_READER)
    chosen = [item.value for item in formats] if formats else ["parquet", "csv"]
    with tuned_libraries():
        from pipeline.batch import classify as run

        result = run(
            map(Path, paths),
            Path(output),
            model=model,
            mode=mode,
            formats=chosen,
            html=html,
            workers=workers,
            resume=resume,
            cache=cache,
            time_limit=time_limit,
            reporter=show_progress(),
        )
    print(result.summary())
    for line in result.moved:
        print(f"Unlike the training data: {line}", file=sys.stderr)
    if result.failures:
        raise typer.Exit(SOME_FAILED)


def _classify_on_cluster(
    paths: Sequence[str],
    output: str,
    scheduler: str,
    model: Path,
    mode: Mode | None,
    formats: Sequence[Format] | None,
    workers: int | None,
    resume: bool,
    time_limit: int,
) -> None:
    from pipeline.cluster import classify_on_cluster

    if set(formats or ()) - {Format.PARQUET}:
        raise UsageError("--scheduler: a cluster writes Parquet alone; leave --format out, or convert afterwards.")
    if workers is not None:
        raise UsageError("--workers: the cluster has its own; leave the option out with --scheduler.")
    result = classify_on_cluster(
        paths,
        output,
        scheduler=scheduler,
        model=model,
        mode=mode,
        resume=resume,
        time_limit=time_limit,
        reporter=show_progress(),
    )
    print(result.summary())
    if result.failures:
        raise typer.Exit(SOME_FAILED)


@app.command()
def read(
    file: Annotated[Path, typer.Argument(help="A document (PDF, DOCX, HTML, text, Markdown).")],
    view: Annotated[View, typer.Option("--format", help="How to print.")] = View.table,
    debug: Annotated[bool, typer.Option("--debug", help="Show the lines left out as running heads and feet.")] = False,
) -> None:
    """Show what reading makes of one document: metadata, sections, sentences with page and kind."""
    from pipeline.reading.outline import describe, render

    description = describe(file, debug=debug)
    print(json.dumps(description, indent=2, ensure_ascii=False) if view is View.json else render(description))


@app.command("train-splitter")
def train_splitter(
    output: Annotated[Path, typer.Option(help="File to write.", metavar="FILE")] = SPLITTER,
) -> None:
    """Learn anew where sentences end, from the authored label files; the same files give the same bytes.

    Reads data/labels/authored-*.jsonl and writes what the sentence splitter loads.
    """
    from pipeline.splitter import retrain

    print(retrain(LABEL_FILES, output))


@app.command()
def fetch(
    catalogue: Annotated[Path, typer.Option(help="List of reports.", metavar="FILE")] = CATALOGUE,
    output: Annotated[Path, typer.Option(help="Folder to bring them to.", metavar="DIR")] = REPORTS,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Copy from this folder, by content, and ask no server.", metavar="DIR"),
    ] = None,
    pause: Annotated[float, typer.Option(min=0, max=3600, help="Seconds between two requests.")] = 1.0,
) -> None:
    """Bring the published reports of the catalogue into data/reports.

    Each file must have the SHA-256 that the catalogue states. What is there already is not fetched again, and what was
    cut short is gone on with. Exit code: 0 every report is there, 3 some are missing (listed with the reason), 2 wrong
    usage, 1 another error.

    Example: findings fetch --from ~/reports
    """
    from pipeline.download import DownloadSettings
    from pipeline.fetch import fetch_reports

    settings = DownloadSettings(pause=pause)
    report = fetch_reports(catalogue, output, source=source, settings=settings, reporter=show_progress())
    print(report.summary())
    if not report.complete:
        raise typer.Exit(SOME_FAILED)


@app.command()
def explain(
    sentence: Annotated[str, typer.Argument(help="One sentence, in quotes.")],
    model: ModelOption = CHAMPION,
    top: Annotated[int, typer.Option(min=1, help="Features to show a label.")] = 8,
    as_json: Annotated[bool, typer.Option("--json", help="Print every feature as JSON.")] = False,
) -> None:
    """Show which words drew each label of a sentence, and by how much; the parts sum to the score."""
    from dataclasses import asdict

    from pipeline.explanation import explain as run
    from pipeline.explanation import render_explanation
    from pipeline.model_folder import load_model

    explained = run(load_model(model, "fast"), sentence)
    print(json.dumps([asdict(one) for one in explained], indent=2) if as_json else render_explanation(explained, top))


@app.command()
def evaluate(
    model: ModelOption = CANDIDATE,
    data: Annotated[
        Path | None,
        typer.Option(help="Labelled sentences (.csv, .jsonl: text, labels); prints scores and writes nothing."),
    ] = None,
    mode: ModeOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all scores as JSON.")] = False,
) -> None:
    """Score a model.

    Without --data: stage, scores the candidate on the test side and writes metrics.json, data/evaluation and plots.
    With --data: labels may be letters ("SW", "N") or words ("strength; weakness", "none").
    """
    from pipeline.evaluation import evaluate_candidate, evaluate_file, render_scores
    from pipeline.params import EvaluateParams

    if data is None:
        result = evaluate_candidate(read_params(), model, DATASET, METRICS, EVALUATION, PLOTS)
    else:
        result = evaluate_file(read_params().evaluate if PARAMS.is_file() else EvaluateParams(), model, data, mode)
    print(json.dumps(result, indent=2) if as_json else render_scores(result))


@app.command()
def ui(port: Annotated[int, typer.Option(min=1, max=65535, help="Port on 127.0.0.1.")] = 5000) -> None:
    """Open the MLflow UI on the project's own store."""
    from pipeline.mlflow_server import serve_ui

    serve_ui(port, announce=print)


add_stages(app)
app.command()(search)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        The exit code: 0 done, 1 an error, 2 wrong usage, 3 some documents failed or are missing, 130 interrupted.
    """
    try:
        app(args=None if argv is None else list(argv), prog_name="findings")
    except FindingsError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else 0
    return 0
