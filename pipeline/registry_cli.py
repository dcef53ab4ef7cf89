"""The commands `findings registry ...`: arguments, one call each, and what is printed about the outcome."""

from typing import Annotated

import typer

registry = typer.Typer(help="List, promote and roll back model versions.", no_args_is_help=True, rich_markup_mode=None)


@registry.command("list")
def list_registered() -> None:
    """List the model versions of the registry."""
    from pipeline.registry import list_versions
    from pipeline.versions import render_versions

    print(render_versions(list_versions()))


@registry.command("run")
def show_run() -> None:
    """Name the MLflow run that the checked-out results belong to (models/run.json)."""
    from pipeline.run_file import describe_run

    print(describe_run())


@registry.command()
def promote(
    version: Annotated[str, typer.Argument(help="MLflow version number, or the first digits of a model version.")],
) -> None:
    """Make a version champion, whatever its scores."""
    from pipeline.registry import promote as run

    print(run(version).summary())


@registry.command()
def rollback() -> None:
    """Bring back the champion before the present one."""
    from pipeline.registry import rollback as run

    print(run().summary())
