"""What the accuracy benchmarks read: the dataset, the benchmark on real text, the store of sentences, the model."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pipeline.classifier import SentenceClassifier
from pipeline.dataset import load_side, side_of
from pipeline.extract import load_manifest, load_sentences
from pipeline.files import report_id_of
from pipeline.labels import LABELS, read_labels
from pipeline.model_folder import load_model
from pipeline.modes import Mode
from pipeline.params import Params, load_params
from pipeline.scorer import Floats
from pipeline.scores import Scored, point_scores
from pipeline.soft_labels import load_soft_labels

PUBLIC = "public"
AUTHORED = "authored"


@dataclass(frozen=True)
class Material:
    """Where everything lies; each part is read once.

    Attributes:
        project: The project's folder, for params.yaml.
        data: Folder that holds dataset/, sentences/, reports/ and soft_labels.parquet.
        model: Model folder.
        shared: Folder of real reports and their labels, beside the project.
        base: Folder or hub name of base weights for a transformer to compare with.
    """

    project: Path
    data: Path
    model: Path
    shared: Path
    base: str | None = None

    @cached_property
    def params(self) -> Params:
        """All settings."""
        return load_params(self.project / "params.yaml")

    @cached_property
    def train(self) -> pd.DataFrame:
        """The training side, with the column `origin`: public or authored."""
        return _with_origin(load_side(self.data / "dataset", "train"))

    @cached_property
    def test(self) -> pd.DataFrame:
        """The test side, with the columns `origin` and `era`."""
        table = _with_origin(load_side(self.data / "dataset", "test"))
        eras = {entry["report_id"]: era(entry["details"]) for entry in self.manifest}
        return table.assign(era=table["document"].map(eras).fillna(""))

    @cached_property
    def dev(self) -> pd.DataFrame | None:
        """The benchmark on real text, with `document` and the column `side` of its report; None where it is not."""
        path = self.shared / "gold" / "dev.csv"
        if not path.is_file():
            return None
        table = read_labels([path], need_report=False)
        hashes = {name: report_id_of(self.shared / "reports" / name) for name in table["report"].unique()}
        table["document"] = table["report"].map(hashes)
        table["side"] = [side_of(name, self.params.dataset.test_share) for name in table["document"]]
        return table

    @cached_property
    def manifest(self) -> list[dict[str, Any]]:
        """Entries of the store's manifest that belong to files in data/reports."""
        entries = load_manifest(self.data / "sentences")["reports"]
        return [entry for entry in entries if (self.data / "reports" / entry["report"]).is_file()]

    @cached_property
    def sentences(self) -> pd.DataFrame:
        """Every sentence of the reports in data/reports."""
        table = load_sentences(self.data / "sentences")
        return table[table["report_id"].isin({entry["report_id"] for entry in self.manifest})].reset_index(drop=True)

    @cached_property
    def prose(self) -> list[str]:
        """Those of them that a reader of a report would read: paragraphs and bullets."""
        chosen: list[str] = self.sentences.loc[self.sentences["kind"].isin(["paragraph", "bullet"]), "text"].tolist()
        return chosen

    @cached_property
    def classifier(self) -> SentenceClassifier:
        """The model in its usual mode; its encoder reads with one thread, so that its times are those of a core."""
        model = load_model(self.model)
        if model.encoder is not None:
            model.encoder.threads = 1
        return model

    @property
    def modes(self) -> tuple[Mode, ...]:
        """The modes in which the model can answer."""
        return tuple(Mode) if self.classifier.encoder is not None else (Mode.fast,)

    def answers(self, table: pd.DataFrame, mode: Mode) -> Floats:
        """Give the model's probabilities for sentences of the store, from the stored answers of its encoder."""
        reader = self.classifier.in_mode(mode)
        scores = reader.scorer.score(table["text"].tolist())
        cascade = reader.config.cascade
        if mode is Mode.fast or cascade is None:
            return reader.linear_probabilities(scores)
        stored, version = load_soft_labels(self.data / "soft_labels.parquet")
        if version != cascade.encoder:
            return reader.predict_proba(table["text"].tolist())
        both = cascade.probabilities(stored.loc[table["key"], list(LABELS)].to_numpy(dtype=float), scores)
        plain = reader.linear_probabilities(scores)
        read = np.ones(len(scores), dtype=bool) if mode is Mode.accurate else cascade.unsure(plain)
        return np.where(read[:, None], both, plain)


def era(details: dict[str, Any]) -> str:
    """Name the generation of a report: care leavers have a judgement of their own under ILACS since 2023."""
    date = details["inspection_start"] or details["published"] or ""
    if details["framework"] != "ILACS":
        return details["framework"] or ""
    if not date:
        return "ILACS, undated"
    return "ILACS since 2023" if date >= "2023" else "ILACS before 2023"


def scored_of(truth: Any, probabilities: Floats, thresholds: Floats) -> Scored:  # noqa: ANN401
    """Put truth and probabilities together, each sentence a document of its own."""
    rows = len(probabilities)
    return Scored(truth, probabilities, probabilities >= thresholds, np.arange(rows), np.full(rows, ""))


def take(scored: Scored, rows: Any) -> Scored:  # noqa: ANN401
    """Take some of the sentences."""
    return Scored(
        *(getattr(scored, name)[rows] for name in ("truth", "probabilities", "chosen", "documents", "doc_types"))
    )


def score_cells(scored: Scored, bins: int) -> list[str]:
    """Give F1 by label, macro F1, exact match and calibration error as cells of a table."""
    points = point_scores(scored, bins)
    names = (*(f"{label}_f1" for label in LABELS), "macro_f1", "exact_match", "ece")
    return [number(points[name]) for name in names]


SCORE_HEADS = (*(f"{label} F1" for label in LABELS), "macro F1", "exact match", "ECE")


def number(value: float | None, digits: int = 3) -> str:
    """Write a score without the leading zero; a dash where it is not defined."""
    if value is None or np.isnan(value):
        return "-"
    text = f"{value:.{digits}f}"
    return text.replace("0.", ".", 1) if text.lstrip("-").startswith("0.") else text


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table whose first column is text and the others are numbers."""
    lines = [f"| {' | '.join(heads)} |", f"| {' | '.join(['---', *['---:'] * (len(heads) - 1)])} |"]
    return [*lines, *(f"| {' | '.join(row)} |" for row in rows)]


def _with_origin(table: pd.DataFrame) -> pd.DataFrame:
    by_key = table["source"].str.contains("public")
    return table.assign(origin=by_key.map({True: PUBLIC, False: AUTHORED}))


def model_line(model: Path) -> str:
    """Name the model and its version."""
    version = json.loads((model / "config.json").read_text(encoding="utf-8")).get("version", "unknown")
    return f"model {version} ({model.name})"
