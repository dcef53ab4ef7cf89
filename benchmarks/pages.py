"""Pages in headless Chromium: an index of 5,000 made-up reports, and the page of the longest real report."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Page

from pipeline.batch import classify
from pipeline.html import ModelNote, build_index, link_report, render_index
from pipeline.summary import ReportSummary
from tests.browser import find_chromium, open_browser

CHAMPION = Path(__file__).resolve().parent.parent / "models" / "champion"
REPORTS = 5_000
ROUNDS = 5
# From a key or click to the next frame on the screen, in milliseconds.
_TIMED = """async (act) => {
  const start = performance.now();
  eval(act);
  await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  return performance.now() - start;
}"""
_FIND = """(() => {
  const field = document.querySelector("form.find").elements.text;
  field.value = WORD;
  field.dispatchEvent(new Event("input", { bubbles: true }));
})()"""


def measure(shared: Path) -> list[tuple[str, str, str]]:
    """Load and use the pages; medians of five rounds."""
    if find_chromium() is None:
        return [("Chromium", "not found", "")]
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        index = Path(folder) / "index.html"
        index.write_text(made_index(), encoding="utf-8")
        page = browser.new_page()
        rows = [(f"index of {REPORTS:,} reports: size", f"{index.stat().st_size / 1e6:.1f} MB", "")]
        rows.append(("index: load", f"{repeated(lambda: load(page, index)):.0f} ms", "1,000 ms"))
        for name, act in {
            "a word typed": _FIND.replace("WORD", "'ferndale ' + Math.round(Math.random() * 9)"),
            "all found again": _FIND.replace("WORD", "''"),
            "sorted by a click": "document.querySelectorAll('thead button')[5].click()",
            "next page": "document.querySelector('[data-to=next]').click()",
        }.items():
            rows.append((f"index: {name}", f"{repeated(lambda act=act: page.evaluate(_TIMED, act)):.0f} ms", "100 ms"))
        out = Path(folder) / "out"
        classify([shared / "reports"], out, model=CHAMPION, formats=["csv"])
        longest = max((out / "reports").iterdir(), key=lambda path: path.stat().st_size)
        rows.append(("longest report's page: size", f"{longest.stat().st_size / 1e6:.1f} MB", ""))
        rows.append(("longest report's page: load", f"{repeated(lambda: load(page, longest)):.0f} ms", "1,000 ms"))
    return rows


def made_index() -> str:
    """Render an index of made-up reports."""
    links = []
    for rank in range(REPORTS):
        counts = {
            "strength": rank % 97,
            "weakness": rank % 89,
            "commitment": rank % 13,
            "none": 40,
            "uncertain": rank % 7,
        }
        summary = ReportSummary(
            f"{rank:05}_ferndale {rank % 150}/inspection - {rank % 28 + 1} march 20{rank % 12 + 10}.pdf",
            f"{rank:016x}",
            "inspection_report",
            "ILACS",
            f"Ferndale {rank % 150}",
            f"20{rank % 12 + 10}-03-{rank % 28 + 1:02}",
            240,
            counts,
        )
        links.append(link_report(summary, f"reports/{rank:016x}.html"))
    note = ModelNote("0" * 12, {"strength": 0.5, "weakness": 0.5, "commitment": 0.5})
    return render_index(build_index(links, [], ["findings.csv"], note))


def load(page: Page, path: Path) -> float:
    """Load a page; return the time until it is ready and painted, in milliseconds."""
    page.goto("about:blank")
    page.goto(path.as_uri())
    timing: Any = page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(performance.now()))))"
    )
    return float(timing)


def repeated(once: Callable[[], float]) -> float:
    """Return the median of several rounds."""
    return median(once() for _ in range(ROUNDS))
