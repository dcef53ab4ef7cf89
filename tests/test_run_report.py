"""The report of a run."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.errors import TrackingError
from pipeline.plots import draw_plots
from pipeline.promotion import Verdict
from pipeline.run_record import read_record
from pipeline.run_report import find_differences, interval, write_run_report
from pipeline.scores import Scored


def scored(truth: list[list[int]], chances: list[list[float]]) -> Scored:
    rows = len(truth)
    probabilities = np.array(chances, dtype=float)
    return Scored(np.array(truth, dtype=bool), probabilities, probabilities >= 0.5, np.arange(rows), np.full(rows, "x"))


TABLE = pd.DataFrame(
    {
        "text": ["Care is good.", "Visits are late.", "We will act.", "Four <b>homes</b>."],
        "report": ["a.html"] * 4,
        "page": ["1", "2", None, None],
        "section": ["Care", "Visits", None, "Homes"],
    }
)
TRUTH = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]
CANDIDATE = scored(TRUTH, [[0.9, 0.1, 0.1], [0.1, 0.8, 0.1], [0.6, 0.1, 0.4], [0.7, 0.1, 0.1]])
CHAMPION = scored(TRUTH, [[0.8, 0.1, 0.1], [0.1, 0.3, 0.1], [0.4, 0.1, 0.9], [0.1, 0.9, 0.1]])


def test_differences_say_who_is_right_the_widest_gap_first():
    found = find_differences(TABLE, CANDIDATE, CHAMPION)
    assert found["text"].tolist() == ["Four <b>homes</b>.", "Visits are late.", "We will act."]
    assert found["right"].tolist() == ["neither", "candidate", "champion"]
    assert found["gap"].tolist() == [0.8, 0.5, 0.5]
    assert found["champion"].tolist() == ["weakness", "none", "commitment"]
    assert find_differences(TABLE, CANDIDATE, CANDIDATE).empty


def test_a_score_is_shown_with_its_interval():
    assert interval({"value": 0.8941, "low": 0.878, "high": 0.9091}) == "0.894 (0.878 to 0.909)"
    assert interval({"value": 0.8941, "low": None, "high": None}) == "0.894"
    assert interval({"value": None, "low": None, "high": None}) == "–"


@pytest.fixture
def pieces(outcomes, tmp_path):
    settings, folder = outcomes["best"]
    record = read_record(settings, folder / "models/candidate", folder / "data/dataset", folder / "data/evaluation")
    figures = draw_plots(folder / "plots", tmp_path, folder / "data/learning_curve.csv")
    return record, figures, folder / "data/evaluation"


def test_the_page_holds_scores_figures_errors_and_differences_and_needs_nothing_else(pieces, tmp_path: Path):
    record, figures, evaluation = pieces
    verdict = Verdict("rejected", "no gain", record.version, "0123456789ab", "0123456789ab", 0.8, 0.9)
    path = tmp_path / "report.html"
    write_run_report(record, verdict, figures, evaluation, find_differences(TABLE, CANDIDATE, CHAMPION), path)
    page = path.read_text(encoding="utf-8")
    assert f"Model {record.version}: rejected" in page
    assert "No gain." in page
    value, between = interval(record.scores["scores"]["commitment_f1"])[:-1].replace(" to ", "–").split(" (")
    assert f'<td class="num">{value}<span class="file">{between}</span></td>' in page
    low, high = (record.scores["by_mode"]["fast"][f"macro_f1_{end}"] for end in ("low", "high"))
    assert low < high
    assert f"{low:.3f}–{high:.3f}" in page
    assert "a.html, page 2: Visits" in page
    assert ">a.html<" in page
    assert "nan" not in re.findall(r"\w+", re.sub(r"<[^>]*>", " ", page))
    assert '<b class="pill c">commitment</b>' in page
    assert page.count('<img src="data:image/png;base64,') == 4
    assert "alone is right on 1 sentences, the champion alone on 1, neither on\n1." in page
    assert "Four &lt;b&gt;homes&lt;/b&gt;." in page
    assert "words never seen in training" in page
    errors = pd.read_csv(evaluation / "errors.csv", keep_default_na=False)
    assert f"The {min(50, len(errors))} worst errors" in page
    for outside in ("<script", "<link", "http://", "https://", 'src="/'):
        assert outside not in page


def test_a_first_model_has_nobody_to_differ_from(pieces, tmp_path: Path):
    record, figures, evaluation = pieces
    verdict = Verdict("promoted", "first model", record.version, None, record.version, 0.8, None)
    write_run_report(record, verdict, figures, evaluation, None, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Where candidate and champion differ" not in page
    assert "Candidate and champion" not in page


@pytest.mark.parametrize("name", ["errors.csv", "drift.json"])
def test_a_damaged_file_of_the_evaluation_is_named(pieces, tmp_path: Path, name: str):
    record, figures, evaluation = pieces
    copy = tmp_path / "evaluation"
    copy.mkdir()
    for file in evaluation.iterdir():
        (copy / file.name).write_bytes(file.read_bytes() if file.name != name else b"{")
    verdict = Verdict("promoted", "first model", record.version, None, record.version, 0.8, None)
    with pytest.raises(TrackingError, match=f"{name}: missing or damaged; run `dvc repro`"):
        write_run_report(replace(record), verdict, figures, copy, None, tmp_path / "report.html")
