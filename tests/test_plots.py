"""Figures drawn from the tables of the evaluation."""

from pathlib import Path

import pandas as pd
import pytest

from pipeline.errors import DataError
from pipeline.plots import draw_plots

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    folder = tmp_path / "plots"
    folder.mkdir()
    pd.DataFrame(
        {"recall": [0, 0.5, 1.0] * 2, "precision": [1, 0.8, 0.3] * 2, "label": ["strength"] * 3 + ["weakness"] * 3}
    ).to_csv(folder / "precision_recall.csv", index=False)
    pd.DataFrame(
        {"mean_probability": [0.1, 0.9], "share": [0.2, 0.8], "sentences": [30, 4], "label": ["strength", "weakness"]}
    ).to_csv(folder / "calibration.csv", index=False)
    pd.DataFrame(
        {"actual": ["none", "strength; weakness", "weakness"], "predicted": ["strength", "weakness", "none"]}
    ).to_csv(folder / "confusion.csv", index=False)
    return folder


def test_every_table_becomes_a_picture_though_a_label_has_no_example(tables: Path, tmp_path: Path):
    files = draw_plots(tables, tmp_path)
    assert [path.name for path in files] == ["precision_recall.png", "calibration.png", "confusion.png"]
    assert all(path.read_bytes().startswith(PNG) for path in files)


def test_the_learning_curve_is_drawn_where_it_was_measured(tables: Path, tmp_path: Path):
    curve = tmp_path / "learning_curve.csv"
    with pytest.raises(DataError, match=r"learning_curve\.csv: not there; run `dvc repro learning_curve`"):
        draw_plots(tables, tmp_path, curve)
    pd.DataFrame(
        {"sentences": [10, 20], "macro_f1": [0.5, 0.6]}
        | {f"{label}_f1": [0.5, 0.6] for label in ("strength", "weakness", "commitment")}
    ).to_csv(curve, index=False)
    assert draw_plots(tables, tmp_path, curve)[-1].read_bytes().startswith(PNG)


def test_a_missing_table_is_named(tables: Path, tmp_path: Path):
    (tables / "calibration.csv").unlink()
    with pytest.raises(DataError, match=r"calibration\.csv: not there; run `dvc repro evaluate`"):
        draw_plots(tables, tmp_path)


@pytest.mark.parametrize("content", ["", "label\nstrength\n", "actual,predicted\nnone,other\n"])
def test_a_damaged_table_is_named(tables: Path, tmp_path: Path, content: str):
    (tables / "confusion.csv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match=r"confusion\.csv: not as expected"):
        draw_plots(tables, tmp_path)
