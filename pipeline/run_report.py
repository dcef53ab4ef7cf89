"""The report of a run: all that a person needs to judge a candidate, as one page."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.classifier import PROBABILITY_COLUMNS
from pipeline.drift import DRIFT_FILE, read_drift
from pipeline.errors import TrackingError
from pipeline.evaluation import ERRORS_FILE, HEADLINES
from pipeline.gate import MACRO
from pipeline.html.pages import render_run
from pipeline.html.views import ErrorView, FigureView, ModelNote, RivalView, RunView
from pipeline.labels import LABELS, format_labels
from pipeline.promotion import Verdict
from pipeline.reference import ALL
from pipeline.run_record import RunRecord
from pipeline.scores import Scored

_ERRORS = 50
_RIVALS = 200  # sentences on which two models differ; more than that nobody reads in one go
_PLACE = ("text", "report", "page", "section")
_ERROR_COLUMNS = (*_PLACE, "truth", "answer")
_LABEL_SCORES = ("f1", "precision", "recall", "average_precision", "brier", "ece")
_NAMES = {
    "macro_f1": "macro F1",
    "micro_f1": "micro F1",
    "f1": "F1",
    "brier": "Brier score",
    "ece": "calibration error",
}
_TITLES = {
    "learning_curve": "Learning curve",
    "precision_recall": "Precision and recall",
    "calibration": "Calibration",
    "confusion": "Confusion",
}
CANDIDATE, CHAMPION, NEITHER = "candidate", "champion", "neither"


def find_differences(table: pd.DataFrame, candidate: Scored, champion: Scored) -> pd.DataFrame:
    """List the sentences to which two models give different labels.

    Args:
        table: The sentences, with `text`, `report`, `page` and `section`.
        candidate: Truth and the candidate's answers, row by row.
        champion: The same of the champion.

    Returns:
        text, report, page, section, truth, `candidate` and `champion` (labels), `right` (which of them is, or neither),
        and `gap`, the greatest distance of their probabilities; the widest gap first.
    """
    differ = np.flatnonzero((candidate.chosen != champion.chosen).any(axis=1))
    gap = np.abs(candidate.probabilities - champion.probabilities).max(axis=1)
    order = differ[np.argsort(-gap[differ], kind="stable")]
    # They differ, so that at most one of them is right.
    ours, theirs = ((scored.chosen == scored.truth).all(axis=1)[order] for scored in (candidate, champion))
    return pd.DataFrame(
        {
            **{name: table[name].fillna("").to_numpy()[order] for name in _PLACE},
            "truth": [format_labels(mask) for mask in candidate.truth[order]],
            CANDIDATE: [format_labels(mask) for mask in candidate.chosen[order]],
            CHAMPION: [format_labels(mask) for mask in champion.chosen[order]],
            "right": np.select([ours, theirs], [CANDIDATE, CHAMPION], NEITHER),
            "gap": gap[order].round(4),
        }
    )


def write_run_report(
    record: RunRecord,
    verdict: Verdict,
    figures: Sequence[Path],
    evaluation: Path,
    differences: pd.DataFrame | None,
    path: Path,
) -> None:
    """Write the page.

    Args:
        record: The run.
        verdict: What came of it.
        figures: PNG files.
        evaluation: Folder of the evaluate stage.
        differences: What `find_differences` found; None where there was no champion to compare with.
        path: HTML file to write; it needs no other file, no script and no network.

    Raises:
        TrackingError: A file of the evaluate stage is missing or damaged.
    """
    errors = _read_errors(evaluation / ERRORS_FILE)
    drift, warnings = read_drift(evaluation / DRIFT_FILE, _drift_rows, "dvc repro")
    scores = record.scores
    label_rows = [
        (label, f"{scores['scores'][f'{label}_support']['value']:,.0f}", *_cells(scores, label)) for label in LABELS
    ]
    view = RunView(
        model=ModelNote(record.version, dict(zip(LABELS, record.classifier.thresholds, strict=True))),
        action=verdict.action,
        reason=verdict.reason,
        test=(scores["sentences"], scores["documents"]),
        training=(record.summary["train"]["sentences"], record.summary["train"]["documents"]),
        champion=verdict.champion_before,
        changes=[
            (
                _name(name) if name == MACRO else f"{name} F1",
                f"{change.candidate:.4f}",
                f"{change.champion:.4f}",
                f"{change.difference:+.4f}",
                f"{change.low:+.4f} to {change.high:+.4f}",
            )
            for name, change in verdict.comparison.items()
        ],
        headlines=[(_name(name), interval(scores["scores"][name])) for name in HEADLINES],
        label_scores=[_name(name) for name in _LABEL_SCORES],
        labels=label_rows,
        modes=[(mode, *_mode_cells(part)) for mode, part in scores["by_mode"].items()],
        types=[
            (name.replace("_", " "), f"{part['sentences']:,}", f"{part['documents']:,}", *_type_cells(part))
            for name, part in scores["by_doc_type"].items()
        ],
        figures=[_figure(path) for path in sorted(figures, key=lambda path: list(_TITLES).index(path.stem))],
        errors=errors,
        rivals=_rivals(differences),
        rival_counts=_rival_counts(differences),
        drift=drift,
        warnings=warnings,
    )
    path.write_text(render_run(view), encoding="utf-8")


def interval(score: Mapping[str, Any]) -> str:
    """Write a score with its interval.

    Args:
        score: value, low and high, each perhaps None.

    Returns:
        Such as ".894 (.878 to .909)"; a dash where it is not defined.
    """
    if score["value"] is None:
        return "–"
    if score["low"] is None:
        return f"{score['value']:.3f}"
    return f"{score['value']:.3f} ({score['low']:.3f} to {score['high']:.3f})"


def _cells(scores: Mapping[str, Any], label: str) -> list[str]:
    return [interval(scores["scores"][f"{label}_{name}"]) for name in _LABEL_SCORES]


def _mode_cells(part: Mapping[str, Any]) -> list[str]:
    macro = {"value": part["macro_f1"], "low": part["macro_f1_low"], "high": part["macro_f1_high"]}
    names = ("exact_match", *(f"{label}_f1" for label in LABELS), "ece")
    return [interval(macro), *(_short(part[name]) for name in names), f"{part['encoder_share']:.0%}"]


def _type_cells(part: Mapping[str, Any]) -> list[str]:
    # Of one document there are no others to draw.
    several = part["documents"] > 1
    found = [part["scores"][name] for name in ("macro_f1", "exact_match")]
    return [interval(score if several else {**score, "low": None}) for score in found]


def _name(score: str) -> str:
    return _NAMES.get(score, score.replace("_", " "))


def _short(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _figure(path: Path) -> FigureView:
    return FigureView(_TITLES[path.stem], f"data:image/png;base64,{b64encode(path.read_bytes()).decode()}")


def _read_errors(path: Path) -> list[ErrorView]:
    try:
        table = pd.read_csv(path, keep_default_na=False, dtype=str)[[*_ERROR_COLUMNS, *PROBABILITY_COLUMNS]]
        return [
            ErrorView(
                text=row["text"],
                report=row["report"],
                page=row["page"],
                section=row["section"],
                truth=row["truth"],
                answer=row["answer"],
                chances=[f"{float(row[name]):.0%}" for name in PROBABILITY_COLUMNS],
            )
            for row in table.head(_ERRORS).to_dict("records")
        ]
    except (OSError, ValueError, KeyError):
        raise TrackingError(f"{path}: missing or damaged; run `dvc repro`.") from None


def _drift_rows(drift: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    shares, near = drift["label_shares"], drift["near_threshold"]
    words, shift = drift["unknown_words"], drift["population_stability"]
    return [
        ("words never seen in training", f"{words['now']:.1%}", f"{words['training']:.1%}"),
        *(
            (f"sentences with {label}", f"{shares['now'][ALL][label]:.1%}", f"{shares['training'][ALL][label]:.1%}")
            for label in LABELS
        ),
        *(
            (f"close calls for {label}", f"{near['now'][label]:.1%}", f"{near['training'][label]:.1%}")
            for label in LABELS
        ),
        *((f"population stability index of {label}", f"{shift[label]:.2f}", "0") for label in LABELS),
    ]


def _rivals(differences: pd.DataFrame | None) -> list[RivalView]:
    if differences is None:
        return []
    names = (*_PLACE, "truth", CANDIDATE, CHAMPION, "right")
    return [RivalView(*(row[name] for name in names)) for row in differences.head(_RIVALS).to_dict("records")]


def _rival_counts(differences: pd.DataFrame | None) -> dict[str, int] | None:
    if differences is None:
        return None
    return {name: int((differences["right"] == name).sum()) for name in (CANDIDATE, CHAMPION, NEITHER)}
