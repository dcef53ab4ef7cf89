"""What `dvc repro` costs with nothing new, with one new report of 160, and with its labels, against a run from nothing.

In a clone of the last commit, without outputs, caches or an MLflow store. The report that comes last is the middle one
by size; nobody has labelled it when it comes, and its labels come after it, alone. Seconds are wall time of
`dvc repro`, by stage as DVC starts them; processor time is that of all its processes.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import hash_file, report_id_of

_PROJECT = Path(__file__).resolve().parent.parent
_REPORTS = 160
_WANTED = 0.35
_STAGE = "Running stage '"


@dataclass(frozen=True)
class Run:
    """One `dvc repro`.

    Attributes:
        seconds: Wall time.
        processor: Processor time of all processes, in seconds.
        stages: Wall time of each stage that ran, until the next one started.
    """

    seconds: float
    processor: float
    stages: dict[str, float]


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Run everything, then again with nothing new, then with one report more."""
    with tempfile.TemporaryDirectory() as scratch:
        project = Path(scratch) / "project"
        subprocess.run(["git", "clone", "--quiet", str(_PROJECT), str(project)], check=True)
        _call(project, "pipeline", "fetch", "--from", str(shared.resolve() / "reports"))
        last = _keep(project / "data" / "reports", Path(scratch) / "last.pdf")
        labels = project / "data" / "labels" / "public-train.jsonl"
        known = labels.read_bytes()
        labels.write_bytes(_without(known, report_id_of(Path(scratch) / "last.pdf")))
        full, nothing = _repro(project), _repro(project)
        (Path(scratch) / "last.pdf").rename(last)
        one = _repro(project)
        labels.write_bytes(known)
        labelled = _repro(project)
    rows = [
        (f"{_REPORTS - 1} reports, from nothing", f"{full.seconds:.0f} s", ""),
        ("nothing new: stages that ran", f"{len(nothing.stages)}", "0"),
        ("nothing new", f"{nothing.seconds:.1f} s", ""),
        ("one new report", f"{one.seconds:.0f} s", ""),
        ("one new report against all", f"{one.seconds / full.seconds:.2f}", f"at most {_WANTED}"),
        ("the same in processor time", f"{one.processor / full.processor:.2f}", ""),
        ("its labels", f"{labelled.seconds:.0f} s", ""),
        ("its labels against all", f"{labelled.seconds / full.seconds:.2f}", ""),
    ]
    for name, seconds in full.stages.items():
        again = [f"{run.stages[name]:.1f} s" if name in run.stages else "not run" for run in (one, labelled)]
        rows.append((f"{name}: all, one new, its labels", ", ".join([f"{seconds:.1f} s", *again]), ""))
    return rows


def _without(labels: bytes, report: str) -> bytes:
    """Leave out the labels of a report."""
    kept = [line for line in labels.splitlines(keepends=True) if json.loads(line)["report_id"] != report]
    if len(kept) == len(labels.splitlines()):
        raise RuntimeError(f"no label of the report {report}")
    return b"".join(kept)


def _keep(reports: Path, aside: Path) -> Path:
    """Leave as many reports as wanted, by hash; put the middle one by size aside, and return where it lay."""
    found = sorted((path for path in reports.rglob("*.*") if path.suffix.lower() == ".pdf"), key=hash_file)
    for path in found[_REPORTS:]:
        path.unlink()
    last = sorted(found[:_REPORTS], key=lambda path: path.stat().st_size)[_REPORTS // 2]
    last.rename(aside)
    return last


def _repro(project: Path) -> Run:
    """Run `dvc repro`, and note when each stage starts."""
    before, started = _processor(), time.monotonic()
    process = _start(project, "dvc", "repro")
    assert process.stdout is not None
    starts: dict[str, float] = {}
    output = []
    for line in process.stdout:
        output.append(line)
        if line.startswith(_STAGE):
            starts[line.removeprefix(_STAGE).split("'")[0]] = time.monotonic()
    if process.wait():
        raise RuntimeError(f"dvc repro failed:\n{''.join(output[-20:])}")
    ended = time.monotonic()
    ends = [*starts.values(), ended][1:]
    stages = {name: end - start for (name, start), end in zip(starts.items(), ends, strict=True)}
    return Run(ended - started, _processor() - before, stages)


def _call(project: Path, *arguments: str) -> None:
    process = _start(project, *arguments)
    output, _ = process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{output}")


def _start(project: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a Python module in the clone, with the clone's code and this environment's programs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_TRACKING")}
    environment |= {
        "PYTHONPATH": str(project),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    environment |= {"DVC_NO_ANALYTICS": "true", "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    return subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=project,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _processor() -> float:
    """Give the processor time of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
