"""Which model is champion: the register stage, promotion and rollback by hand, and the list of versions."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.metadata import version as library_version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipeline.dataset import SIDES, load_side
from pipeline.errors import ModelError, TrackingError
from pipeline.evaluation import ERRORS_FILE, SCORES_FILE, score_table
from pipeline.files import replace_file
from pipeline.model_card import render_card
from pipeline.model_folder import CARD_FILE, CONFIG_FILE, MODEL_FILE, copy_model, load_config, load_model
from pipeline.params import Params
from pipeline.plots import draw_plots
from pipeline.promotion import (
    Action,
    Entry,
    Rival,
    Verdict,
    append_entry,
    champion_before,
    champion_of,
    decide,
    is_recorded,
    make_entry,
    read_log,
)
from pipeline.provenance import Provenance, read_provenance
from pipeline.run_record import (
    KEY_TAG,
    VERSION_TAG,
    RunRecord,
    describe,
    errors_page,
    flat_metrics,
    flat_params,
    read_record,
    run_tags,
    write_run_file,
)
from pipeline.scores import point_scores
from pipeline.tracking import CHALLENGER, CHAMPION, RunContent, Store, Version, has_store, open_store

_CANDIDATE = Path("models/candidate")
_CHAMPION = Path("models/champion")
_PROMOTIONS = Path("models/promotions.jsonl")
_CONTEXTS = {"train": "training", "test": "testing"}
_SHORT = 7


@dataclass(frozen=True)
class RunFiles:
    """Where the stages before `register` put what a run shows.

    Attributes:
        dataset: Folder of the dataset stage.
        evaluation: Scores and errors of the evaluate stage.
        plots: Tables behind the plots.
        metrics: Headline scores.
        settings: params.yaml.
        lock: dvc.lock.
    """

    dataset: Path
    evaluation: Path
    plots: Path
    metrics: Path
    settings: Path = Path("params.yaml")
    lock: Path = Path("dvc.lock")


def register_candidate(
    params: Params,
    *,
    candidate: Path = _CANDIDATE,
    champion: Path = _CHAMPION,
    dataset: Path = Path("data/dataset"),
    evaluation: Path = Path("data/evaluation"),
    plots: Path = Path("plots"),
    metrics: Path = Path("metrics.json"),
    promotions: Path = _PROMOTIONS,
    run_file: Path = Path("models/run.json"),
    receipt: Path = Path("mlruns/receipt.json"),
) -> Verdict:
    """Log the run, register the model, and make it champion if it is better. Runs in the project folder.

    All that this leaves in the working tree is the same on every machine; what is not (run ids, version numbers) stays
    in the MLflow store. Doing it again changes nothing.

    Args:
        params: All settings.
        candidate: Model folder of the train stage.
        champion: Model folder that the champion is copied to.
        dataset: Folder of the dataset stage.
        evaluation: Folder of the evaluate stage.
        plots: Tables behind the plots.
        metrics: Headline scores.
        promotions: Log of all verdicts.
        run_file: Tracked file that leads to the run.
        receipt: The same file once more, inside the store's folder: without a store it is missing, so that the stage
            runs again.

    Returns:
        The verdict.

    Raises:
        TrackingError: The files of the stages do not belong together, the log is damaged, the champion is lost, or the
            store cannot be used.
    """
    record = read_record(params, candidate, dataset, evaluation)
    provenance = read_provenance(Path())
    files = RunFiles(dataset, evaluation, plots, metrics)
    with open_store() as store, TemporaryDirectory() as scratch:
        entries = read_log(promotions)  # under the store's lock, so that no other call writes in between
        release = _write_release(record, candidate, Path(scratch) / "model")
        _restore_champion(store, champion, entries, release)
        rivals = _rivals(record, champion, load_side(dataset, "test"))
        action, reason = decide(*rivals, params.register.margin, entries)
        verdict = _verdict(action, reason, *rivals)
        known = is_recorded(entries, verdict, record.test_sha256)
        run_id, number = _log(store, record, files, provenance, _shown(verdict, entries), release)
        seeded = None if verdict.action != "rejected" else _seed(store, champion)
        if not known:
            # The log comes first: a promotion that stops here is completed by the next call.
            append_entry(
                promotions,
                make_entry(
                    verdict,
                    margin=params.register.margin,
                    test_sha256=record.test_sha256,
                    train_sha256=record.train_sha256,
                    git_commit=provenance.git_commit,
                    by=provenance.user,
                ),
            )
        if verdict.action == "promoted":
            copy_model(release, champion)
        _point(store, *((seeded, number) if verdict.action == "rejected" else (number, None)))
    write_run_file(record, run_file)
    with replace_file(receipt) as temporary:
        temporary.write_bytes(run_file.read_bytes())
    return replace(verdict, recorded=not known, run_id=run_id, number=number)


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


def render_versions(versions: Sequence[Version]) -> str:
    """Lay model versions out for a terminal.

    Args:
        versions: As `list_versions` returns them.

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
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def promote(version: str, *, champion: Path = _CHAMPION, promotions: Path = _PROMOTIONS) -> Verdict:
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
        chosen = _find(store.versions(), version)
        return _switch(store, chosen, "manual promotion", "chosen by hand", champion, promotions, entries)


def rollback(*, champion: Path = _CHAMPION, promotions: Path = _PROMOTIONS) -> Verdict:
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
        chosen = next((version for version in store.versions() if version.model_version == target), None)
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
    before = champion_of(entries) or _version_in(champion)
    with TemporaryDirectory() as scratch:
        folder = store.fetch(chosen.number, Path(scratch))
        config = load_config(folder)
        load_model(folder)
        if config.version != chosen.model_version:
            raise TrackingError(f"version {chosen.number}: holds model {config.version}, not {chosen.model_version}.")
        scores = {version.model_version: version.macro_f1 for version in store.versions()}
        tests = {version.model_version: version.test_sha256 for version in store.versions()}
        comparable = before is not None and tests.get(before) == chosen.test_sha256
        unchanged = before == config.version
        verdict = Verdict(
            action="unchanged" if unchanged else action,
            reason="it is the champion already" if unchanged else reason,
            candidate=config.version,
            champion_before=before,
            champion_after=config.version,
            candidate_macro_f1=chosen.macro_f1,
            # Scores on different test sides are not compared.
            champion_macro_f1=scores.get(before) if before is not None and comparable else None,
            recorded=not unchanged,
            run_id=chosen.run_id,
            number=chosen.number,
        )
        if not unchanged:
            provenance = read_provenance(Path())
            entry = make_entry(
                verdict,
                margin=None,
                test_sha256=chosen.test_sha256,
                train_sha256=config.data.get("sha256"),
                git_commit=provenance.git_commit,
                by=provenance.user,
            )
            append_entry(promotions, entry)
        if _version_in(champion) != config.version:
            copy_model(folder, champion)
    number_before = next((version.number for version in store.versions() if version.model_version == before), None)
    _point(store, chosen.number, None if unchanged else number_before)
    return verdict


def _find(versions: Sequence[Version], wanted: str) -> Version:
    """Find a version by MLflow's number, or by the first digits of its hash."""
    for version in versions:
        if wanted == str(version.number):
            return version
    found = [version for version in versions if wanted and version.model_version.startswith(wanted.lower())]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{version.number} ({version.model_version})" for version in versions) or "none"
    what = "matches several versions" if found else "is no version"
    raise TrackingError(f"{wanted!r} {what} of the registry; there are: {known}.")


def _write_release(record: RunRecord, candidate: Path, folder: Path) -> Path:
    """Copy the candidate and add its test scores: this is what is registered, and what a champion's folder holds."""
    copy_model(candidate, folder)
    path = folder / CONFIG_FILE
    config = json.loads(path.read_text(encoding="utf-8"))
    config["scores"] = record.classifier.config.scores
    path.write_bytes((json.dumps(config, indent=2) + "\n").encode())
    (folder / CARD_FILE).write_bytes(render_card(record.classifier).encode())
    return folder


def _restore_champion(store: Store, champion: Path, entries: list[Entry], release: Path) -> None:
    """Bring the champion's folder into agreement with the log, where one of them was lost or left half done.

    Args:
        store: The store.
        champion: The champion's folder.
        entries: All verdicts.
        release: The candidate's folder, with test scores.
    """
    expected = champion_of(entries)
    found = _version_in(champion)
    if found is not None and expected in (found, None):
        return
    if expected is None:
        if not champion.exists() or not any(champion.iterdir()):
            return
        raise TrackingError(f"{champion}: damaged; restore it with `git checkout -- {champion}`, or delete it.")
    if expected == load_config(release).version:
        copy_model(release, champion)  # the promotion was recorded, and then stopped
        return
    version = next((version for version in store.versions() if version.model_version == expected), None)
    if version is None:
        raise TrackingError(
            f"{champion}: holds {found or 'no model that can be read'}, but by the log of promotions {expected} is "
            f"champion, and the MLflow store lacks it; restore the folder with `git checkout -- {champion}`."
        )
    with TemporaryDirectory() as scratch:
        copy_model(store.fetch(version.number, Path(scratch)), champion)


def _version_in(folder: Path) -> str | None:
    """Name the model in a folder; None if there is none, or it is damaged."""
    try:
        config = load_config(folder)
        content = (folder / MODEL_FILE).read_bytes()
    except (ModelError, OSError):
        return None
    return config.version if sha256(content).hexdigest() == config.model_sha256 else None


def _other_release(folder: Path) -> str:
    """Name the release of scikit-learn that a model needs and that is not installed; else an empty string."""
    trained = load_config(folder).libraries.get("scikit-learn", "unknown")
    return trained if trained.split(".")[:2] != library_version("scikit-learn").split(".")[:2] else ""


def _rivals(record: RunRecord, champion: Path, test: Any) -> tuple[Rival, Rival | None]:  # noqa: ANN401
    """Score candidate and champion on the same test side."""
    bins = record.params.evaluate.bins

    def macro_f1(classifier: Any) -> float | None:  # noqa: ANN401
        return point_scores(score_table(classifier, test), bins)["macro_f1"]

    candidate = Rival(record.version, macro_f1(record.classifier))
    if not (champion / CONFIG_FILE).is_file():
        return candidate, None
    version = load_config(champion).version
    if version == record.version:
        return candidate, Rival(version, candidate.macro_f1)
    release = _other_release(champion)
    if release:
        needed = f"it needs scikit-learn {release}, and {library_version('scikit-learn')} is installed"
        return candidate, Rival(version, None, needed)
    return candidate, Rival(version, macro_f1(load_model(champion)))


def _verdict(action: Action, reason: str, candidate: Rival, champion: Rival | None) -> Verdict:
    """Put a decision and its figures together."""
    after = champion.version if action == "rejected" and champion else candidate.version
    return Verdict(
        action=action,
        reason=reason,
        candidate=candidate.version,
        champion_before=champion.version if champion else None,
        champion_after=after,
        candidate_macro_f1=candidate.macro_f1,
        champion_macro_f1=champion.macro_f1 if champion else None,
    )


def _shown(verdict: Verdict, entries: list[Entry]) -> Verdict:
    """Let a run in a fresh store tell how the champion came to be, and not that nothing changed since."""
    if verdict.action == "unchanged":
        for entry in reversed(entries):
            if entry.champion_after == verdict.candidate and entry.action == "promoted":
                return replace(verdict, action="promoted", reason=entry.reason)
    return verdict


def _log(
    store: Store, record: RunRecord, files: RunFiles, provenance: Provenance, verdict: Verdict, release: Path
) -> tuple[str, int]:
    """Log the run with its model, unless the store has them; return the run's id and the version number."""
    macro_f1 = record.scores["scores"]["macro_f1"]["value"]
    description = describe(record, verdict)
    for earlier in store.runs(KEY_TAG, record.key):
        return earlier, store.register(earlier, release, description, macro_f1, record.test_sha256)
    with TemporaryDirectory() as scratch:
        figures = draw_plots(files.plots, Path(scratch))
        page = Path(scratch) / "worst_errors.html"
        page.write_bytes(errors_page(files.evaluation / ERRORS_FILE).encode())
        artifacts = {
            **{f"plots/{path.name}": path for path in figures},
            "errors/worst_errors.html": page,
            "errors/worst_errors.csv": files.evaluation / ERRORS_FILE,
            "model_card.md": release / CARD_FILE,
            "scores.json": files.evaluation / SCORES_FILE,
            "metrics.json": files.metrics,
            "params.yaml": files.settings,
            "dvc.lock": files.lock,
        }
        run_id = store.log_run(
            RunContent(
                name=_run_name(record.version, macro_f1),
                description=description,
                params=flat_params(record.params),
                metrics=flat_metrics(record.scores),
                tags=run_tags(record, provenance, verdict),
                datasets=tuple(
                    (
                        load_side(files.dataset, side),
                        str(record.summary[side]["sha256"]),
                        (files.dataset / f"{side}.parquet").as_posix(),
                        _CONTEXTS[side],
                    )
                    for side in SIDES
                ),
                artifacts={name: path for name, path in artifacts.items() if path.is_file()},
            )
        )
    return run_id, store.register(run_id, release, description, macro_f1, record.test_sha256)


def _seed(store: Store, champion: Path) -> int | None:
    """Make sure that the store has the champion, which another machine may have registered; return its number."""
    config = load_config(champion)
    for version in store.versions():
        if version.model_version == config.version:
            return version.number
    test = config.scores.get("test", {})
    macro_f1 = test["scores"]["macro_f1"]["value"] if test else None
    description = f"Champion `{config.version}`, taken from the repository: another machine trained it."
    run_id = store.log_run(
        RunContent(
            name=_run_name(config.version, macro_f1),
            description=description,
            params={
                f"{section}.{name}": str(value)
                for section, values in config.params.items()
                for name, value in values.items()
            },
            metrics=flat_metrics({**test, "by_doc_type": {}}) if test else {},
            tags={
                "verdict": "champion from the repository",
                KEY_TAG: f"champion-{config.version}",
                VERSION_TAG: config.version,
                "data.train": str(config.data.get("sha256")),
            },
            artifacts={"model_card.md": champion / CARD_FILE},
        )
    )
    return store.register(run_id, champion, description, macro_f1, test.get("sha256"))


def _point(store: Store, champion: int | None, challenger: int | None) -> None:
    """Set both aliases; a challenger that became champion is none any more."""
    store.point(CHAMPION, champion)
    if challenger is not None or any(CHALLENGER in v.aliases and v.number == champion for v in store.versions()):
        store.point(CHALLENGER, challenger)


def _run_name(version: str, macro_f1: float | None) -> str:
    return version[:_SHORT] if macro_f1 is None else f"{version[:_SHORT]} macro F1 {macro_f1:.3f}"
