"""A program as a process of its own: time on the clock, CPU time, and the memory of it and of its largest worker."""

import resource
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
PLAIN = """
import sys
import pypdfium2
for path in sys.argv[1:]:
    document = pypdfium2.PdfDocument(path)
    for page in document:
        page.get_textpage().get_text_range()
"""
# The process's own peak as the system counts it, then that of the largest process it started.
_CLASSIFY = """
import re, resource, sys
from pathlib import Path
from pipeline.cli import main
from pipeline import pool
code = main(["classify", *sys.argv[1:]])
pool._end_idle()
own = re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())
print(int(own[1]), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code not in (0, 3))
"""


@dataclass(frozen=True)
class Cost:
    """What a process took.

    Attributes:
        wall: Seconds on the clock.
        cpu: Seconds of CPU time, user and system, its workers' included.
        output: What it printed.
    """

    wall: float
    cpu: float
    output: str


def run(code: str, *arguments: str) -> Cost:
    """Run Python code in a new process, in the project's folder.

    Args:
        code: The program.
        arguments: Its arguments.

    Returns:
        What it took.
    """
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-c", code, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=PROJECT, check=False)
    wall, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu, done.stdout)


def classify(reports: Path, output: Path, workers: int) -> tuple[Cost, float, float]:
    """Label a folder of reports in the mode fast, to Parquet.

    Args:
        reports: The folder.
        output: Folder to write to.
        workers: Number of worker processes.

    Returns:
        What it took; and the peak memory of the parent and of the largest worker, in MB.
    """
    options = ["--mode", "fast", "--format", "parquet", "--no-html", "--workers", str(workers)]
    cost = run(_CLASSIFY, str(reports.resolve()), "--output", str(output), *options)
    parent, worker = cost.output.split()[-2:]
    return cost, int(parent) / 1024, int(worker) / 1024
