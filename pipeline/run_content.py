"""What a run shows in the MLflow UI: its name, settings, scores, tags, description and worst errors."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.evaluation import HEADLINES
from pipeline.gate import MACRO, Change
from pipeline.labels import LABELS
from pipeline.params import Params
from pipeline.promotion import Verdict
from pipeline.provenance import Provenance
from pipeline.run_record import RunRecord

EXPERIMENT = "inspection-findings"
REGISTERED_MODEL = "findings"
KEY_TAG = "findings.run_key"
VERSION_TAG = "findings.model_version"
SCORE_TAG = "macro_f1"
TEST_TAG = "data.test"
# The columns of the run list; by itself it would show none of the scores.
LIST_COLUMNS = (
    "metrics.`macro_f1`",
    *(f"metrics.`{label}_f1`" for label in LABELS),
    "metrics.`cv_macro_f1`",
    "tags.`verdict`",
    "tags.`verdict.reason`",
    "tags.`git.commit`",
    "tags.`data.train`",
)
_SHORT = 7


@dataclass(frozen=True)
class RunContent:
    """What a run is to show.

    Attributes:
        name: Its name in the run list.
        description: Markdown.
        params: Settings.
        metrics: Scores, headlines first.
        tags: Tags.
        datasets: Table, hash, source and context ("training", "testing") of each dataset.
        artifacts: File by its path among the artifacts.
    """

    name: str
    description: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    datasets: tuple[tuple[pd.DataFrame, str, str, str], ...] = ()
    artifacts: Mapping[str, Path] | None = None


def run_name(version: str, macro_f1: float | None) -> str:
    """Name a run.

    Args:
        version: Model version.
        macro_f1: Macro F1 on the test side, where it is defined.

    Returns:
        The name in the run list.
    """
    return version[:_SHORT] if macro_f1 is None else f"{version[:_SHORT]} macro F1 {macro_f1:.3f}"


def flat_params(params: Params) -> dict[str, str]:
    """Name every setting by its section.

    Args:
        params: All settings.

    Returns:
        Values by name, such as "train.C" or "register.tolerance.weakness".
    """
    return dict(_flattened(asdict(params), ""))


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
        **{f"verdict.{_score_name(name)}": _difference(change) for name, change in verdict.comparison.items()},
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
            *_comparison_table(verdict),
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
            "In brackets: bootstrap intervals over documents. Under Artifacts: **report.html** (scores, curves, drift, "
            "the worst errors, and where candidate and champion differ), plots, the model card, all scores.",
        ]
    )


def _flattened(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield each setting below a section."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", ", ".join(value) if isinstance(value, list) else str(value)


def _named(part: dict[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    """Yield the defined scores of one set, then its size."""
    for name, score in part["scores"].items():
        for suffix, value in (("", score["value"]), ("_low", score["low"]), ("_high", score["high"])):
            if value is not None:
                yield f"{prefix}{name}{suffix}", float(value)
    yield f"{prefix}sentences", float(part["sentences"])
    yield f"{prefix}documents", float(part["documents"])


def _comparison_table(verdict: Verdict) -> list[str]:
    """Lay out how the candidate differs from the champion, as lines of Markdown; none where they were not compared."""
    if not verdict.comparison:
        return []
    rows = [
        f"| {_score_name(name)} | {change.candidate:.4f} | {change.champion:.4f} | {_difference(change)} |"
        for name, change in verdict.comparison.items()
    ]
    head = f"| on the same test side | {verdict.candidate} | champion {verdict.champion_before} | difference |"
    return [head, "| --- | --- | --- | --- |", *rows, ""]


def _score_name(name: str) -> str:
    """Name a compared score as the metrics do."""
    return name if name == MACRO else f"{name}_f1"


def _difference(change: Change) -> str:
    return f"{change.difference:+.4f} ({change.low:+.4f} to {change.high:+.4f})"


def _value(score: dict[str, Any]) -> str:
    return "not defined" if score["value"] is None else f"{score['value']:.3f}"


def _interval(score: dict[str, Any]) -> str:
    if score["value"] is None or score["low"] is None:
        return _value(score)
    return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"
