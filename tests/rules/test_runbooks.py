"""Every alert has a runbook, every runbook an alert, and each says what a person needs in the middle of the night."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.rules.table import NAMES
from feldera_exporter.simulator.answers import Request
from feldera_exporter.simulator.clock import ManualClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from rules.error_codes import CODES
from rules.generate import ROOT

DOCUMENT: Final = os.environ.get("FELDERA_OPENAPI", "").rpartition(":")[2]
"""The last document that is named: that of the newest version."""

FOLDER: Final = ROOT / "alerts/runbooks"
PAGES: Final = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SECTIONS: Final = ["Meaning", "Impact", "Diagnosis", "Mitigation"]

_VARIABLE: Final = re.compile(r"(?:\$|env\.)([A-Z_]{2,})")
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_CALL: Final = re.compile(r'"\$FELDERA_HOST(/[^"?]*)(?:\?([^"]*))?"')
_METHOD: Final = re.compile(r"-X (\w+)|(-sSI)")

UNDECLARED: Final = frozenset({("query", "include_connector_errors")})
"""Parameters of requests that Feldera forwards to a pipeline, and its document leaves out."""


@dataclass(frozen=True, order=True)
class Call:
    """A request to Feldera that a page tells a person to make.

    Attributes:
        method: in capitals.
        path: as the OpenAPI document has it.
        parameters: the names of the query's.
    """

    method: str
    path: str
    parameters: tuple[str, ...] = ()


def calls() -> frozenset[Call]:
    """Return every request of every page."""
    found = set()
    for page in PAGES:
        for line in "\n".join(_BLOCK.findall(page.read_text("utf-8"))).splitlines():
            if (target := _CALL.search(line)) is None:
                continue
            method = _METHOD.search(line)
            path = target[1].replace("$PIPELINE", "{pipeline_name}").replace("/latest", "/{event_id}")
            names = tuple(sorted(part.partition("=")[0] for part in (target[2] or "").split("&") if part))
            found.add(Call((method[1] or "HEAD") if method else "GET", path, names))
    return frozenset(found)


by_call = pytest.mark.parametrize("call", sorted(calls()), ids=lambda call: f"{call.method} {call.path}")
by_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def test_one_page_for_each_alert() -> None:
    """No alert is without a page, no page without an alert."""
    assert {page.stem for page in PAGES} == NAMES


@by_page
def test_sections(page: Path) -> None:
    """A page is titled as its alert and has the four sections, none of them empty."""
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    bodies = re.split(r"^## .+$", text, flags=re.MULTILINE)[1:]
    assert [body for body in bodies if len(body.strip()) < 30] == []


@by_page
def test_commands(page: Path) -> None:
    """Diagnosis gives commands; every request that needs it carries the key from the environment, none holds one."""
    text = page.read_text("utf-8")
    diagnosis = text.partition("## Diagnosis")[2].partition("## Mitigation")[0]
    assert "```sh" in diagnosis or "```promql" in diagnosis
    for line in re.findall(r"^.*\bcurl\b.*/v0/.*$", text, re.MULTILINE):
        assert 'Authorization: Bearer $FELDERA_API_KEY"' in line
        assert '"$FELDERA_HOST/v0/' in line
    assert re.search(r"apikey:[A-Za-z0-9]{8}", text) is None
    assert text.count("```") % 2 == 0


@by_page
def test_variables_are_explained(page: Path) -> None:
    """A page whose commands read variables leads to where these are explained, before the first of them."""
    text = page.read_text("utf-8")
    first = _VARIABLE.search(text)
    if first is not None:
        assert "(README.md)" in text[: first.start()]


def test_explained_variables() -> None:
    """The common page sets every variable that any page reads."""
    text = (FOLDER / "README.md").read_text("utf-8")
    read = {name for page in PAGES for name in _VARIABLE.findall(page.read_text("utf-8"))}
    assert read == set(re.findall(r"^export ([A-Z_]+)=", text, re.MULTILINE))


def test_calls_are_found() -> None:
    """Requests that read and that write are among those checked below."""
    assert Call("POST", "/v0/pipelines/{pipeline_name}/stop", ("force",)) in calls()
    assert Call("GET", "/v0/pipelines/{pipeline_name}", ("selector",)) in calls()
    assert len(calls()) > 12


@by_call
def test_the_stand_in_knows_the_call(call: Call) -> None:
    """Every request goes to a route of the stand-in, by its method."""
    path = call.path.replace("{pipeline_name}", "orders").replace("{event_id}", "latest")
    # actix answers HEAD where it answers GET.
    method = "GET" if call.method == "HEAD" else call.method
    name, _, _ = FelderaServer(Feldera(ManualClock()))._find(Request(method, path, {}, {}))
    assert name not in {"unknown", "denied", "console"}


@by_call
@pytest.mark.skipif(not DOCUMENT, reason="FELDERA_OPENAPI names no OpenAPI document")
def test_feldera_declares_the_call(call: Call) -> None:
    """Feldera's own document has every request, with its method and its parameters."""
    if call.path == "/healthz":
        return  # answered beside the API, and not part of the document
    paths = json.loads(Path(DOCUMENT).read_text("utf-8"))["paths"]
    declared = {
        (each["in"], each["name"]) for each in paths[call.path][call.method.lower()].get("parameters", ())
    }
    assert {("query", name) for name in call.parameters} <= declared | UNDECLARED


@by_page
def test_references(page: Path) -> None:
    """Every alert that a page refers to exists, and every link leads somewhere."""
    text = page.read_text("utf-8")
    assert set(re.findall(r"\bFeldera[A-Z]\w+", text)) <= NAMES
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (page.parent / target).exists()


@by_page
def test_shell_parses(page: Path) -> None:
    """Quotes in shell commands are closed."""
    for block in re.findall(r"```sh\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        for line in block.splitlines():
            assert line.count("'") % 2 == 0, line
            assert re.sub(r"'[^']*'", "", line).count('"') % 2 == 0, line


@pytest.mark.parametrize("code", CODES)
def test_error_codes(code: str) -> None:
    """The page of the deployment error says what to do about every code that occurs."""
    text = (FOLDER / "FelderaPipelineDeploymentError.md").read_text("utf-8")
    names = {f"`{code}`", f"`{code.partition('.')[0]}.*`"}
    first = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    rows = [cell for cell in first if names & set(re.findall("`[^`]*`", cell.partition("(")[0]))]
    assert len(rows) == 1


def test_error_table_is_complete() -> None:
    """Every row of the table says what happened and what to do, and names only codes that exist."""
    text = (FOLDER / "FelderaPipelineDeploymentError.md").read_text("utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []
    named = {name for row in rows for name in re.findall("`([^`]*)`", row[0])}
    families = {f"{code.partition('.')[0]}.*" for code in CODES}
    assert named <= {*CODES, *families, "other"}


def test_dismissing() -> None:
    """The page says when Feldera refuses to dismiss an error."""
    text = (FOLDER / "FelderaPipelineDeploymentError.md").read_text("utf-8")
    assert "400\n`DismissErrorRestrictedToFullyStopped`" in text
