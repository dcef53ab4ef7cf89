"""Memory and time a document of `findings classify` for 160 reports, and for the same ten times over.

A copy differs from its report by a comment behind the end of the PDF, so that it counts as a document of its own and is
read and labelled like any other. Mode fast, Parquet, no pages, two workers. The 160 are labelled before and after the
1,600, and the mean of both counts. It takes some minutes: `make bench-long`.
"""

import tempfile
from pathlib import Path

from benchmarks.corpus import report_paths
from benchmarks.processes import Cost, classify

REPORTS = 160
TIMES = 10
_WORKERS = 2


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Copy the reports, and label few, many, and few again."""
    with tempfile.TemporaryDirectory() as place:
        contents = list(dict.fromkeys(path.read_bytes() for path in report_paths(shared)))[:REPORTS]
        few, many = Path(place) / "few", Path(place) / "many"
        for folder, times in ((few, 1), (many, TIMES)):
            folder.mkdir()
            for copy in range(times):
                for rank, content in enumerate(contents):
                    mark = f"\n% copy {copy}\n".encode()
                    (folder / f"{copy}-{rank:04}.pdf").write_bytes(content + mark)
        del contents
        before, after = (Path(place) / name for name in ("before", "after"))
        first = classify(few, before, _WORKERS)
        large = classify(many, Path(place) / "large", _WORKERS)
        last = classify(few, after, _WORKERS)
    small_cpu, small_wall = ((getattr(first[0], name) + getattr(last[0], name)) / 2 for name in ("cpu", "wall"))
    small = (Cost(small_wall, small_cpu, ""), max(first[1], last[1]), max(first[2], last[2]))
    rows = []
    each = {}
    for count, (cost, parent, worker) in ((REPORTS, small), (REPORTS * TIMES, large)):
        each[count] = cost.cpu / count
        rows += [
            (f"{count:,}: CPU time, clock", f"{cost.cpu:.1f} s, {cost.wall:.1f} s", ""),
            (f"{count:,}: CPU time a document", f"{each[count] * 1000:.1f} ms", ""),
            (f"{count:,}: peak memory of the parent", f"{parent:.0f} MB", "at most 500 MB"),
            (f"{count:,}: peak memory of the largest worker", f"{worker:.0f} MB", "at most 500 MB"),
        ]
    ratio = each[REPORTS * TIMES] / each[REPORTS]
    return [*rows, ("CPU time a document, many against few", f"{ratio:.2f}", "at most 1.1")]
