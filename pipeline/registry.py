"""The registry of models by hand: list its versions, promote one, roll back."""

from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.champion import point_aliases, version_in
from pipeline.errors import ModelError, TrackingError
from pipeline.model_folder import DEFAULT_MODEL, copy_model, load_model
from pipeline.promotion import Action, ScoredOn, Verdict, make_entry
from pipeline.promotion_log import PROMOTIONS, Entry, append_entry, champion_before, champion_of, read_log
from pipeline.provenance import read_provenance
from pipeline.store_location import has_store
from pipeline.tracking import Store, open_store
from pipeline.versions import Version, find_version, version_with


def list_versions(project: Path = Path()) -> list[Version]:
    """List the registered model versions.

    Args:
        project: The project folder.

    Returns:
        The versions, the newest first.

    Raises:
        TrackingError: The store cannot be reached.
    """
    if not has_store(project):
        return []
    with open_store(project, write=False) as store:
        return store.versions()


def promote(version: str, *, champion: Path = DEFAULT_MODEL, promotions: Path = PROMOTIONS) -> Verdict:
    """Make a registered version champion by hand, whatever its scores. Runs in the project folder.

    Args:
        version: MLflow's version number, or the first digits of a model version.
        champion: Model folder that the champion is copied to.
        promotions: Log of all verdicts.

    Returns:
        The decision.

    Raises:
        TrackingError: There is no such version, several match, or the store lacks its files.
    """
    with open_store() as store:
        entries = read_log(promotions)
        chosen = find_version(store.versions(), version)
        return _switch(store, chosen, "manual promotion", "chosen by hand", champion, promotions, entries)


def rollback(*, champion: Path = DEFAULT_MODEL, promotions: Path = PROMOTIONS) -> Verdict:
    """Bring back the champion before the present one. Runs in the project folder.

    The model that is put aside stays out: `register` does not promote it again until it changes.

    Args:
        champion: Model folder that the champion is copied to.
        promotions: Log of all verdicts.

    Returns:
        The decision.

    Raises:
        TrackingError: There is no earlier champion, or the store lacks it.
    """
    with open_store() as store:
        entries = read_log(promotions)
        target = champion_before(entries)
        if target is None:
            raise TrackingError(f"{promotions}: holds no champion before the present one; nothing to go back to.")
        chosen = version_with(store.versions(), target)
        if chosen is None:
            raise TrackingError(
                f"the champion before was {target}, which this MLflow store lacks; take {champion} from an earlier "
                "commit, or use the store that it was registered in (MLFLOW_TRACKING_URI)."
            )
        return _switch(
            store, chosen, "rollback", f"rolled back from {champion_of(entries)}", champion, promotions, entries
        )


def _switch(
    store: Store, chosen: Version, action: Action, reason: str, champion: Path, promotions: Path, entries: list[Entry]
) -> Verdict:
    """Put a registered version in the champion's place: log, folder and alias."""
    before = champion_of(entries) or version_in(champion)
    with TemporaryDirectory() as scratch:
        folder = store.fetch(chosen.number, Path(scratch))
        try:
            config = load_model(folder).config
        except ModelError as error:
            reason = str(error).removeprefix(f"{folder.as_posix()}").lstrip("/: ")
            raise TrackingError(
                f"version {chosen.number} ({chosen.model_version}) cannot be used any more ({reason}) Nothing was "
                "changed: name another with `findings registry promote VERSION`, or check out the commit of that time."
            ) from None
        if config.version != chosen.model_version:
            raise TrackingError(f"version {chosen.number}: holds model {config.version}, not {chosen.model_version}.")
        former = None if before is None else version_with(store.versions(), before)
        # Scores on different test sides are not compared.
        comparable = former is not None and former.test_sha256 == chosen.test_sha256
        unchanged = before == config.version
        verdict = Verdict(
            action="unchanged" if unchanged else action,
            reason="it is the champion already" if unchanged else reason,
            candidate=config.version,
            champion_before=before,
            champion_after=config.version,
            candidate_macro_f1=chosen.macro_f1,
            champion_macro_f1=former.macro_f1 if former and comparable else None,
            recorded=not unchanged,
            run_id=chosen.run_id,
            number=chosen.number,
        )
        # First of all: who may not do this in the registry shall not have done half of it here.
        point_aliases(store, chosen.number, None if unchanged or former is None else former.number)
        if not unchanged:
            test = config.scores.get("test", {})
            entry = make_entry(
                verdict,
                test=ScoredOn(chosen.test_sha256, test.get("sentences"), test.get("documents")),
                train_sha256=config.data.get("sha256"),
                provenance=read_provenance(Path()),
            )
            append_entry(promotions, entry)
        if version_in(champion) != config.version:
            copy_model(folder, champion)
    return verdict
