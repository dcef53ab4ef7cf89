"""The commands `findings encoder ...`."""

from pathlib import Path
from typing import Annotated

import typer

encoder = typer.Typer(help="Make the encoder again.", no_args_is_help=True, rich_markup_mode=None)

ENCODER = Path("models/encoder")
BASE = "sentence-transformers/all-MiniLM-L6-v2"


@encoder.command()
def train(
    base: Annotated[
        str,
        typer.Option(help="Folder (config.json, model.safetensors, tokenizer.json) or hub name of the base weights."),
    ] = BASE,
    teacher: Annotated[
        str | None,
        typer.Option(
            help="The same of a larger transformer, which is fine-tuned first and whose answers the encoder learns.",
            show_default="none",
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Networks that are trained at a time.",
            show_default="two, or one on a graphics processor",
        ),
    ] = None,
    output: Annotated[Path, typer.Option(help="Folder to write to.", metavar="DIR")] = ENCODER,
) -> None:
    """Fine-tune the encoder on the training side of data/dataset, quantise it, and write models/encoder.

    Needs PyTorch and Transformers (`pip install 'inspection-findings[encoder]'`). Two networks are trained at a time,
    each with half the processors and some 6 GB; with a teacher, two processors take some 50 minutes. A graphics
    processor is used where there is one. Each teacher's answers are kept in data/cache/teacher, so that no teacher is
    trained twice. Test documents are never read.

    Example: findings encoder train --base ~/weights/all-MiniLM-L6-v2 --teacher ~/weights/all-mpnet-base-v2
    """
    from pipeline.errors import UsageError
    from pipeline.params import load_params
    from pipeline.progress import make_reporter

    try:
        from pipeline.encoder_lessons import EncoderFiles
        from pipeline.encoder_training import train_encoder
    except ModuleNotFoundError as missing:
        raise UsageError(
            f"encoder train needs {missing.name}, which is not installed: pip install 'inspection-findings[encoder]'."
        ) from None
    params = load_params(Path("params.yaml"))
    trained = train_encoder(params, EncoderFiles(), base, teacher, output, workers, make_reporter())
    scores = trained.config.scores["held_out"]
    print(f"encoder {trained.version}: macro F1 {scores['macro_f1']} on documents that it had not seen")
