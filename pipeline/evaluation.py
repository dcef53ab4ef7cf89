"""Evaluation: a model's scores on labelled sentences, its worst errors, and the tables behind the plots."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from pipeline.classifier import PROBABILITY_COLUMNS, SentenceClassifier
from pipeline.csv_tables import write_csv
from pipeline.curves import plot_tables
from pipeline.dataset import load_side, load_summary
from pipeline.drift import DRIFT_FILE, DriftMeter, prose_rows, write_drift
from pipeline.errors import DataError
from pipeline.files import json_bytes, replace_file, replace_folder
from pipeline.labels import LABELS, format_labels, label_matrix, read_labels
from pipeline.model_folder import load_model, load_reference
from pipeline.modes import Mode
from pipeline.params import EvaluateParams, Params
from pipeline.scores import Scored, scores_with_intervals

SCORES_FILE = "scores.json"
ERRORS_FILE = "errors.csv"
# What `dvc metrics` shows; everything else stands in scores.json.
HEADLINES = ("macro_f1", "micro_f1", "exact_match", "brier", "ece")
LABEL_HEADLINES = ("f1", "precision", "recall")
_WORST_ERRORS = 200
_DIGITS = 4


def evaluate_candidate(
    params: Params, model: Path, dataset: Path, metrics: Path, evaluation: Path, plots: Path
) -> dict[str, Any]:
    """Score a model on the test side and write metrics, scores, errors and plot tables.

    Args:
        params: All settings.
        model: Model folder.
        dataset: Folder that the dataset stage wrote.
        metrics: JSON file for the headline scores.
        evaluation: Folder for all scores and the worst errors.
        plots: Folder for the tables behind the plots.

    Returns:
        The content of scores.json.

    Raises:
        DataError: The test side is missing or empty.
        ModelError: The model cannot be loaded.
    """
    classifier = load_model(model)
    table = load_side(dataset, "test")
    modes = Mode if classifier.encoder is not None else (Mode.fast,)
    if classifier.encoder is not None:
        classifier.encoder.keep_answers()
    by_mode = {mode: score_table(classifier.in_mode(mode), table) for mode in modes}
    scored = by_mode[classifier.mode]
    overall = all_scores(scored, params.evaluate)
    result = {
        "model_version": classifier.version,
        "test_sha256": load_summary(dataset)["test"]["sha256"],
        "mode": classifier.mode.value,
        **overall,
        "by_mode": mode_scores(classifier, table, by_mode, overall["scores"], params.evaluate),
    }
    with replace_folder(evaluation) as folder:
        (folder / SCORES_FILE).write_bytes(json_bytes(result))
        worst = worst_errors(table, scored)
        write_csv(folder / ERRORS_FILE, worst.columns, worst.itertuples(index=False))
        write_drift(_drift(classifier, model, table, scored), folder / DRIFT_FILE)
    with replace_folder(plots) as folder:
        for name, rows in plot_tables(scored, params.evaluate).items():
            rows.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
    with replace_file(metrics) as temporary:
        temporary.write_bytes(json_bytes(headline_metrics(result)))
    return result


def evaluate_file(params: EvaluateParams, model: Path, data: Path, mode: str | None = None) -> dict[str, Any]:
    """Score a model on a file of labelled sentences.

    Args:
        params: The section `evaluate` of params.yaml.
        model: Model folder.
        data: .csv or .jsonl with the columns `text` and `labels`, and optionally `report` and `doc_type`.
        mode: Who reads the sentences; by default the model's usual mode.

    Returns:
        Model version, mode, number of sentences and documents, all scores with intervals, also by document type.

    Raises:
        DataError: The file is not as described.
        ModelError: The model cannot be loaded.
    """
    classifier = load_model(model, mode)
    table = read_labels([data], need_report=False)
    table = table[table["text"].notna()].reset_index(drop=True)
    if table.empty:
        raise DataError(f"{data}: no row with a text; expected the columns 'text' and 'labels'.")
    table["document"] = table["report"].fillna(table["report_id"])
    if table["document"].isna().any():
        table = table.drop(columns="document")
    scores = all_scores(score_table(classifier, table), params)
    return {"model_version": classifier.version, "mode": classifier.mode.value, **scores}


def score_table(classifier: SentenceClassifier, table: pd.DataFrame) -> Scored:
    """Apply a model to labelled sentences.

    Args:
        classifier: The model.
        table: Columns `text`, one a label, and optionally `document` and `doc_type`; without `document`, each row
            counts as a document of its own.

    Returns:
        Truth and answers, row by row.
    """
    predicted = classifier.predict(table["text"].tolist())
    rows = len(table)
    return Scored(
        truth=label_matrix(table),
        probabilities=predicted[list(PROBABILITY_COLUMNS)].to_numpy(dtype=float),
        chosen=label_matrix(predicted),
        documents=table["document"].to_numpy(dtype=object) if "document" in table else np.arange(rows),
        doc_types=table["doc_type"].fillna("unknown").to_numpy(dtype=object)
        if "doc_type" in table
        else np.full(rows, "unknown", dtype=object),
    )


def all_scores(scored: Scored, params: EvaluateParams) -> dict[str, Any]:
    """Compute the scores of all sentences, and of each document type.

    Args:
        scored: Truth and answers.
        params: The section `evaluate` of params.yaml.

    Returns:
        `sentences`, `documents`, `scores`, and `by_doc_type` with the same three for each type.
    """
    types = sorted(set(scored.doc_types.tolist()))
    return {
        **_scores_of(scored, params),
        "by_doc_type": {name: _scores_of(scored.of_type(name), params) for name in types},
    }


def mode_scores(
    classifier: SentenceClassifier,
    table: pd.DataFrame,
    by_mode: Mapping[Mode, Scored],
    usual: Mapping[str, Any],
    params: EvaluateParams,
) -> dict[str, dict[str, float | None]]:
    """Score a model in each of its modes.

    Args:
        classifier: The model.
        table: As `score_table` takes it.
        by_mode: What `score_table` returned in each mode.
        usual: Scores with intervals in the model's own mode.
        params: The section `evaluate` of params.yaml.

    Returns:
        By mode: the headline scores, F1 and calibration error of each label, the interval of macro F1 (`macro_f1_low`,
        `macro_f1_high`), and `encoder_share`, the share of the sentences that the encoder read.
    """
    names = [*HEADLINES, *(f"{label}_{name}" for label in LABELS for name in ("f1", "ece"))]
    scores = {}
    for mode, scored in by_mode.items():
        found = usual if mode == classifier.mode else scores_with_intervals(scored, params)
        share = round(float(classifier.in_mode(mode).unsure(table["text"].tolist()).mean()), _DIGITS)
        scores[mode.value] = {
            **{name: found[name]["value"] for name in names},
            **{f"macro_f1_{end}": found["macro_f1"][end] for end in ("low", "high")},
            "encoder_share": share,
        }
    return scores


def headline_metrics(result: dict[str, Any]) -> dict[str, Any]:
    """Pick the few numbers that a person compares first.

    Args:
        result: As `evaluate_candidate` returns it.

    Returns:
        Nested numbers for metrics.json.
    """
    scores = result["scores"]
    return {
        **{name: scores[name]["value"] for name in HEADLINES},
        "macro_f1_low": scores["macro_f1"]["low"],
        "macro_f1_high": scores["macro_f1"]["high"],
        "macro_f1_by_mode": {mode: part["macro_f1"] for mode, part in result["by_mode"].items()},
        **{label: {name: scores[f"{label}_{name}"]["value"] for name in LABEL_HEADLINES} for label in LABELS},
        "test": {"sentences": result["sentences"], "documents": result["documents"]},
    }


def worst_errors(table: pd.DataFrame, scored: Scored) -> pd.DataFrame:
    """List the wrong answers, the surest first.

    Args:
        table: The sentences.
        scored: Truth and answers of the same rows.

    Returns:
        At most 200 rows: text, report, document, page, section, truth, answer, probabilities, and `loss`, the greatest
        distance of a wrong label's probability from the truth.
    """
    wrong = scored.truth != scored.chosen
    loss = np.where(wrong, np.abs(scored.truth - scored.probabilities), 0).max(axis=1)
    order = np.argsort(-loss, kind="stable")[: min(_WORST_ERRORS, int(wrong.any(axis=1).sum()))]
    errors = pd.DataFrame(
        {
            "text": table["text"].to_numpy()[order],
            "report": table["report"].to_numpy()[order],
            "document": scored.documents[order],
            "page": table["page"].to_numpy()[order],
            "section": table["section"].to_numpy()[order],
            "truth": [format_labels(mask) for mask in scored.truth[order]],
            "answer": [format_labels(mask) for mask in scored.chosen[order]],
        }
    )
    for rank, name in enumerate(PROBABILITY_COLUMNS):
        errors[name] = scored.probabilities[order, rank]
    errors["loss"] = np.round(loss[order], _DIGITS)
    return errors


def render_scores(result: dict[str, Any]) -> str:
    """Lay scores out for a terminal.

    Args:
        result: As `evaluate_candidate` or `evaluate_file` returns it.

    Returns:
        A line for the whole and a line a label, each score with its interval.
    """

    def cell(name: str) -> str:
        score = result["scores"][name]
        if score["value"] is None:
            return "-"
        return f"{score['value']:.3f} ({score['low']:.3f}-{score['high']:.3f})"

    columns = ("precision", "recall", "f1", "average_precision", "brier", "ece")
    lines = [
        f"model {result['model_version']}, mode {result['mode']}: {result['sentences']:,} sentences of "
        f"{result['documents']:,} documents"
    ]
    lines += [f"  {name.replace('_', ' '):<12} {cell(name)}" for name in HEADLINES]
    lines.append("")
    lines.append(f"{'':<11}{'support':>8}" + "".join(f"  {name.replace('_', ' '):<20}" for name in columns).rstrip())
    for label in LABELS:
        support = result["scores"][f"{label}_support"]["value"]
        cells = "".join(f"  {cell(f'{label}_{name}'):<20}" for name in columns).rstrip()
        lines.append(f"{label:<11}{support:>8.0f}{cells}")
    for mode, part in result.get("by_mode", {}).items():
        lines.append(
            f"{'' if mode != Mode.fast else chr(10)}  mode {mode:<9} macro F1 {part['macro_f1']}, exact match "
            f"{part['exact_match']}, encoder read {part['encoder_share']:.0%}"
        )
    others = {name: part for name, part in result["by_doc_type"].items() if len(result["by_doc_type"]) > 1}
    if others:
        lines.append("")
        lines += [
            f"  {name:<18} macro F1 {part['scores']['macro_f1']['value']}, exact match "
            f"{part['scores']['exact_match']['value']} ({part['sentences']:,} sentences)"
            for name, part in others.items()
        ]
    return "\n".join(lines)


def _drift(classifier: SentenceClassifier, model: Path, table: pd.DataFrame, scored: Scored) -> dict[str, Any]:
    """Compare the test side, whose documents never trained, with the training side."""
    meter = DriftMeter(classifier, load_reference(model))
    known = {name: table[name].tolist() for name in ("text", "kind", "doc_type")}
    chances = dict(zip(PROBABILITY_COLUMNS, scored.probabilities.T, strict=True))
    findings = pa.Table.from_pydict({**known, **chances})
    _, words = classifier.scorer.score_and_count(table["text"].to_numpy()[prose_rows(findings)].tolist())
    meter.add(findings, *words.sum(axis=0).tolist())
    return meter.measure()


def _scores_of(scored: Scored, params: EvaluateParams) -> dict[str, Any]:
    return {
        "sentences": len(scored.truth),
        "documents": len(set(scored.documents.tolist())),
        "scores": scores_with_intervals(scored, params),
    }
