"""Measure how good the champion is, and write accuracy.md beside this script.

    python benchmarks/accuracy.py                  everything
    python benchmarks/accuracy.py comparison       those parts whose names are given

Needs data/dataset (`dvc repro dataset`); real reports, their labels and the packages of the extra `bench` are used
where they are there. Nothing is tuned here.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
sys.path.insert(0, str(PROJECT))
REPORT = HERE / "accuracy.md"
PARTS = {
    "comparison": "Beside other methods",
    "breakdown": "By pool, generation and type of document",
    "crossed": "Cross-validation by authority",
    "learning": "Learning curve",
    "grades": "Against printed grades",
    "throughput": "Speed",
}
_ABOUT = """# Accuracy

Written by `make bench-accuracy`; each part says when and with what. Macro F1: mean over the three labels; exact match:
share of sentences whose whole set of labels is right; ECE: expected calibration error. Parts with few sentences are
uncertain. What the figures mean is in [docs/model.md](../docs/model.md).
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the report."""
    from benchmarks.material import Material, model_line

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="PART", help=f"one or more of {', '.join(PARTS)}")
    parser.add_argument("--model", type=Path, default=PROJECT / "models" / "champion", help="model folder")
    parser.add_argument("--data", type=Path, default=PROJECT / "data", help="folder with dataset/ and sentences/")
    parser.add_argument("--shared", type=Path, default=PROJECT.parent / "shared", help="folder of real reports")
    parser.add_argument("--base", help="base weights of a transformer, which is fine-tuned plainly for the comparison")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(PARTS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; accepted: {', '.join(PARTS)}")
    if not (arguments.data / "dataset" / "test.parquet").is_file():
        print(f"{arguments.data}: no dataset there; run `dvc repro dataset`. Nothing measured.")
        return 0
    material = Material(PROJECT, arguments.data, arguments.model, arguments.shared, arguments.base)
    for name in arguments.names or PARTS:
        module = import_module(f"benchmarks.{name}")
        load = os.getloadavg()[0] / (os.cpu_count() or 1)
        lines = module.measure(material)
        print("\n".join(lines), flush=True)
        busy = f", load {load:.1f} a processor" if load > 1 else ""
        foot = f"{datetime.now(UTC):%Y-%m-%d}, {model_line(arguments.model)}{busy}. {_machine()}"
        write(name, (module.__doc__ or "").strip(), [*lines, "", foot])
    return 0


def write(name: str, about: str, lines: Sequence[str]) -> None:
    """Replace one part of the report, or add it in its place."""
    section = "\n".join([f"<!-- {name} -->", f"## {PARTS[name]}", about, "", *lines, f"<!-- end of {name} -->"])
    text = REPORT.read_text(encoding="utf-8") if REPORT.is_file() else _ABOUT
    found = {one: re.search(rf"<!-- {one} -->.*?<!-- end of {one} -->", text, re.DOTALL) for one in PARTS}
    parts = {one: match[0] for one, match in found.items() if match} | {name: section}
    REPORT.write_text(
        "\n\n".join([_ABOUT.strip(), *(parts[one] for one in PARTS if one in parts)]) + "\n", encoding="utf-8"
    )


def _machine() -> str:
    from benchmarks.run import machine

    return machine()


if __name__ == "__main__":
    sys.exit(main())
