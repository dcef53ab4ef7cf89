"""Run the benchmarks and write their results into README.md beside this script.

    python benchmarks/run.py               all of them but the long ones and incremental
    python benchmarks/run.py --long        the long ones
    python benchmarks/run.py reading       those whose names are given

They need the folder `shared` of real reports beside the project; without it each says so and is skipped.
"""

import argparse
import os
import platform
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parent
sys.path.insert(0, str(PROJECT))
README = HERE / "README.md"
BENCHMARKS = ("texts", "metadata", "furniture", "reading", "workers", "batch", "scoring", "starting", "pages", "gate")
# These take some minutes each.
LONG = ("growth", "plain")
# Only where it is named: it runs the whole pipeline.
KNOWN = (*BENCHMARKS, *LONG, "incremental")
LIBRARIES = ("pypdfium2", "pyarrow", "numpy", "scikit-learn")
Row = tuple[str, str, str]  # what, measured, wanted


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one or more of {', '.join(KNOWN)}")
    parser.add_argument("--shared", type=Path, default=PROJECT.parent / "shared", help="folder of real reports")
    parser.add_argument("--long", action="store_true", help="run those that take minutes")
    arguments = parser.parse_args(argv)
    unknown = set(arguments.names) - set(KNOWN)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; accepted: {', '.join(KNOWN)}")
    if not (arguments.shared / "reports").is_dir():
        print(f"{arguments.shared}: no folder of real reports; nothing measured.")
        return 0
    for name in arguments.names or (LONG if arguments.long else BENCHMARKS):
        module = import_module(f"benchmarks.{name}")
        rows = module.measure(arguments.shared)
        for row in rows:
            print(" | ".join(row), flush=True)
        write(name, (module.__doc__ or "").strip(), rows)
    return 0


def write(name: str, about: str, rows: Sequence[Row]) -> None:
    """Replace one section of the README, or add it at the end."""
    lines = [f"<!-- {name} -->", f"### {name}", about, "", "| measure | result | wanted |", "| --- | ---: | ---: |"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    section = "\n".join([*lines, "", f"{machine()}", f"<!-- end of {name} -->"])
    text = README.read_text(encoding="utf-8")
    pattern = re.compile(rf"<!-- {name} -->.*?<!-- end of {name} -->", re.DOTALL)
    text = pattern.sub(lambda _: section, text) if pattern.search(text) else f"{text.rstrip()}\n\n{section}\n"
    README.write_text(text, encoding="utf-8", newline="\n")


def machine() -> str:
    """Say in a line what the figures were measured with."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = re.search(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE)
        model = found[1] if found else model
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{model}, {os.cpu_count()} processors, {system}, {libraries}."


if __name__ == "__main__":
    sys.exit(main())
