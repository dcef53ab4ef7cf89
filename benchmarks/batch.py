"""`findings classify` on every report, end to end to Parquet, against plain text from PDFium page by page.

Mode fast, no pages; whole processes, started six times in turn, the least time counts. With one worker a second
process reads and labels, and the parent writes meanwhile. CPU time is user and system of both. On a busy machine the
time on the clock says less.
"""

import tempfile
from pathlib import Path

from benchmarks.corpus import report_paths
from benchmarks.processes import PLAIN, Cost, classify, run

_ROUNDS = 6


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Run all three, one after the other."""
    paths = [str(path.resolve()) for path in report_paths(shared)]
    costs: dict[str, list[Cost]] = {"plain": [], "one": [], "two": []}
    parent = worker = 0.0
    for _ in range(_ROUNDS):
        costs["plain"].append(run(PLAIN, *paths))
        for name, workers in (("one", 1), ("two", 2)):
            with tempfile.TemporaryDirectory() as folder:
                cost, own, largest = classify(shared / "reports", Path(folder) / "out", workers)
            costs[name].append(cost)
            parent, worker = max(parent, own), max(worker, largest)
    cpu = {name: min(cost.cpu for cost in found) for name, found in costs.items()}
    wall = {name: min(cost.wall for cost in found) for name, found in costs.items()}
    return [
        ("plain text, CPU time and clock", f"{cpu['plain']:.2f} s, {wall['plain']:.2f} s", ""),
        ("one worker, CPU time and clock", f"{cpu['one']:.2f} s, {wall['one']:.2f} s", ""),
        ("two workers, CPU time and clock", f"{cpu['two']:.2f} s, {wall['two']:.2f} s", ""),
        ("one worker against plain text, CPU time", f"{cpu['one'] / cpu['plain']:.2f}", "at most 1.6"),
        ("one worker against plain text, clock", f"{wall['one'] / wall['plain']:.2f}", "at most 1.6"),
        ("two workers against one, clock", f"{wall['two'] / wall['one']:.2f}", "at most 0.58"),
        ("peak memory of the parent", f"{parent:.0f} MB", "at most 500 MB"),
        ("peak memory of the largest worker", f"{worker:.0f} MB", "at most 500 MB"),
    ]
