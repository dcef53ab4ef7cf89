"""Views → HTML: one self-contained file a page, without scripts or styles from elsewhere."""

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.html.views import LETTERS, IndexView, ReportView, RunView
from pipeline.labels import LABELS

if TYPE_CHECKING:
    from jinja2 import Environment

# Of the index, where scripts run; without them it is one long list.
ROWS_A_PAGE = 100
_HERE = Path(__file__).parent


def render_index(view: IndexView) -> str:
    """Render the index.

    Args:
        view: What it shows.

    Returns:
        HTML.
    """
    return _environment().get_template("index.html.j2").render(view=view)


def render_report(view: ReportView, *, home: str = "../index.html") -> str:
    """Render the page of a report.

    Args:
        view: What it shows.
        home: Address of the index.

    Returns:
        HTML.
    """
    return _environment().get_template("report.html.j2").render(view=view, home=home)


def render_run(view: RunView) -> str:
    """Render the report of a run.

    Args:
        view: What it shows.

    Returns:
        HTML.
    """
    return _environment().get_template("run.html.j2").render(view=view)


@lru_cache(maxsize=1)
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_HERE, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals["labels"] = LABELS
    environment.globals["letters"] = LETTERS
    environment.globals["rows_a_page"] = ROWS_A_PAGE
    for name in ("style.css", "index.js", "report.js"):
        # Our own files, the same in every page: the only text that is not escaped.
        text = (_HERE / name).read_text(encoding="utf-8")
        environment.globals[name.replace(".", "_")] = Markup(text)  # noqa: S704
    return environment
