"""The champion's scores by pool, generation of report and document type, and its calibration by label."""

import pandas as pd

from benchmarks.material import AUTHORED, PUBLIC, SCORE_HEADS, Material, markdown, number, score_cells, take
from pipeline.evaluation import score_table
from pipeline.labels import LABELS
from pipeline.modes import Mode
from pipeline.scores import point_scores

COUNCIL_TYPES = ("council_statement", "committee_minutes", "action_plan", "news_article")


def measure(material: Material) -> list[str]:
    """Score each part of the test side in each mode."""
    bins = material.params.evaluate.bins
    test = material.test
    parts = parts_of(test)
    council = test["doc_type"].isin(COUNCIL_TYPES) & (test["origin"] == AUTHORED)
    rows: list[list[str]] = []
    commitments: list[list[str]] = []
    errors: list[list[str]] = []
    for mode in material.modes:
        scored = score_table(material.classifier.in_mode(mode), test)
        for name, chosen in parts.items():
            if mode is not Mode.accurate:
                rows.append(
                    [f"{name}, {mode}", f"{chosen.sum():,}", *score_cells(take(scored, chosen.to_numpy()), bins)]
                )
        for name, chosen in _council_parts(test, council).items():
            points = point_scores(take(scored, chosen.to_numpy()), bins)
            names = [f"commitment_{score}" for score in ("precision", "recall", "f1")]
            found = f"{chosen.sum():,}", f"{points['commitment_support']:.0f}"
            commitments.append([f"{name}, {mode}", *found, *(number(points[one]) for one in names)])
        errors += [_calibration(f"test side, {mode}", point_scores(scored, bins), len(test))]
        natural = (test["pool"] == "natural").to_numpy()
        if natural.any():
            points = point_scores(take(scored, natural), bins)
            errors.append(_calibration(f"test side, public rows drawn at random, {mode}", points, int(natural.sum())))
        if material.dev is not None:
            drawn = material.dev[material.dev["pool"] == "natural"].reset_index(drop=True)
            points = point_scores(score_table(material.classifier.in_mode(mode), drawn), bins)
            errors.append(_calibration(f"dev.csv, drawn at random, {mode}", points, len(drawn)))
    return [
        "**Parts of the test side**",
        "",
        *markdown(("part", "sentences", *SCORE_HEADS), rows),
        "",
        "**Commitments in councils' own documents (authored, test side); wanted: F1 of .85 over all of them**",
        "",
        *markdown(("part", "sentences", "commitments", "precision", "recall", "F1"), commitments),
        "",
        f"**Calibration error ({bins} bins)**",
        "",
        *markdown(("sentences", "count", *LABELS, "mean"), errors),
    ]


def parts_of(test: pd.DataFrame) -> dict[str, "pd.Series[bool]"]:
    """Divide the test side by origin and pool, generation of report, and document type; parts may overlap."""
    public = test["origin"] == PUBLIC
    parts = {"authored": ~public, "public": public}
    parts |= {
        f"public, pool {name}": test["pool"] == name for name in sorted(test.loc[public, "pool"].dropna().unique())
    }
    parts |= {f"public, {name}": test["era"] == name for name in sorted(set(test["era"]) - {""})}
    types = sorted(test["doc_type"].dropna().unique())
    parts |= {f"authored {name}": (test["doc_type"] == name) & ~public for name in types}
    return {name: chosen for name, chosen in parts.items() if chosen.any()}


def _council_parts(test: pd.DataFrame, council: "pd.Series[bool]") -> dict[str, "pd.Series[bool]"]:
    parts = {"all of them": council, **{name: council & (test["doc_type"] == name) for name in COUNCIL_TYPES}}
    return {name: chosen for name, chosen in parts.items() if chosen.any()}


def _calibration(name: str, points: dict[str, float | None], count: int) -> list[str]:
    return [name, f"{count:,}", *(number(points[f"{label}_ece"]) for label in LABELS), number(points["ece"])]
