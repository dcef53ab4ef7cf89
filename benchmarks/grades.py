"""A check that needs no label of a sentence: shares of weakness sentences against the grades that reports print."""

import numpy as np
import pandas as pd

from benchmarks.material import Material, markdown, number
from pipeline.labels import LABELS

_GRADES = {"outstanding": 1, "good": 2, "requires improvement": 3, "inadequate": 4}
_OVERALL = "overall effectiveness"
_LEAST = 10  # a section of fewer sentences says too little
_DRAWS = 500
_HEADS = ("weakness", "strength")


def measure(material: Material) -> list[str]:
    """Correlate in each mode."""
    table = material.sentences
    if table.empty:
        return ["data/reports is empty: nothing to correlate."]
    prose = table["kind"].isin(["paragraph", "bullet"])
    overall = {entry["report_id"]: overall_grade(entry["details"]["judgements"]) for entry in material.manifest}
    rows = []
    for mode in material.modes:
        probabilities = material.answers(table, mode)
        expected = _shares(pd.concat([table, pd.DataFrame(probabilities, columns=list(LABELS))], axis=1), overall)
        given = probabilities >= material.classifier.in_mode(mode).thresholds
        found = pd.concat([table, pd.DataFrame(given, columns=list(LABELS))], axis=1)
        reports, plain = _shares(found, overall), _shares(found[prose], overall)
        sections = found[found["section_grade"].notna()].groupby(["report_id", "section"])
        parts = sections[list(LABELS)].mean()
        parts["grade"] = sections["section_grade"].first().map(_GRADES)
        parts = parts[sections.size() >= _LEAST].dropna()
        judged = found[found["strength"] | found["weakness"]]
        of_judged = _pair(_shares(judged, overall))[0]
        of_reports = [
            f"{len(reports)}",
            *(cell for shares in (expected, reports) for cell in (*_pair(shares), _interval(shares))),
            _pair(plain)[0],
            of_judged,
        ]
        rows.append([str(mode), *of_reports, f"{len(parts)}", *_pair(parts)])
    expected_heads = ("weakness, expected", "strength, expected", "95%")
    counted_heads = (*_HEADS, "95%", "weakness, prose", "weakness, judged")
    heads = ("mode", "reports", *expected_heads, *counted_heads, "sections", *_HEADS)
    return [
        "Spearman's rank correlation of the share of sentences with a label and the grade (1 outstanding to 4",
        "inadequate): of all sentences of a report (prose: of its paragraphs and bullets alone; judged: of those that",
        "are a strength or a weakness) with its grade for overall effectiveness, and of a section's sentences with the",
        f"section's own grade, for sections of {_LEAST} sentences or more. Expected: the mean of the calibrated",
        "probabilities, as `summary.csv` has it, in the place of the share of sentences that bear the label. 95%: of",
        f"weakness, percentile bootstrap over reports, {_DRAWS} draws. Some sentences of most of these reports",
        "trained; no grade did. Wanted: .93 in size for the weaknesses of reports.",
        "",
        *markdown(heads, rows),
    ]


def overall_grade(judgements: list[list[str]]) -> float | None:
    """Take the grade for overall effectiveness as a number from 1 to 4; None where none is printed."""
    grades = [_GRADES.get(grade) for name, grade in judgements if name.casefold() == _OVERALL]
    return grades[0] if grades else None


def _shares(found: pd.DataFrame, overall: dict[str, float | None]) -> pd.DataFrame:
    """Give each report's share of sentences by label, and its grade; reports without a grade are left out."""
    shares = found.groupby("report_id")[list(LABELS)].mean()
    shares["grade"] = shares.index.map(overall).astype(float)
    return shares.dropna()


def _interval(table: pd.DataFrame) -> str:
    generator = np.random.default_rng(20)
    drawn = [table.iloc[generator.integers(len(table), size=len(table))] for _ in range(_DRAWS)]
    found = [one["weakness"].corr(one["grade"], method="spearman") for one in drawn]
    return "-".join(number(float(value)) for value in np.quantile(found, (0.025, 0.975)))


def _pair(table: pd.DataFrame) -> list[str]:
    return [number(table[label].corr(table["grade"], method="spearman")) for label in ("weakness", "strength")]
