"""The parameter search: settings of the linear model compared by cross-validation on the training side alone."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.cache import product_version
from pipeline.calibration import best_thresholds
from pipeline.csv_tables import write_csv
from pipeline.dataset import load_side, load_summary
from pipeline.errors import DataError, TrackingError
from pipeline.files import unwritable
from pipeline.fitting import NO_SOFT, Fit, Soft, fit_linear
from pipeline.labelled import Labelled
from pipeline.params import Params, change_params
from pipeline.progress import Reporter, SilentReporter
from pipeline.provenance import read_provenance
from pipeline.scorer import Booleans, Floats
from pipeline.scores import Scored, point_scores
from pipeline.search_report import HEADLINES, Scores, SearchReport, child_content, fold_score, parent_content
from pipeline.search_space import Setting, list_settings, read_space
from pipeline.soft_labels import TrainingFiles
from pipeline.training import EncoderAnswers

OUTPUT = Path("data/search")
SCORES_FILE = "scores.jsonl"
RESULTS_FILE = "results.csv"
_SOFT_WEIGHTS = ("train.soft_weight", "train.copy_weight")
_KEY_DIGITS = 16
_BINS = 10


def search_params(
    params: Params,
    dataset: Path,
    *,
    space: Path,
    trials: int | None = None,
    files: TrainingFiles | None = None,
    output: Path = OUTPUT,
    project: Path = Path(),
    reporter: Reporter | None = None,
) -> SearchReport:
    """Score settings by cross-validation over providers, and log each as a run below one parent run.

    The settings of params.yaml are scored first. What an earlier search scored on the same data with the same code is
    taken over, so that a search that was stopped goes on.

    Args:
        params: All settings.
        dataset: Folder that the dataset stage wrote; the test side is read for its keys alone.
        space: YAML file with the values to try.
        trials: Draw this many settings at random; None tries every combination.
        files: What to read soft labels from; None uses the labels of people alone.
        output: Folder for scores.jsonl, which grows with each setting, and results.csv.
        project: The project folder, with the MLflow store.
        reporter: Told of the progress.

    Returns:
        The settings with their scores.

    Raises:
        ParamsError: The values to try are not as documented.
        DataError: The training side is missing or too small, or no setting could be scored.
        ModelError: The encoder is missing or damaged.
    """
    reporter = reporter or SilentReporter()
    values = read_space(space, params)
    table = load_side(dataset, "train")
    labelled = Labelled.of(table)
    soft = EncoderAnswers(files, table, labelled).soft(params, load_side(dataset, "test")) if files else NO_SOFT
    if not soft.texts:
        values = {name: tried for name, tried in values.items() if name not in _SOFT_WEIGHTS}  # nothing to weigh
    present = {name: _value(params, name) for name in values}
    drawn = list_settings(values, trials, params.train.seed)
    settings = [present, *(one for one in drawn if one != present)]
    train_sha256 = load_summary(dataset)["train"]["sha256"]
    data = _hash(train_sha256, _digest(soft), product_version())
    keys = [_key(data, change_params(params, one, space)) for one in settings]
    report = SearchReport(
        present=present,
        varied=tuple(name for name, tried in values.items() if {*map(str, tried)} != {str(present[name])}),
        key=_hash(*sorted(keys)),
        sha256=train_sha256,
        sentences=len(labelled.texts),
        soft_sentences=len(soft.texts),
        folds=params.train.folds,
        margin=params.register.margin,
        provenance=read_provenance(project),
        path=output / RESULTS_FILE,
    )
    known = {key: scores for key, scores in _read_scores(output / SCORES_FILE) if key in keys}
    status = "KILLED"
    reporter.start(len(settings), "settings")
    try:
        for key, setting in zip(keys, settings, strict=True):
            if key not in known:
                changed = change_params(params, setting, space)
                try:
                    known[key] = _score(labelled, soft, changed)
                except DataError as error:
                    if setting is present:
                        raise
                    report.failures.append(f"{_named(setting)}: {error}")
                    reporter.advance()
                    continue
                _append(output / SCORES_FILE, key, setting, known[key])
            report.add(key, setting, known[key])
            _log(report, params, space, project, "RUNNING")
            reporter.advance(note=f"best macro F1 {report.best.scores['macro_f1']:.4f}")
        status = "FINISHED"
    finally:
        reporter.close()
        if report.results:
            _write_results(report)
            report.run_id = _log(report, params, space, project, status)
    return report


def choose_by_fold(labels: Booleans, probabilities: Floats, folds: npt.NDArray[np.intp]) -> Booleans:
    """Give labels by thresholds that were fitted on the other folds.

    Args:
        labels: Truth, of shape (sentences, labels).
        probabilities: Of held-out sentences, of the same shape.
        folds: Number of the fold of each sentence, of shape (sentences,).

    Returns:
        Labels given, of shape (sentences, labels).
    """
    chosen = np.zeros(labels.shape, dtype=bool)
    for fold in np.unique(folds):
        inside = folds == fold
        chosen[inside] = probabilities[inside] >= best_thresholds(probabilities[~inside])
    return chosen


def cross_validated_scores(labelled: Labelled, fit: Fit) -> Scores:
    """Score what a fit said of sentences of providers that it had not seen.

    Args:
        labelled: The sentences.
        fit: What was fitted on them.

    Returns:
        `HEADLINES`, then macro F1 by fold; scores that are not defined are left out.
    """
    probabilities = fit.probabilities
    chosen = choose_by_fold(labelled.labels, probabilities, fit.folds)

    def points(rows: Booleans) -> dict[str, float | None]:
        unnamed = np.full(int(rows.sum()), "")
        return point_scores(
            Scored(labelled.labels[rows], probabilities[rows], chosen[rows], labelled.groups[rows], unnamed), _BINS
        )

    overall = points(np.full(len(chosen), True))
    scores = {name: overall[name] for name in HEADLINES}
    scores |= {fold_score(fold): points(fit.folds == fold)["macro_f1"] for fold in np.unique(fit.folds).tolist()}
    return {name: value for name, value in scores.items() if value is not None}


def _score(labelled: Labelled, soft: Soft, params: Params) -> Scores:
    """Fit with some settings and score the answers; with the time that it took."""
    start = time.perf_counter()
    fitted = fit_linear(labelled, params, soft)
    return {**cross_validated_scores(labelled, fitted), "seconds": round(time.perf_counter() - start, 1)}


def _log(report: SearchReport, params: Params, space: Path, project: Path, status: str) -> str | None:
    """Bring the store up to date; a search does not stop because a store cannot be reached."""
    from pipeline.tracking import open_store  # MLflow takes seconds to import

    try:
        with open_store(project) as store:
            children = [child_content(report, one, change_params(params, one.setting, space)) for one in report.results]
            run_id = store.log_nested(parent_content(report), children, status)
    except TrackingError as error:
        report.trouble = str(error)
        return None
    report.trouble = ""
    return run_id


def _write_results(report: SearchReport) -> None:
    head, *rows = report.rows()
    write_csv(report.path, head, rows)


def _append(path: Path, key: str, setting: Setting, scores: Scores) -> None:
    """Keep what was scored: a line of its own, so that nothing is lost when the search is stopped."""
    line = json.dumps({"key": key, "setting": setting, "scores": scores})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A line that a killed process left unfinished ends here.
        torn = path.is_file() and not path.read_bytes().endswith(b"\n")
        with path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + line + "\n")
    except OSError as error:
        raise unwritable(path, error) from error


def _read_scores(path: Path) -> Iterator[tuple[str, Scores]]:
    """Yield what earlier searches scored; a damaged line costs one setting, which is scored again."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        try:
            entry = json.loads(line)
            yield str(entry["key"]), {str(name): float(value) for name, value in entry["scores"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            continue


def _key(data: str, params: Params) -> str:
    """Identify a setting with the data and the code that it is scored with."""
    return _hash(data, asdict(params.features), asdict(params.train))


def _digest(soft: Soft) -> str:
    return _hash(soft.texts, sha256(np.ascontiguousarray(soft.probabilities).tobytes()).hexdigest())


def _hash(*parts: Any) -> str:  # noqa: ANN401
    return sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:_KEY_DIGITS]


def _value(params: Params, name: str) -> Any:  # noqa: ANN401
    section, _, key = name.partition(".")
    return getattr(getattr(params, section), key)


def _named(setting: Setting) -> str:
    return ", ".join(f"{name}={value}" for name, value in setting.items())
