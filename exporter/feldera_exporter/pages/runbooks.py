"""The runbooks of the alerts as HTML, with the values of a pipeline."""

import re
import shlex
from dataclasses import dataclass
from functools import cache
from typing import Final

from markupsafe import Markup

from feldera_exporter.pages.instance_view import PageState
from feldera_exporter.pages.page_query import PageQuery
from feldera_exporter.pages.pipeline_page import find
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.shipped import shipped

COMMON: Final = "README"
"""The page that all runbooks link to: what their commands need."""

_FILE: Final = re.compile(r"\]\((\w+)\.md\)")
"""A link from one file to another; the addresses of the pages have no suffix."""
_CODE_ROW: Final = re.compile(r"^\| `.*\n", re.MULTILINE)
"""A row of the table of error codes."""
_OF_OTHERS: Final = {
    "kubernetes": re.compile(r".*\bdocker (?:compose|stats)\b|\W*Without Kubernetes"),
    "docker": re.compile(r".*\bkubectl\b|\W*(?:\d+\. )?On Kubernetes"),
}
"""By installation, the lines of a runbook that are for another one: each paragraph, item and command is one line."""
_NO_COMMAND: Final = re.compile(r"^```sh\n```\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class RunbookPage:
    """A runbook.

    Attributes:
        about: the pipeline or the instance that the address names, in words; empty without one.
        variables: shell commands that set its values.
        error_code: the only error code that its table has: that of the pipeline; empty where it has all.
        variants: whether it differs between installations.
        installation: the chosen installation; any other text means that the runbook has the commands of all.
    """

    alert: str
    content: Markup
    about: str
    variables: str
    error_code: str
    variants: bool
    installation: str


def _values(state: PageState, query: PageQuery) -> tuple[str, str, str]:
    """Return what a query names in words, the commands that set its values, and its error code; empty where it has none.

    Only names that the exporter knows are filled in, quoted for a shell: no text of an address gets into a command.
    """
    about = state.instance(query.instance)
    if about is None:
        return "", "", ""
    host = f"export FELDERA_HOST={shlex.quote(about.url)}"
    found = find(state, query.instance, query.name) if query.name else None
    if found is None:
        return f"instance {query.instance}", host, ""
    row = found[1].facts.row
    names = f"export PIPELINE={shlex.quote(row.name)}\nexport PIPELINE_ID={shlex.quote(row.id)}"
    code = row.deployment_error.error_code if row.deployment_error is not None else ""
    return f"pipeline {row.name} of instance {query.instance}", f"{host}\n{names}", code


def exists(alert: str) -> bool:
    """Return whether there is a runbook for an alert."""
    return alert in NAMES or alert == COMMON


@cache
def _text(alert: str) -> str:
    return shipped(f"alerts/runbooks/{alert}.md").read_text(encoding="utf-8")


def runbook(alert: str, error_code: str = "", installation: str = "") -> Markup:
    """Return a runbook that exists as HTML.

    With an error code, a table of error codes has only its row. With one of `INSTALLATIONS`, there are only its commands.
    """
    text = _text(alert)
    if error_code:
        text = _CODE_ROW.sub(lambda row: row[0] if _names(row[0], error_code) else "", text)
    if installation in _OF_OTHERS and alert != COMMON:
        left = (line for line in text.splitlines(keepends=True) if not _OF_OTHERS[installation].match(line))
        text = _NO_COMMAND.sub("", "".join(left))
    # Imported with the first runbook: a twentieth of the program's start.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    return Markup(markdown.render(_FILE.sub("](\\1)", text)))  # noqa: S704


def runbook_page(alert: str, state: PageState, query: PageQuery, installation: str) -> RunbookPage:
    """Return the view of a runbook that exists."""
    about, variables, code = _values(state, query)
    if query.codes or not any(_names(row, code) for row in _CODE_ROW.findall(_text(alert))):
        code = ""
    content = runbook(alert, code, installation)
    return RunbookPage(alert, content, about, variables, code, has_variants(alert), installation)


def has_variants(alert: str) -> bool:
    """Return whether a runbook differs between installations."""
    lines = _text(alert).splitlines()
    return alert != COMMON and any(each.match(line) for each in _OF_OTHERS.values() for line in lines)


def _names(row: str, error_code: str) -> bool:
    first = row.split("|")[1].partition("(")[0]
    return bool({error_code, f"{error_code.partition('.')[0]}.*"} & set(re.findall("`([^`]*)`", first)))
