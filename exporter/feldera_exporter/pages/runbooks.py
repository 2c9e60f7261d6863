"""The runbooks: the pages shipped for alerts, as HTML."""

import re
from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markupsafe import Markup

from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.shipped import shipped

COMMON: Final = "README"
"""The page that all runbooks lead to: what their commands need."""

_FILE: Final = re.compile(r"\]\((\w+)\.md\)")
"""A link from one file to another; served, pages go by their names alone."""


@cache
def runbook(alert: str) -> Markup | None:
    """Return an alert's runbook as HTML, or `COMMON`; None where there is none."""
    if alert not in NAMES and alert != COMMON:
        return None
    try:
        text = shipped(f"alerts/runbooks/{alert}.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    # The file is the exporter's own; raw HTML in it would be escaped all the same.
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return Markup(markdown.render(_FILE.sub("](\\1)", text)))  # noqa: S704


def exists(alert: str) -> bool:
    """Return whether there is a runbook for an alert."""
    return runbook(alert) is not None
