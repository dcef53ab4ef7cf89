"""The register stage: log the run, register the model, and make it champion if it is better."""

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from pipeline.champion import let_wait, point_aliases, restore_champion, seed_champion, seed_waiting
from pipeline.classifier import ModelConfig, SentenceClassifier
from pipeline.dataset import SIDES, load_side
from pipeline.errors import StoreError
from pipeline.evaluation import ERRORS_FILE, SCORES_FILE, score_table
from pipeline.gate import MACRO, Comparison, compare
from pipeline.learning_curve import LEARNING_CURVE
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
    Rival,
    ScoredOn,
    Verdict,
    comparison_in,
    decide,
    describe_new_test_side,
    is_recorded,
    make_entry,
)
from pipeline.promotion_log import NEW_TEST_SIDE, PROMOTIONS, Entry, append_entry, read_log
from pipeline.provenance import Provenance, read_provenance
from pipeline.run_content import (
    KEY_TAG,
    RunContent,
    describe,
    flat_metrics,
    flat_params,
    run_name,
    run_tags,
)
from pipeline.run_file import write_run_file
from pipeline.run_record import RunRecord, read_record
from pipeline.run_report import find_differences, write_run_report
from pipeline.scores import Scored
from pipeline.store_location import STORE_FOLDER, store_lock
from pipeline.tracking import Store, open_store

_CONTEXTS = {"train": "training", "test": "testing"}


@dataclass(frozen=True)
class _RunFiles:
    """Where the stages before `register` put what it reads and a run shows, and what it writes."""

    dataset: Path
    evaluation: Path
    plots: Path
    metrics: Path
    learning_curve: Path
    candidate: Path
    champion: Path
    promotions: Path
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
    learning_curve: Path = LEARNING_CURVE,
    promotions: Path = PROMOTIONS,
    run_file: Path = Path("models/run.json"),
) -> Verdict:
    """Log the run, register the model, and make it champion if it is better. Runs in the project folder.

    All that this leaves in the working tree is the same on every machine; what is not (run ids, version numbers) stays
    in the MLflow store. Doing it again changes nothing, and adds to the store what it lacks: while the store does not
    answer, everything else is done all the same.

    Args:
        params: All settings.
        candidate: Model folder of the train stage.
        champion: Model folder that the champion is copied to.
        dataset: Folder of the dataset stage.
        evaluation: Folder of the evaluate stage.
        plots: Tables behind the plots.
        metrics: Headline scores.
        learning_curve: Table of the learning_curve stage.
        promotions: Log of all verdicts.
        run_file: Tracked file that leads to the run.

    Returns:
        The verdict.

    Raises:
        TrackingError: The files of the stages do not belong together, the log or the store is damaged, or the champion
            is lost.
    """
    record = read_record(params, candidate, dataset, evaluation)
    files = _RunFiles(dataset, evaluation, plots, metrics, learning_curve, candidate, champion, promotions)
    try:
        with open_store() as store:
            verdict = _register(store, record, files)
    except StoreError as error:
        with store_lock(Path(STORE_FOLDER)):
            verdict = replace(_register(None, record, files), not_logged=str(error))
    write_run_file(record, run_file)
    return verdict


def _register(store: Store | None, record: RunRecord, files: _RunFiles) -> Verdict:
    """Judge the candidate and act on it; without a store, what belongs into it is left for a later call."""
    provenance = read_provenance(Path())
    champion, promotions = files.champion, files.promotions
    run_id, number, seeded = None, None, None
    with TemporaryDirectory() as scratch:
        entries = read_log(promotions)  # under the store's lock, so that no other call writes in between
        release = _write_release(record, files.candidate, Path(scratch) / "model")
        restore_champion(store, champion, entries, release)
        judged = _judge(record, champion, files.dataset, entries)
        verdict, test = judged.verdict, _test_side(record)
        known = is_recorded(entries, verdict, record.test_sha256)
        if store is not None:
            seed_waiting(store)
            shown = _shown(verdict, entries)
            run_id, number = _log(store, record, files, provenance, shown, judged.differences, release)
        # Also before a promotion: a rollback takes the old champion from the store.
        if judged.seedable and store is not None:
            seeded = seed_champion(store, champion)
        elif judged.seedable:
            let_wait(champion)
        if verdict.test_change and verdict.champion_before is not None:
            rescored = _rescored(verdict, verdict.champion_before)
            append_entry(promotions, make_entry(rescored, test=test, train_sha256=None, provenance=provenance))
        if not known:
            # The log comes first: a promotion that stops here is completed by the next call.
            append_entry(
                promotions,
                make_entry(
                    verdict,
                    test=test,
                    train_sha256=record.train_sha256,
                    provenance=provenance,
                    settings=record.params.register,
                ),
            )
        if verdict.action == "promoted":
            copy_model(release, champion)
        if store is not None:
            point_aliases(store, *((seeded, number) if verdict.action == "rejected" else (number, None)))
    return replace(verdict, recorded=not known, run_id=run_id, number=number)


def _write_release(record: RunRecord, candidate: Path, folder: Path) -> Path:
    """Copy the candidate and add its test scores: this is what is registered, and what a champion's folder holds."""
    copy_model(candidate, folder)
    write_description(record.classifier, folder)
    return folder


@dataclass(frozen=True)
class _Judged:
    """A verdict, whether the champion that it was held against can be put into the store, and where the two differ."""

    verdict: Verdict
    seedable: bool
    differences: pd.DataFrame | None


def _judge(record: RunRecord, champion: Path, dataset: Path, entries: list[Entry]) -> _Judged:
    """Compare the candidate with the champion on the present test side, and decide."""
    params = record.params.register
    rival, comparison, differences = _rival(record, champion, dataset)
    candidate = Rival(record.version, record.macro_f1, _trained_on(record.classifier.config))
    action, reason = decide(candidate, rival, comparison, params, entries)
    verdict = Verdict(
        action=action,
        reason=reason,
        candidate=candidate.version,
        champion_before=rival.version if rival else None,
        champion_after=rival.version if action == "rejected" and rival else candidate.version,
        candidate_macro_f1=candidate.macro_f1,
        champion_macro_f1=rival.macro_f1 if rival else None,
        comparison=comparison,
        test_change=describe_new_test_side(entries, _test_side(record), rival) if rival else "",
    )
    seedable = action != "unchanged" and rival is not None and not rival.obstacle
    return _Judged(verdict, seedable, differences)


def _rival(record: RunRecord, champion: Path, dataset: Path) -> tuple[Rival | None, Comparison, pd.DataFrame | None]:
    """Let champion and candidate answer the same test side; an old score of the champion counts for nothing."""
    if not (champion / CONFIG_FILE).is_file():
        return None, {}, None
    older = older_version(champion)
    if older is not None:
        return Rival(older, None, obstacle="it was saved in an earlier format"), {}, None
    config = load_config(champion)
    sentences = _trained_on(config)
    if config.version == record.version:
        return Rival(config.version, record.macro_f1, sentences), {}, None
    table = load_side(dataset, "test")
    ours, theirs = _answers(record.classifier, load_model(champion), table)
    comparison = compare(ours, theirs, record.params.register)
    macro = comparison.get(MACRO)
    return (
        Rival(config.version, macro.champion if macro else None, sentences),
        comparison,
        find_differences(table, ours, theirs),
    )


def _answers(candidate: SentenceClassifier, champion: SentenceClassifier, table: pd.DataFrame) -> tuple[Scored, Scored]:
    """Let both models answer; a sentence that both leave to the same encoder is read once."""
    if candidate.encoder and champion.encoder and candidate.encoder.version == champion.encoder.version:
        champion.encoder = candidate.encoder
        candidate.encoder.keep_answers()
    return score_table(candidate, table), score_table(champion, table)


def _trained_on(config: ModelConfig) -> int | None:
    """Count the labelled sentences that a model was trained on."""
    found = config.data.get("sentences")
    return found if isinstance(found, int) else None


def _test_side(record: RunRecord) -> ScoredOn:
    """Describe the present test side."""
    test = record.summary["test"]
    return ScoredOn(record.test_sha256, test["sentences"], test["documents"])


def _rescored(verdict: Verdict, champion: str) -> Verdict:
    """Say how the champion does on a test side that is new."""
    return Verdict(NEW_TEST_SIDE, verdict.test_change, champion, champion, champion, verdict.champion_macro_f1)


def _shown(verdict: Verdict, entries: list[Entry]) -> Verdict:
    """Let a run in a fresh store tell how the champion came to be, and not that nothing changed since."""
    if verdict.action == "unchanged":
        for entry in reversed(entries):
            if entry.champion_after == verdict.candidate and entry.action == "promoted":
                return replace(verdict, action="promoted", reason=entry.reason, comparison=comparison_in(entry))
    return verdict


def _log(
    store: Store,
    record: RunRecord,
    files: _RunFiles,
    provenance: Provenance,
    verdict: Verdict,
    differences: pd.DataFrame | None,
    release: Path,
) -> tuple[str, int]:
    """Log the run with its model, unless the store has them; return the run's id and the version number."""
    macro_f1 = record.macro_f1
    description = describe(record, verdict)
    for earlier in store.runs(KEY_TAG, record.key):
        return earlier, store.register(earlier, release, description, macro_f1, record.test_sha256)
    with TemporaryDirectory() as scratch:
        figures = draw_plots(files.plots, Path(scratch), files.learning_curve)
        page = Path(scratch) / "report.html"
        write_run_report(record, verdict, figures, files.evaluation, differences, page)
        artifacts = {
            "report.html": page,
            **{f"plots/{path.name}": path for path in figures},
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
