"""What a run shows in the MLflow UI: its name, settings, scores, tags, description and worst errors."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from pipeline.evaluation import HEADLINES
from pipeline.gate import MACRO, Change
from pipeline.labels import LABELS, REVIEWED_FOLDER
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
# The columns of the run list with their widths in pixels, in this order; by itself it would show none of the scores.
_WIDTHS = {
    "attributes.`Run Name`": 270,
    "attributes.`Created`": 120,
    "metrics.`macro_f1`": 85,
    **{f"metrics.`{label}_f1`": 106 if label == "commitment" else 92 for label in LABELS},
    "metrics.`cv_macro_f1`": 100,
    "tags.`verdict`": 85,
    "tags.`labels`": 190,
    "tags.`verdict.reason`": 190,
    "tags.`drift`": 150,
    "tags.`git.commit`": 100,
    "tags.`data.train`": 100,
}
LIST_VIEW: Mapping[str, Any] = {
    "selectedColumns": list(_WIDTHS),
    "columnOrder": list(_WIDTHS),
    "columnWidths": _WIDTHS,
}
_SHORT = 7
_LABEL_METRICS = ("precision", "recall", "average_precision", "ece")
_OVERVIEW = ("macro_f1", "exact_match")


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


def flat_metrics(scores: Mapping[str, Any]) -> dict[str, float]:
    """Name the scores that a person compares across runs; scores.json and report.html hold all, with intervals.

    Args:
        scores: Content of scores.json, or the part of it that a model keeps.

    Returns:
        Headlines first: macro F1 with its interval, F1 of each label, and the others. Then, under "label/", "mode/" and
        "type/", those of each label, mode and document type. What is not defined is left out.
    """
    overall = scores["scores"]
    metrics = {name: overall[name]["value"] for name in (MACRO, *(f"{label}_f1" for label in LABELS), *HEADLINES)}
    metrics |= {f"{MACRO}_{end}": overall[MACRO][end] for end in ("low", "high")}
    for label in LABELS:
        for name in _LABEL_METRICS:
            metrics[f"label/{label}_{name}"] = overall[f"{label}_{name}"]["value"]
    for mode, part in scores.get("by_mode", {}).items():
        metrics |= {f"mode/{mode}_{name}": part[name] for name in (*_OVERVIEW, "encoder_share")}
    for doc_type, part in scores.get("by_doc_type", {}).items():
        name = re.sub(r"[^A-Za-z0-9_. -]", "_", doc_type)
        metrics |= {f"type/{name}_{score}": part["scores"][score]["value"] for score in _OVERVIEW}
        metrics[f"type/{name}_sentences"] = part["sentences"]
    metrics |= {f"test_{name}": scores[name] for name in ("sentences", "documents")}
    return {name: float(value) for name, value in metrics.items() if value is not None}


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
        "labels": label_sources(record.summary["train"]["sources"]),
        "git.commit": provenance.git_commit,
        "git.dirty": "yes" if provenance.git_dirty else "no",
        "dvc.lock": provenance.lock_sha256,
        "data.train": record.train_sha256,
        "data.test": record.test_sha256,
        VERSION_TAG: record.version,
        KEY_TAG: record.key,
    }


def label_sources(by_file: Mapping[str, int]) -> str:
    """Count labels by where they come from.

    A label file is called after its source, up to the first hyphen; answers of reviewers lie in a folder of their own.

    Args:
        by_file: Number of labelled sentences by label file.

    Returns:
        Such as "public 8,415, authored 3,878, reviewed 60": the most first.
    """
    counts: Counter[str] = Counter()
    for name, count in by_file.items():
        path = PurePosixPath(name)
        counts[REVIEWED_FOLDER if REVIEWED_FOLDER in path.parts else path.stem.partition("-")[0]] += count
    return ", ".join(f"{source} {count:,}" for source, count in counts.most_common())


def describe(record: RunRecord, verdict: Verdict) -> str:
    """Write the description that a run and a model version show in the MLflow UI.

    Args:
        record: The run.
        verdict: The verdict.

    Returns:
        Markdown; the first lines, which the UI shows unasked, say the most.
    """
    train = record.summary["train"]
    return "\n".join(
        [
            # The list of versions shows these words as they are, Markdown and all.
            f"{verdict.action.capitalize()}: {verdict.reason}.",
            "",
            *_describe_scores(record.scores),
            *_describe_comparison(verdict),
            f"Model `{record.version}` learned from {train['sentences']:,} labelled sentences of {train['documents']} "
            f"documents ({label_sources(train['sources'])}). Its run has **report.html** under Artifacts: scores, "
            "curves, drift, the worst errors, and where candidate and champion differ.",
        ]
    )


def describe_champion(version: str, test: Mapping[str, Any] | None) -> str:
    """Write the description of a champion that another machine trained.

    Args:
        version: Its version.
        test: Its scores on the test side of that time; None where it has none.

    Returns:
        Markdown.
    """
    origin = "It was trained on another machine and taken from the repository, so its run here has no report."
    return "\n".join([f"Champion {version}. {origin}", "", *(_describe_scores(test) if test else [])])


def _describe_scores(scores: Mapping[str, Any]) -> list[str]:
    """Lay out the headline scores as lines of Markdown: a list, since the UI sets tables without space."""
    found = scores["scores"]
    return [
        f"Macro F1 **{_interval(found[MACRO])}**, exact match {_interval(found['exact_match'])}, on "
        f"{scores['sentences']:,} sentences of {scores['documents']} documents that never trained (in brackets: "
        "bootstrap intervals over documents).",
        "",
        *(
            f"- {label}: F1 **{_interval(found[f'{label}_f1'])}**, precision {_value(found[f'{label}_precision'])}, "
            f"recall {_value(found[f'{label}_recall'])}"
            for label in LABELS
        ),
        "",
    ]


def _flattened(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    """Yield each setting below a section."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flattened(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", ", ".join(value) if isinstance(value, list) else str(value)


def _describe_comparison(verdict: Verdict) -> list[str]:
    """Lay out how the candidate differs from the champion, as lines of Markdown; none where they were not compared."""
    if not verdict.comparison:
        return []
    rows = [
        f"- {_score_name(name)}: {change.candidate:.4f}, champion {change.champion:.4f}, difference "
        f"**{_difference(change)}**"
        for name, change in verdict.comparison.items()
    ]
    return [f"Beside champion `{verdict.champion_before}` on the same test side:", "", *rows, ""]


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
