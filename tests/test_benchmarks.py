"""The benchmarks skip cleanly without real reports, and write only their own section of the results."""

import subprocess
import sys

from benchmarks import run
from tests.conftest import PROJECT


def test_without_reports_nothing_is_measured_and_nothing_changes(tmp_path):
    before = run.README.read_bytes()
    done = subprocess.run(
        [sys.executable, "benchmarks/run.py", "--shared", str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{tmp_path}: no folder of real reports; nothing measured.\n"
    assert run.README.read_bytes() == before


def test_a_section_is_added_once_and_then_replaced(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "README", tmp_path / "README.md")
    run.README.write_text("# Benchmarks\n", encoding="utf-8")
    run.write("one", "About one.", [("speed", "1 s", "")])
    run.write("two", "About two.", [("speed", "2 s", "")])
    run.write("one", "About one.", [("speed", "3 s", "")])
    text = run.README.read_text(encoding="utf-8")
    assert "| speed | 3 s |  |" in text
    assert "1 s" not in text
    assert text.index("### one") < text.index("### two")


def test_every_benchmark_has_its_module():
    for name in (*run.BENCHMARKS, *run.LONG):
        assert (PROJECT / "benchmarks" / f"{name}.py").is_file()
