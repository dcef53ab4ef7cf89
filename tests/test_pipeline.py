"""The real DVC stages, run as a user runs them, in a folder with a space in its path."""

import json
import shutil
import sys

import pandas as pd
import pytest

from tests.conftest import PROJECT
from tests.repro import STAGES, copy_project, git, repro, run, stages_run

KEPT_SAMPLES = ("redmere-2024-minutes.txt", "westhollow-2023-focused-visit.pdf", "penhollow-2024-news.html")
KEPT_LABELS = ("authored-ilacs-and-statements.jsonl", "authored-ilacs-focused-monitoring.jsonl")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A small clone with cheap settings, its pipeline run once."""
    folder = tmp_path_factory.mktemp("a folder with spaces") / "my project"
    copy_project(folder, KEPT_LABELS, KEPT_SAMPLES)
    output = repro(folder)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first run")
    return folder, output


@pytest.mark.slow
def test_the_first_run_ends_with_findings(project):
    folder, output = project
    assert stages_run(output) == list(STAGES)
    assert "3 new, 0 reused, 0 removed" in output
    findings = pd.read_parquet(folder / "data" / "findings" / "findings.parquet")
    assert set(findings["report"]) == set(KEPT_SAMPLES)
    assert (folder / "data" / "findings" / "index.html").is_file()
    assert (folder / "data" / "findings" / "failures.csv").read_text(encoding="utf-8-sig") == "file,reason\n"
    verdicts = (folder / "models" / "promotions.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(verdicts) == 1
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    assert 0.5 < metrics["macro_f1"] < 1


@pytest.mark.slow
def test_a_second_run_does_nothing(project):
    folder, _ = project
    assert stages_run(repro(folder)) == []
    assert git(folder, "status", "--porcelain") == ""


@pytest.mark.slow
def test_metrics_and_plots_say_something(project):
    folder, _ = project
    shown = run(folder, sys.executable, "-m", "dvc", "metrics", "show", "--json")
    assert "macro_f1" in shown.stdout
    plots = run(folder, sys.executable, "-m", "dvc", "plots", "show", "--out", "shown plots")
    assert plots.returncode == 0, plots.stderr
    page = (folder / "shown plots" / "index.html").read_text(encoding="utf-8")
    shutil.rmtree(folder / "shown plots")
    for title in ("Precision and recall by label", "Calibration", "Label sets"):
        assert title in page


@pytest.mark.slow
def test_one_new_report_is_read_alone(project):
    folder, _ = project
    lock = (folder / "dvc.lock").read_bytes()
    new = folder / "data" / "reports" / "new report.docx"
    shutil.copyfile(PROJECT / "data" / "samples" / "thornhaven-2018-statement.docx", new)
    output = repro(folder)
    assert "1 new, 3 reused, 0 removed" in output
    # People labelled all of it, so that training with its soft labels gives the same model.
    assert stages_run(output) == ["extract", "dataset", "soft_labels", "train", "classify", "track"]
    findings = pd.read_parquet(folder / "data" / "findings" / "findings.parquet")
    assert "new report.docx" in set(findings["report"])
    new.unlink()
    repro(folder)
    assert (folder / "dvc.lock").read_bytes() == lock


@pytest.mark.slow
def test_a_clone_without_outputs_reproduces_them_to_the_byte(project, tmp_path):
    folder, _ = project
    clone = tmp_path / "clone"
    git(tmp_path, "clone", "--quiet", str(folder), str(clone))
    # The verdict is in the repository; the run goes into the clone's own store.
    assert stages_run(repro(clone)) == [name for name in STAGES if name != "register"]
    assert git(clone, "status", "--porcelain") == ""


@pytest.mark.slow
def test_wrong_settings_stop_the_stage_with_one_message(project):
    folder, _ = project
    path = folder / "params.yaml"
    good = path.read_text(encoding="utf-8")
    path.write_text(good.replace("folds:", "fold:"), encoding="utf-8")
    done = run(folder, sys.executable, "-m", "pipeline", "train")
    path.write_text(good, encoding="utf-8")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: params.yaml: ")
    assert "unknown key train.fold (did you mean folds?)" in done.stderr
    assert "Traceback" not in done.stderr
