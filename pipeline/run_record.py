"""What a run of the pipeline left in its files, put together for logging: settings, scores, tags, description."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.classifier import SentenceClassifier
from pipeline.dataset import load_summary
from pipeline.errors import TrackingError
from pipeline.evaluation import HEADLINES, SCORES_FILE
from pipeline.files import replace_file
from pipeline.labels import LABELS
from pipeline.model_folder import load_model
from pipeline.params import Params
from pipeline.promotion import Verdict
from pipeline.provenance import Provenance

EXPERIMENT = "inspection-findings"
REGISTERED_MODEL = "findings"
KEY_TAG = "findings.run_key"
VERSION_TAG = "findings.model_version"
SCORE_TAG = "macro_f1"
TEST_TAG = "data.test"
_KEY_DIGITS = 16
# The sections of params.yaml that decide what a run shows.
_SECTIONS = ("dataset", "features", "train", "evaluate", "register")
_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Worst errors</title><style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1em; color: #222; background: #fff }
table { border-collapse: collapse } tr { vertical-align: top }
th, td { text-align: left; padding: .35em .6em; border-bottom: 1px solid #ddd }
th { position: sticky; top: 0; background: #fff } td:first-child { min-width: 24em }
</style></head><body>
<p>The {count} worst errors on the test side, the surest first. <b>loss</b>: how far a wrong label's probability lies
from the truth.</p>
{table}
</body></html>
"""
_FIRST = ("text", "truth", "answer", "loss")
_RERUN = "run `dvc repro`"


@dataclass(frozen=True)
class RunRecord:
    """A candidate with all that is known of it.

    Attributes:
        classifier: The candidate; its configuration holds the test scores.
        params: All settings.
        summary: Counts and hashes of the dataset.
        scores: Content of scores.json.
        key: Hash of all that decides the outcome: equal for equal runs on every machine.
    """

    classifier: SentenceClassifier
    params: Params
    summary: dict[str, Any]
    scores: dict[str, Any]
    key: str

    @property
    def version(self) -> str:
        """Version of the candidate."""
        return self.classifier.version

    @property
    def test_sha256(self) -> str:
        """Hash of the test side."""
        return str(self.summary["test"]["sha256"])

    @property
    def train_sha256(self) -> str:
        """Hash of the training side."""
        return str(self.summary["train"]["sha256"])


def read_record(params: Params, candidate: Path, dataset: Path, evaluation: Path) -> RunRecord:
    """Read what the stages before `register` wrote.

    Args:
        params: All settings.
        candidate: Model folder of the candidate.
        dataset: Folder of the dataset stage.
        evaluation: Folder of the evaluate stage.

    Returns:
        The record.

    Raises:
        TrackingError: The scores are missing, or belong to another model or test side.
        ModelError: The candidate cannot be loaded.
        DataError: The dataset is missing.
    """
    classifier = load_model(candidate)
    summary = load_summary(dataset)
    path = evaluation / SCORES_FILE
    try:
        content = path.read_bytes()
        scores: dict[str, Any] = json.loads(content)
        found = (scores["model_version"], scores["test_sha256"])
        test = {name: scores[name] for name in ("sentences", "documents", "scores")}
    except (OSError, ValueError, KeyError, TypeError):
        raise TrackingError(f"{path}: missing or damaged; {_RERUN}.") from None
    expected = (classifier.version, summary["test"]["sha256"])
    if found != expected:
        raise TrackingError(
            f"{path}: scores of model {found[0]} on test side {found[1][:12]}, but {candidate} holds {expected[0]} and "
            f"{dataset} holds {expected[1][:12]}; {_RERUN}."
        )
    config = classifier.config
    scored = replace(config, scores={**config.scores, "test": {**test, "sha256": expected[1]}})
    settings = [asdict(params)[section] for section in _SECTIONS]
    key = sha256(json.dumps([*expected, settings], sort_keys=True).encode() + content).hexdigest()[:_KEY_DIGITS]
    return RunRecord(SentenceClassifier(classifier.pipeline, scored), params, summary, scores, key)


def write_run_file(record: RunRecord, path: Path) -> None:
    """Write the tracked file that leads from a checkout to its run in any MLflow store.

    Args:
        record: The run. The file holds its key and not MLflow's id, which would be another on every machine.
        path: models/run.json.
    """
    content = {
        "experiment": EXPERIMENT,
        "registered_model": REGISTERED_MODEL,
        "run_key": record.key,
        "model_version": record.version,
        "train_sha256": record.train_sha256,
        "test_sha256": record.test_sha256,
    }
    with replace_file(path) as temporary:
        temporary.write_bytes((json.dumps(content, indent=2) + "\n").encode())


def read_run_key(path: Path) -> str:
    """Read the key of the run that a checkout belongs to.

    Args:
        path: models/run.json.

    Returns:
        The key.

    Raises:
        TrackingError: The file is missing or damaged.
    """
    try:
        key = json.loads(path.read_text(encoding="utf-8"))["run_key"]
    except (OSError, ValueError, KeyError, TypeError):
        key = None
    if not isinstance(key, str) or not re.fullmatch(rf"[0-9a-f]{{{_KEY_DIGITS}}}", key):
        raise TrackingError(f"{path}: missing or damaged; {_RERUN}.")
    return key


def flat_params(params: Params) -> dict[str, str]:
    """Name every setting by its section.

    Args:
        params: All settings.

    Returns:
        Values by name, such as "train.C".
    """
    return {
        f"{section}.{name}": ", ".join(value) if isinstance(value, list) else str(value)
        for section, values in asdict(params).items()
        for name, value in values.items()
    }


def flat_metrics(scores: dict[str, Any]) -> dict[str, float]:
    """Name every score that is defined.

    Args:
        scores: Content of scores.json.

    Returns:
        Headlines first, each score with its interval as `_low` and `_high`; then, by document type, the same under
        "type/<document type>/".
    """
    metrics = dict(_named(scores, ""))
    first = {name: metrics[name] for name in HEADLINES if name in metrics}
    by_type = {
        name: value
        for doc_type, part in scores["by_doc_type"].items()
        for name, value in _named(part, f"type/{re.sub(r'[^A-Za-z0-9_. -]', '_', doc_type)}/")
    }
    return {**first, **metrics, **by_type}


def run_tags(record: RunRecord, provenance: Provenance, verdict: Verdict) -> dict[str, str]:
    """Say where a run comes from and how it ended.

    Args:
        record: The run.
        provenance: State of the project.
        verdict: The verdict.

    Returns:
        Tags; those that a person reads in the run list have short names.
    """
    return {
        "verdict": verdict.action,
        "verdict.reason": verdict.reason,
        "git.commit": provenance.git_commit,
        "git.dirty": "yes" if provenance.git_dirty else "no",
        "dvc.lock": provenance.lock_sha256,
        "data.train": record.train_sha256,
        "data.test": record.test_sha256,
        VERSION_TAG: record.version,
        KEY_TAG: record.key,
    }


def describe(record: RunRecord, verdict: Verdict) -> str:
    """Write the description that a run and a model version show in the MLflow UI.

    Args:
        record: The run.
        verdict: The verdict.

    Returns:
        Markdown.
    """
    test = record.scores["scores"]
    rows = []
    for label in LABELS:
        cells = [test[f"{label}_{name}"] for name in ("f1", "precision", "recall")]
        rows.append(f"| {label} | {_interval(cells[0])} | {_value(cells[1])} | {_value(cells[2])} |")
    train, side = record.summary["train"], record.summary["test"]
    return "\n".join(
        [
            f"{verdict.action.capitalize()}: {verdict.reason}.",
            "",
            f"Model `{record.version}` labels sentences of inspection reports: {', '.join(LABELS)}. Trained on "
            f"{train['sentences']:,} sentences of {train['documents']} documents, tested on {side['sentences']:,} "
            f"sentences of {side['documents']} documents that never trained.",
            "",
            f"Macro F1 **{_interval(test['macro_f1'])}**, exact match {_interval(test['exact_match'])}.",
            "",
            "| label | F1 | precision | recall |",
            "| --- | --- | --- | --- |",
            *rows,
            "",
            "In brackets: bootstrap intervals over documents. Under Artifacts: plots, the worst errors "
            "(errors/worst_errors.html), the model card, all scores.",
        ]
    )


def errors_page(errors: Path) -> str:
    """Lay the worst errors out as a page that the MLflow UI shows; its view of a CSV cuts every sentence short.

    Args:
        errors: The CSV file of the evaluate stage.

    Returns:
        HTML; all text from documents is escaped.

    Raises:
        TrackingError: There is no such file, or it is damaged.
    """
    try:
        table = pd.read_csv(errors, keep_default_na=False, dtype=str)
        # What a reader compares stands side by side.
        table = table[[*_FIRST, *(name for name in table.columns if name not in _FIRST)]]
    except (OSError, ValueError, KeyError):
        raise TrackingError(f"{errors}: missing or damaged; {_RERUN}.") from None
    with pd.option_context("display.max_colwidth", None):
        body = table.to_html(index=False, escape=True, border=0)
    return _PAGE.replace("{count}", str(len(table))).replace("{table}", body)


def _named(part: dict[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """Yield the defined scores of one set, then its size."""
    for name, score in part["scores"].items():
        for suffix, value in (("", score["value"]), ("_low", score["low"]), ("_high", score["high"])):
            if value is not None:
                yield f"{prefix}{name}{suffix}", float(value)
    yield f"{prefix}sentences", float(part["sentences"])
    yield f"{prefix}documents", float(part["documents"])


def _value(score: dict[str, Any]) -> str:
    return "not defined" if score["value"] is None else f"{score['value']:.3f}"


def _interval(score: dict[str, Any]) -> str:
    if score["value"] is None or score["low"] is None:
        return _value(score)
    return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"
