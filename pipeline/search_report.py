"""What a parameter search found: a table for a terminal, rows for a spreadsheet, and runs for MLflow."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipeline.labels import LABELS
from pipeline.params import Params
from pipeline.provenance import Provenance
from pipeline.run_content import KEY_TAG, RunContent
from pipeline.search_space import Setting
from pipeline.text_table import align_columns

Scores = dict[str, float]
HEADLINES = ("macro_f1", *(f"{label}_f1" for label in LABELS), "exact_match")
# Scores by cross-validation stand in columns of their own in the run list: those without prefix are of the test side.
METRIC_PREFIX = "cv_"
_SHOWN = 20
_SOURCE = {"mlflow.source.name": "findings search"}


@dataclass(frozen=True)
class Result:
    """One setting with its scores.

    Attributes:
        key: Identifies setting, data and code.
        setting: Values by full name.
        scores: `HEADLINES`, macro F1 by fold, and `seconds`.
    """

    key: str
    setting: Setting
    scores: Scores


@dataclass
class SearchReport:
    """The settings that were scored so far.

    Attributes:
        present: The settings of params.yaml, for the names that were searched.
        varied: Names of which another value was tried.
        key: Identifies the search.
        sha256: Hash of the training side.
        sentences: Labelled sentences.
        soft_sentences: Sentences, and copies of some, that the encoder labelled.
        folds: Folds over providers.
        margin: Gain in macro F1 that a candidate needs to become champion.
        provenance: State of the project.
        path: CSV file with all results.
        results: What was scored, in the order of scoring.
        failures: Settings that could not be scored, with the reason.
        run_id: Parent run in the MLflow store; None where it could not be logged.
        trouble: Why it could not.
    """

    present: Setting
    varied: tuple[str, ...]
    key: str
    sha256: str
    sentences: int
    soft_sentences: int
    folds: int
    margin: float
    provenance: Provenance
    path: Path
    results: list[Result] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    run_id: str | None = None
    trouble: str = ""

    def add(self, key: str, setting: Setting, scores: Scores) -> None:
        """Add a setting.

        Args:
            key: Identifies setting, data and code.
            setting: Values by full name.
            scores: Its scores.
        """
        self.results.append(Result(key, setting, scores))

    @property
    def ranked(self) -> list[Result]:
        """The results, the best macro F1 first; of equal ones the one scored first."""
        return sorted(self.results, key=lambda one: -one.scores["macro_f1"])

    @property
    def best(self) -> Result:
        """The setting with the best macro F1; on a tie the present one."""
        return self.ranked[0]

    @property
    def baseline(self) -> Result:
        """The settings of params.yaml."""
        return next(one for one in self.results if one.setting == self.present)

    def rows(self) -> list[list[Any]]:
        """Lay out all results, the best first, below a head: settings, scores, and in how many folds each is better."""
        head = ["present", *self.varied, *HEADLINES, "better_folds", *map(fold_score, range(self.folds)), "seconds"]
        return [
            head,
            *(
                [
                    one.setting == self.present,
                    *(one.setting[name] for name in self.varied),
                    *(one.scores.get(name) for name in HEADLINES),
                    self.better_folds(one),
                    *(one.scores.get(fold_score(fold)) for fold in range(self.folds)),
                    one.scores["seconds"],
                ]
                for one in self.ranked
            ),
        ]

    def better_folds(self, result: Result) -> int:
        """Count the folds in which a setting has a higher macro F1 than the present one."""
        names = [fold_score(fold) for fold in range(self.folds)]
        base = self.baseline.scores
        return sum(result.scores.get(name, 0) > base.get(name, 0) for name in names)

    def advice(self) -> str:
        """Say which setting is best, by how much, and how to adopt it."""
        best, base = self.best, self.baseline
        if best is base:
            return f"None of the {len(self.results)} settings is better than the present one; params.yaml can stay."
        gain = best.scores["macro_f1"] - base.scores["macro_f1"]
        changed = {name: value for name, value in best.setting.items() if value != self.present[name]}
        small = f" That is less than a new champion must gain (register.margin, {self.margin})."
        return (
            f"Best: {_listed(changed)}: macro F1 {gain:+.4f}, higher in {self.better_folds(best)} of {self.folds} "
            f"folds.{small if gain < self.margin else ''} To adopt it, set these values in params.yaml and run "
            "`dvc repro`: the test side then decides whether the candidate becomes champion. The best of many settings "
            "looks a little better than it is."
        )

    def summary(self) -> str:
        """Show the best settings and the present one, the advice, and where the rest lies."""
        shown = self.ranked[:_SHOWN]
        if self.baseline not in shown:
            shown.append(self.baseline)
        heads = [*(name.partition(".")[2] for name in self.varied), "macro F1", *(f"{label} F1" for label in LABELS)]
        rows = [["", *heads, "exact match", "better folds", "seconds"]]
        rows += [
            [
                "present" if one.setting == self.present else "",
                *(str(one.setting[name]) for name in self.varied),
                *(_number(one.scores.get(name)) for name in HEADLINES),
                "" if one.setting == self.present else f"{self.better_folds(one)} of {self.folds}",
                f"{one.scores['seconds']:.0f}",
            ]
            for one in shown
        ]
        logged = (
            f"MLflow run {self.run_id}" if self.run_id else f"not in MLflow ({self.trouble}); the next search logs it"
        )
        lines = [align_columns(rows), "", self.advice(), f"{len(self.results)} settings: {self.path}, {logged}"]
        return "\n".join([*lines, *(f"not scored: {line}" for line in self.failures)])


def fold_score(fold: int) -> str:
    """Name the macro F1 of a fold.

    Args:
        fold: Its number, from 0.

    Returns:
        The name, counted from 1.
    """
    return f"fold_{fold + 1}_macro_f1"


def parent_content(report: SearchReport) -> RunContent:
    """Write what the run above all settings shows.

    Args:
        report: What was found by now; at least the present settings.

    Returns:
        Scores of the best setting, all results as a table, and how to adopt the best.
    """
    taught = f"{report.sentences:,} labelled and {report.soft_sentences:,} soft-labelled sentences and copies"
    cells = ["| " + " | ".join([*(f"`{name}`" for name in report.varied), *HEADLINES, "better folds"]) + " |"]
    cells.append("| " + " | ".join(["---"] * (len(report.varied) + len(HEADLINES) + 1)) + " |")
    for one in report.ranked[:_SHOWN]:
        values = [*(str(one.setting[name]) for name in report.varied), *(_number(one.scores.get(n)) for n in HEADLINES)]
        last = "present" if one.setting == report.present else str(report.better_folds(one))
        cells.append(f"| {' | '.join([*values, last])} |")
    about = (
        f"Parameter search on the training side: {report.folds} folds over providers, thresholds of each fold from the "
        f"others, {taught}. Scores are not comparable with those of the test side."
    )
    return RunContent(
        name=f"search {report.key[:7]} macro F1 {report.best.scores['macro_f1']:.3f} (cv)",
        description="\n".join([report.advice(), "", about, "", *cells]),
        params={"folds": str(report.folds), "soft_sentences": str(report.soft_sentences)},
        metrics=_metrics(report.best.scores),
        tags={
            **_tags(report),
            **{f"best.{name}": str(value) for name, value in report.best.setting.items()},
            KEY_TAG: report.key,
        },
    )


def child_content(report: SearchReport, result: Result, params: Params) -> RunContent:
    """Write what the run of one setting shows.

    Args:
        report: The search.
        result: The setting.
        params: All settings with those of the result.

    Returns:
        Settings of features and training, scores, and where they come from.
    """
    is_present = result.setting == report.present
    shown = [f"{name.partition('.')[2]}={result.setting[name]}" for name in report.varied]
    return RunContent(
        name="present" if is_present else ", ".join(shown),
        description="The present settings of params.yaml." if is_present else _listed(result.setting),
        params={
            f"{section}.{name}": str(value)
            for section in ("features", "train")
            for name, value in asdict(getattr(params, section)).items()
        },
        metrics=_metrics(result.scores),
        tags={**_tags(report), "present": "yes" if is_present else "no", KEY_TAG: result.key},
    )


def _tags(report: SearchReport) -> dict[str, str]:
    return {
        **_SOURCE,
        # The columns of the run list stand in the order of the tags of the newest run.
        "verdict": "search",
        "verdict.reason": "cross-validated on the training side, not judged",
        "git.commit": report.provenance.git_commit,
        "git.dirty": "yes" if report.provenance.git_dirty else "no",
        "data.train": report.sha256,
    }


def _metrics(scores: Scores) -> dict[str, float]:
    return {f"{METRIC_PREFIX}{name}": value for name, value in scores.items()}


def _listed(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in setting.items())


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
