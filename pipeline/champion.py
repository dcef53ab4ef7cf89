"""The champion: its folder, its place in the MLflow store, and the aliases that point to it."""

import shutil
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.errors import ModelError, TrackingError
from pipeline.model_folder import CARD_FILE, MODEL_FILE, copy_model, load_config, load_reference, older_version
from pipeline.promotion_log import Entry, champion_of
from pipeline.run_content import (
    KEY_TAG,
    VERSION_TAG,
    RunContent,
    describe_champion,
    flat_metrics,
    label_sources,
    run_name,
)
from pipeline.store_location import STORE_FOLDER
from pipeline.tracking import CHALLENGER, CHAMPION, Store
from pipeline.versions import version_with

_WAITING = Path(STORE_FOLDER) / "waiting"


def version_in(folder: Path) -> str | None:
    """Name the model in a folder.

    Args:
        folder: Model folder.

    Returns:
        Its model version; None if there is none, or it is damaged.
    """
    try:
        config = load_config(folder)
        load_reference(folder)
        content = (folder / MODEL_FILE).read_bytes()
    except (ModelError, OSError):
        return None
    return config.version if sha256(content).hexdigest() == config.model_sha256 else None


def restore_champion(store: Store | None, champion: Path, entries: list[Entry], release: Path) -> None:
    """Bring the champion's folder into agreement with the log, where one of them was lost or left half done.

    Args:
        store: The store; None while it does not answer.
        champion: The champion's folder.
        entries: All verdicts.
        release: The candidate's folder, with test scores.

    Raises:
        TrackingError: The champion is lost, in the folder and in the store.
    """
    expected = champion_of(entries)
    found = version_in(champion) or older_version(champion)
    if found is not None and expected in (found, None):
        return
    if expected is None:
        if not champion.exists() or not any(champion.iterdir()):
            return
        raise TrackingError(f"{champion}: damaged; restore it with `git checkout -- {champion}`, or delete it.")
    if expected == load_config(release).version:
        copy_model(release, champion)  # the promotion was recorded, and then stopped
        return
    version = version_with(store.versions(), expected) if store else None
    if store is None or version is None:
        lack = "lacks it" if store else "does not answer"
        raise TrackingError(
            f"{champion}: holds {found or 'no model that can be read'}, but by the log of promotions {expected} is "
            f"champion, and the MLflow store {lack}; restore the folder with `git checkout -- {champion}`."
        )
    with TemporaryDirectory() as scratch:
        copy_model(store.fetch(version.number, Path(scratch)), champion)


def seed_champion(store: Store, champion: Path) -> int:
    """Make sure that the store has the champion, which another machine may have registered.

    Args:
        store: The store.
        champion: The champion's folder.

    Returns:
        MLflow's version number.
    """
    config = load_config(champion)
    registered = version_with(store.versions(), config.version)
    if registered is not None:
        return registered.number
    test = config.scores.get("test", {})
    macro_f1 = test["scores"]["macro_f1"]["value"] if test else None
    description = describe_champion(config.version, test or None)
    run_id = store.log_run(
        RunContent(
            name=run_name(config.version, macro_f1),
            description=description,
            params={
                f"{section}.{name}": str(value)
                for section, values in config.params.items()
                for name, value in values.items()
            },
            metrics=flat_metrics(test) if test else {},
            tags={
                "verdict": "champion",
                "verdict.reason": "taken from the repository: another machine trained it",
                "labels": label_sources(config.data.get("sources", {})),
                KEY_TAG: f"champion-{config.version}",
                VERSION_TAG: config.version,
                "data.train": str(config.data.get("sha256")),
            },
            artifacts={"model_card.md": champion / CARD_FILE},
        )
    )
    return store.register(run_id, champion, description, macro_f1, test.get("sha256"))


def let_wait(champion: Path) -> None:
    """Put a champion aside that goes before the store could take it; `seed_waiting` brings it there.

    Args:
        champion: The champion's folder.
    """
    copy_model(champion, _WAITING / load_config(champion).version)


def seed_waiting(store: Store) -> None:
    """Bring into the store what was put aside while it did not answer.

    Args:
        store: The store.
    """
    for folder in sorted(_WAITING.glob("*/")):
        seed_champion(store, folder)
        shutil.rmtree(folder)


def point_aliases(store: Store, champion: int | None, challenger: int | None) -> None:
    """Set both aliases; a challenger that became champion is none any more.

    Args:
        store: The store.
        champion: Version number of the champion.
        challenger: Version number of the challenger; None where there is no new one.
    """
    store.point(CHAMPION, champion)
    if challenger is not None or any(CHALLENGER in v.aliases and v.number == champion for v in store.versions()):
        store.point(CHALLENGER, challenger)
