"""Time to read every PDF into its sentence table, against plain text from PDFium page by page.

Each is a whole process, started three times in turn; the least CPU time (user and system) counts.
"""

import resource
import subprocess
import sys
from pathlib import Path

from benchmarks.corpus import report_paths

_PLAIN = """
import sys, time
import pypdfium2
start = time.process_time()
for path in sys.argv[1:]:
    document = pypdfium2.PdfDocument(path)
    for page in document:
        page.get_textpage().get_text_range()
print(time.process_time() - start)
"""
_READ = """
import sys, time
from pathlib import Path
from pipeline.reading import preload_readers, read_document
from pipeline.sentences import sentence_table
preload_readers()
import pyarrow
start = time.process_time()
for path in map(Path, sys.argv[1:]):
    sentence_table(read_document(path), path.name, "0")
print(time.process_time() - start)
"""
_ROUNDS = 3


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Run both, one after the other."""
    paths = [str(path) for path in report_paths(shared)]
    whole: dict[str, list[float]] = {_PLAIN: [], _READ: []}
    inside: dict[str, list[float]] = {_PLAIN: [], _READ: []}
    for _ in range(_ROUNDS):
        for code in (_PLAIN, _READ):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            done = subprocess.run(
                [sys.executable, "-c", code, *paths],
                capture_output=True,
                text=True,
                check=True,
                cwd=Path(__file__).parent.parent,
            )
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            whole[code].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            inside[code].append(float(done.stdout))
    plain, read = min(whole[_PLAIN]), min(whole[_READ])
    return [
        ("plain text, whole process", f"{plain:.2f} s", ""),
        ("sentence tables, whole process", f"{read:.2f} s", ""),
        ("ratio of whole processes", f"{read / plain:.2f}", "at most 1.5"),
        ("ratio after imports", f"{min(inside[_READ]) / min(inside[_PLAIN]):.2f}", "at most 1.5"),
    ]
