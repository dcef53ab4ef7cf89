"""The register stage: log the run, register the model, and make it champion if it is better."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.champion import point_aliases, restore_champion, seed_champion
from pipeline.dataset import SIDES, load_side
from pipeline.evaluation import ERRORS_FILE, SCORES_FILE, score_table
from pipeline.files import replace_file
from pipeline.model_folder import (
    CARD_FILE,
    CONFIG_FILE,
    DEFAULT_MODEL,
    copy_model,
    load_config,
    load_model,
    older_version,
    write_description,
)
from pipeline.params import Params
from pipeline.plots import draw_plots
from pipeline.promotion import (
    PROMOTIONS,
    Action,
    Entry,
    Rival,
    Verdict,
    append_entry,
    decide,
    is_recorded,
    make_entry,
    read_log,
)
from pipeline.provenance import Provenance, read_provenance
from pipeline.run_content import (
    KEY_TAG,
    RunContent,
    describe,
    errors_page,
    flat_metrics,
    flat_params,
    run_name,
    run_tags,
)
from pipeline.run_file import write_run_file
from pipeline.run_record import RunRecord, read_record
from pipeline.scores import point_scores
from pipeline.tracking import Store, open_store

_CONTEXTS = {"train": "training", "test": "testing"}


@dataclass(frozen=True)
class _RunFiles:
    """Where the stages before `register` put what a run shows."""

    dataset: Path
    evaluation: Path
    plots: Path
    metrics: Path
    settings: Path = Path("params.yaml")
    lock: Path = Path("dvc.lock")


def register_candidate(
    params: Params,
    *,
    candidate: Path = Path("models/candidate"),
    champion: Path = DEFAULT_MODEL,
    dataset: Path = Path("data/dataset"),
    evaluation: Path = Path("data/evaluation"),
    plots: Path = Path("plots"),
    metrics: Path = Path("metrics.json"),
    promotions: Path = PROMOTIONS,
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
    files = _RunFiles(dataset, evaluation, plots, metrics)
    with open_store() as store, TemporaryDirectory() as scratch:
        entries = read_log(promotions)  # under the store's lock, so that no other call writes in between
        release = _write_release(record, candidate, Path(scratch) / "model")
        restore_champion(store, champion, entries, release)
        rivals = _rivals(record, champion, dataset)
        action, reason = decide(*rivals, params.register.margin, entries)
        verdict = _verdict(action, reason, *rivals)
        known = is_recorded(entries, verdict, record.test_sha256)
        run_id, number = _log(store, record, files, provenance, _shown(verdict, entries), release)
        # Also before a promotion: a rollback takes the old champion from the store.
        seedable = verdict.action != "unchanged" and rivals[1] is not None and not rivals[1].obstacle
        seeded = seed_champion(store, champion) if seedable else None
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
        point_aliases(store, *((seeded, number) if verdict.action == "rejected" else (number, None)))
    write_run_file(record, run_file)
    with replace_file(receipt) as temporary:
        temporary.write_bytes(run_file.read_bytes())
    return replace(verdict, recorded=not known, run_id=run_id, number=number)


def _write_release(record: RunRecord, candidate: Path, folder: Path) -> Path:
    """Copy the candidate and add its test scores: this is what is registered, and what a champion's folder holds."""
    copy_model(candidate, folder)
    write_description(record.classifier, folder)
    return folder


def _rivals(record: RunRecord, champion: Path, dataset: Path) -> tuple[Rival, Rival | None]:
    """Take the candidate's score, and score the champion on the same test side."""
    candidate = Rival(record.version, record.macro_f1)
    if not (champion / CONFIG_FILE).is_file():
        return candidate, None
    older = older_version(champion)
    if older is not None:
        return candidate, Rival(older, None, "it was saved in an earlier format")
    version = load_config(champion).version
    if version == record.version:
        return candidate, Rival(version, candidate.macro_f1)
    scored = score_table(load_model(champion), load_side(dataset, "test"))
    return candidate, Rival(version, point_scores(scored, record.params.evaluate.bins)["macro_f1"])


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
    store: Store, record: RunRecord, files: _RunFiles, provenance: Provenance, verdict: Verdict, release: Path
) -> tuple[str, int]:
    """Log the run with its model, unless the store has them; return the run's id and the version number."""
    macro_f1 = record.macro_f1
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
                name=run_name(record.version, macro_f1),
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
