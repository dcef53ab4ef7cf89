"""Two worker processes against one, and the memory that a worker takes, in the stage `extract`."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CODE = """
import resource, sys
from pathlib import Path
from pipeline import pool
from pipeline.extract import extract_sentences
extract_sentences([Path(sys.argv[1])], Path(sys.argv[2]), workers=int(sys.argv[3]))
pool._end_idle()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Fill an empty store with one worker, then with two."""
    seconds: dict[int, float] = {}
    memory = 0.0
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            started = time.monotonic()
            done = subprocess.run(
                [sys.executable, "-c", _CODE, str(shared / "reports"), str(Path(folder) / "store"), str(workers)],
                capture_output=True,
                text=True,
                check=True,
                cwd=Path(__file__).parent.parent,
            )
            seconds[workers] = time.monotonic() - started
            memory = max(memory, int(done.stdout) / 1024)
    return [
        ("one worker", f"{seconds[1]:.1f} s", ""),
        ("two workers", f"{seconds[2]:.1f} s", ""),
        ("two against one", f"{seconds[2] / seconds[1]:.2f}", "at most 0.6"),
        ("largest worker", f"{memory:.0f} MB", "at most 400 MB"),
    ]
