"""Findings as web pages that need no server, no network and no JavaScript: an index, and a page a report."""

from pipeline.html.arrangement import build_index, build_report, link_report
from pipeline.html.pages import render_index, render_report
from pipeline.html.views import IndexView, ModelNote, ReportLink, ReportView

__all__ = [
    "IndexView",
    "ModelNote",
    "ReportLink",
    "ReportView",
    "build_index",
    "build_report",
    "link_report",
    "render_index",
    "render_report",
]
