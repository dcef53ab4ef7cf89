"""Model versions of the registry: what is known of each, finding one, and the list for a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import TrackingError
from pipeline.text_table import align_columns


@dataclass(frozen=True)
class Version:
    """A model version in the registry.

    Attributes:
        number: MLflow's number, which is another in every store.
        model_version: Hash of the model's content, the same everywhere.
        aliases: "champion" and "challenger", where it has them.
        macro_f1: Macro F1 on the test side when it was registered.
        test_sha256: Hash of that test side.
        created: When it was registered in this store.
        run_id: The run that logged it.
    """

    number: int
    model_version: str
    aliases: tuple[str, ...]
    macro_f1: float | None
    test_sha256: str | None
    created: datetime
    run_id: str | None


def version_with(versions: Sequence[Version], model_version: str) -> Version | None:
    """Find the version that holds a model.

    Args:
        versions: The registered versions.
        model_version: Hash of the model's content.

    Returns:
        The version; None if the registry lacks the model.
    """
    return next((version for version in versions if version.model_version == model_version), None)


def find_version(versions: Sequence[Version], wanted: str) -> Version:
    """Find the version that a person names.

    Args:
        versions: The registered versions.
        wanted: MLflow's version number, or the first digits of a model version.

    Returns:
        The version.

    Raises:
        TrackingError: There is no such version, or several match.
    """
    for version in versions:
        if wanted == str(version.number):
            return version
    found = [version for version in versions if wanted and version.model_version.startswith(wanted.lower())]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{version.number} ({version.model_version})" for version in versions) or "none"
    what = "matches several versions" if found else "is no version"
    raise TrackingError(f"{wanted!r} {what} of the registry; there are: {known}.")


def render_versions(versions: Sequence[Version]) -> str:
    """Lay model versions out for a terminal.

    Args:
        versions: The registered versions.

    Returns:
        A line a version.
    """
    if not versions:
        return "no model versions yet: run `dvc repro`."
    rows = [("version", "model", "macro F1", "registered (UTC)", "run", "alias")]
    rows += [
        (
            str(version.number),
            version.model_version,
            "" if version.macro_f1 is None else f"{version.macro_f1:.4f}",
            f"{version.created:%Y-%m-%d %H:%M}",
            version.run_id or "",
            ", ".join(version.aliases),
        )
        for version in versions
    ]
    return align_columns(rows)
