"""The runbooks: the pages shipped for alerts, as HTML."""

from functools import cache

from markdown_it import MarkdownIt
from markupsafe import Markup

from feldera_exporter.rules.table import NAMES
from feldera_exporter.shipped import shipped


@cache
def runbook(alert: str) -> Markup | None:
    """Return an alert's runbook as HTML, None where there is none."""
    if alert not in NAMES:
        return None
    try:
        text = shipped(f"alerts/runbooks/{alert}.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    # The file is the exporter's own; raw HTML in it would be escaped all the same.
    return Markup(MarkdownIt("commonmark", {"html": False}).enable("table").render(text))  # noqa: S704


def exists(alert: str) -> bool:
    """Return whether there is a runbook for an alert."""
    return runbook(alert) is not None
