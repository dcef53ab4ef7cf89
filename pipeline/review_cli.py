"""The commands `findings review ...`: arguments, one call each, and what is printed about the outcome."""

from pathlib import Path
from typing import Annotated, Any

import typer

review = typer.Typer(
    help="Have people judge the sentences that teach the model most.", no_args_is_help=True, rich_markup_mode=None
)

PARAMS = Path("params.yaml")
FINDINGS = Path("data/findings/findings.parquet")
LABEL_FILES = Path("data/labels")
CANDIDATE = Path("models/candidate")
CHAMPION = Path("models/champion")

FindingsOption = Annotated[
    Path, typer.Option(help="Findings table (.parquet, .csv, .jsonl) that the sentences are from.", metavar="FILE")
]
LabelsOption = Annotated[Path, typer.Option(help="Folder of label files.", metavar="DIR")]
BlindOption = Annotated[bool, typer.Option("--blind", help="Hide labels, probabilities and why a sentence was picked.")]


@review.command("export")
def export(
    output: Annotated[
        Path,
        typer.Option(
            help="File to write: .xlsx, .csv, .jsonl, or .json for Label Studio (with its labelling config beside it).",
            metavar="FILE",
        ),
    ],
    findings: FindingsOption = FINDINGS,
    size: Annotated[int | None, typer.Option(min=1, help="Sentences; review.size of params.yaml by default.")] = None,
    blind: BlindOption = False,
    answered_by: Annotated[
        str | None,
        typer.Option(help="Instead of a queue: what this reviewer has answered, answers filled in.", metavar="NAME"),
    ] = None,
    model: Annotated[Path, typer.Option(help="Model folder that made the findings.", metavar="DIR")] = CHAMPION,
    candidate: Annotated[Path, typer.Option(help="Model folder to compare it with.", metavar="DIR")] = CANDIDATE,
    labels: LabelsOption = LABEL_FILES,
) -> None:
    """Write a queue of sentences to judge.

    It holds sentences of which the model is unsure, sentences on which champion and candidate differ, rare labels, and
    a random share; sentences that have a label, and near-duplicates, are left out.

    Example: findings review export --output queue.xlsx
    """
    from pipeline.review.exporting import export_answered, export_queue

    if answered_by is None:
        report = export_queue(
            findings, output, labels=labels, model=model, candidate=candidate, params=_params(), size=size, blind=blind
        )
    else:
        report = export_answered(findings, output, labels=labels, reviewer=answered_by, blind=blind)
    print(report.summary())


@review.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="An exported file with answers, or Label Studio's JSON export.")],
    reviewer: Annotated[
        list[str],
        typer.Option(
            help="Who answered. For a Label Studio export of several people, repeat as ID=NAME, one each.",
            metavar="NAME",
        ),
    ],
    settles: Annotated[
        bool, typer.Option("--settles", help="The reviewer is the adjudicator: these answers settle disagreements.")
    ] = False,
    findings: FindingsOption = FINDINGS,
    labels: LabelsOption = LABEL_FILES,
    skip_gone: Annotated[
        bool, typer.Option("--skip-gone", help="Leave out answers for sentences that the findings no longer hold.")
    ] = False,
    no_text: Annotated[
        bool, typer.Option("--no-text", help="Store answers by key, without the sentences (to share them).")
    ] = False,
) -> None:
    """Read answers back and append them to data/labels/reviewed; all of them, or none where something is wrong.

    The same file a second time adds nothing. `dvc repro` then trains on the answers.

    Example: findings review import queue.xlsx --reviewer anna
    """
    from pipeline.review.importing import import_answers

    report = import_answers(
        file, reviewer, findings=findings, labels=labels, settles=settles, skip_gone=skip_gone, keep_text=not no_text
    )
    print(report.summary())


@review.command("conflicts")
def conflicts(
    output: Annotated[
        Path | None,
        typer.Option(help="Write the disagreements here, for the adjudicator to answer.", metavar="FILE"),
    ] = None,
    findings: FindingsOption = FINDINGS,
    blind: BlindOption = False,
    labels: LabelsOption = LABEL_FILES,
) -> None:
    """Show how far reviewers agree (Cohen's kappa) and list the sentences on which they do not.

    Those are held back from training until `findings review import FILE --reviewer NAME --settles`.

    Example: findings review conflicts --output conflicts.xlsx
    """
    from pipeline.review.agreement import measure_agreement, render_agreement
    from pipeline.review.events import read_events

    print(render_agreement(measure_agreement(read_events(labels))))
    if output is not None:
        from pipeline.review.exporting import export_conflicts

        print(export_conflicts(findings, output, labels=labels, blind=blind).summary())


def _params() -> Any:  # noqa: ANN401
    from pipeline.params import ReviewParams, load_params

    return load_params(PARAMS).review if PARAMS.is_file() else ReviewParams()
