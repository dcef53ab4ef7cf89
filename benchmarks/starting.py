"""Wall time of whole commands, against `python -c "import sklearn.linear_model, pandas"` started in the same rounds.

`findings classify` labels one report of ten pages, with Parquet, CSV and pages as results.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pypdfium2

from benchmarks.corpus import report_paths

PROJECT = Path(__file__).resolve().parent.parent
_ROUNDS = 9
_PAGES = 10


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Start each command in turn."""
    report = next(path for path in report_paths(shared) if len(pypdfium2.PdfDocument(path)) == _PAGES)
    seconds: dict[str, list[float]] = {"base": [], "--help": [], "classify": []}
    for _ in range(_ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            commands = {
                "base": ["-c", "import sklearn.linear_model, pandas"],
                "--help": ["-m", "pipeline", "--help"],
                "classify": ["-m", "pipeline", "classify", str(report), "--output", str(Path(folder) / "out")],
            }
            for name, arguments in commands.items():
                started = time.monotonic()
                subprocess.run([sys.executable, *arguments], capture_output=True, check=True, cwd=PROJECT)
                seconds[name].append(time.monotonic() - started)
    rows = [("the imports alone, least and median", _both(seconds["base"]), "")]
    for name, wanted in (("--help", "at most 0.35"), ("classify", "at most 1.6")):
        ratios = [min(seconds[name]) / min(seconds["base"])]
        ratios.append(statistics.median(seconds[name]) / statistics.median(seconds["base"]))
        rows.append((f"`findings {name}`, least and median", _both(seconds[name]), ""))
        rows.append(("ratio of the least, of the medians", ", ".join(f"{ratio:.2f}" for ratio in ratios), wanted))
    return rows


def _both(seconds: list[float]) -> str:
    return f"{min(seconds):.2f} s, {statistics.median(seconds):.2f} s"
