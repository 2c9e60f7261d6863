"""Every alert has a runbook, every runbook an alert, and each has what is needed in the middle of the night."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import HttpRequest
from feldera_exporter.simulator.server import FelderaServer
from rules.error_codes import CODES
from support.clocks import ManualClock
from support.tools import ROOT

DOCUMENTS: Final = [Path(path) for path in os.environ.get("FELDERA_OPENAPI", "").split(os.pathsep) if path]

FOLDER: Final = ROOT / "alerts/runbooks"
PAGES: Final = sorted(path for path in FOLDER.glob("*.md") if path.name != "README.md")
SECTIONS: Final = ["What it means", "Check", "Fix", "How to see that it is over", "Who else to ask"]
REFERENCE: Final = {"FelderaPipelineDeploymentError": "Error codes"}
"""What follows the actions on a page that has more to look up."""

RENAMED: Final = {
    "provisioning_timeout": "provisioning_timeout_secs",
    "checkpoint_interval": "checkpoint_interval_secs",
    "memory_min": "memory_mb_min",
    "memory_max": "memory_mb_max",
}
"""Settings of pipelines, as Feldera names them since v0.366 or v0.367, and as it did before."""

_VARIABLE: Final = re.compile(r"(?:\$|env\.)([A-Z_]{2,})")
_BLOCK: Final = re.compile(r"```sh\n(.*?)```", re.DOTALL)
_CALL: Final = re.compile(r'"\$FELDERA_HOST(/[^"?]*)(?:\?([^"]*))?"')
_METHOD: Final = re.compile(r"-X (\w+)|(-sSI)")
_CODE: Final = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)
UNDECLARED: Final = frozenset({("query", "include_connector_errors")})
"""Parameters of requests that Feldera forwards to a pipeline, and its document leaves out."""

SINCE: Final = {("query", "follow"): (0, 370)}
"""Parameters that came with a version; before, Feldera ignores them."""


@dataclass(frozen=True, order=True)
class Call:
    """A request to Feldera in a command of a page.

    Attributes:
        method: in capitals.
        path: as the OpenAPI document has it.
        parameters: the names of the query's.
    """

    method: str
    path: str
    parameters: tuple[str, ...] = ()


def sections(text: str) -> dict[str, str]:
    """Return a page's sections, in its order: each title and what is below it."""
    _, *parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[::2], parts[1::2], strict=True))


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
    """Every alert has a page, and every page an alert."""
    assert {page.stem for page in PAGES} == NAMES


@by_page
def test_sections(page: Path) -> None:
    """A page has its alert's title and the five sections, none of them empty, then only reference."""
    text = page.read_text("utf-8")
    assert text.startswith(f"# {page.stem}\n")
    assert [*sections(text)] == SECTIONS + [name for key, name in REFERENCE.items() if key == page.stem]
    assert [name for name, body in sections(text).items() if len(body.strip()) < 15] == []


@by_page
def test_the_end_is_short(page: Path) -> None:
    """The expected result is given, and the contacts take a line, both without a command."""
    found = sections(page.read_text("utf-8"))
    assert "```" not in found["How to see that it is over"] + found["Who else to ask"]
    assert len(found["Who else to ask"].split()) <= 16
    assert len(found["How to see that it is over"].split()) <= 30


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_sentences_are_short(page: Path) -> None:
    """Sentences are short; names and commands do not count."""
    text = _CODE.sub("x", page.read_text("utf-8"))
    prose = [line for line in text.splitlines() if not line.startswith("|")]
    sentences = [part for line in prose for part in re.split(r"[.?!:;]\s|\)\. ", line)]
    assert [sentence for sentence in sentences if len(sentence.split()) > 35] == []


@pytest.mark.parametrize("page", sorted(FOLDER.glob("*.md")), ids=lambda page: page.stem)
def test_both_names_of_a_setting(page: Path) -> None:
    """A setting that Feldera renamed has both names."""
    words = set(re.findall(r"\w+", page.read_text("utf-8")))
    assert [(new, old) for new, old in RENAMED.items() if (new in words) is not (old in words)] == []


@by_page
def test_commands(page: Path) -> None:
    """Checks are commands; requests take the key from the environment, and no page contains one."""
    text = page.read_text("utf-8")
    check = sections(text)["Check"]
    assert "```sh" in check or "```promql" in check
    for line in re.findall(r"^.*\bcurl\b.*/v0/.*$", text, re.MULTILINE):
        assert 'Authorization: Bearer $FELDERA_API_KEY"' in line
        assert '"$FELDERA_HOST/v0/' in line
    assert re.search(r"apikey:[A-Za-z0-9]{8}", text) is None
    assert text.count("```") % 2 == 0


@by_page
def test_variables_are_explained(page: Path) -> None:
    """A page with variables links to their explanation before the first of them."""
    text = page.read_text("utf-8")
    first = _VARIABLE.search(text)
    if first is not None:
        assert "(README.md)" in text[: first.start()]


def test_explained_variables() -> None:
    """The common page sets every variable of any page."""
    text = (FOLDER / "README.md").read_text("utf-8")
    read = {name for page in PAGES for name in _VARIABLE.findall(page.read_text("utf-8"))}
    assert read == set(re.findall(r"^export ([A-Z_]+)=", text, re.MULTILINE))


def test_calls_are_found() -> None:
    """Both reading and writing requests are among those checked below."""
    assert Call("POST", "/v0/pipelines/{pipeline_name}/stop", ("force",)) in calls()
    assert Call("GET", "/v0/pipelines/{pipeline_name}", ("selector",)) in calls()
    assert len(calls()) > 12


@by_call
def test_the_stand_in_knows_the_call(call: Call) -> None:
    """Every request goes to a route of the stand-in, by its method."""
    path = call.path.replace("{pipeline_name}", "orders").replace("{event_id}", "latest")
    # actix answers HEAD where it answers GET.
    method = "GET" if call.method == "HEAD" else call.method
    name, _, _ = FelderaServer(Feldera(ManualClock()))._find(HttpRequest(method, path, {}, {}))
    assert name not in {"unknown", "denied", "console"}


@by_call
@pytest.mark.skipif(not DOCUMENTS, reason="FELDERA_OPENAPI names no OpenAPI document")
def test_feldera_declares_the_call(call: Call) -> None:
    """Feldera's documents have each request with its method and parameters, from its version on."""
    if call.path == "/healthz":
        return  # answered beside the API, and not part of the documents
    for path in DOCUMENTS:
        document = json.loads(path.read_text("utf-8"))
        version = tuple(int(part) for part in document["info"]["version"].split("."))
        operation = document["paths"][call.path][call.method.lower()]
        declared = {(each["in"], each["name"]) for each in operation.get("parameters", ())}
        ignored = {parameter for parameter, since in SINCE.items() if version < since}
        assert {("query", name) for name in call.parameters} <= declared | UNDECLARED | ignored


@by_page
def test_references(page: Path) -> None:
    """Every alert and every link on a page exists."""
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
    """The page of the deployment error has every code that occurs."""
    text = (FOLDER / "FelderaPipelineDeploymentError.md").read_text("utf-8")
    first = [line.split("|")[1].partition("(")[0] for line in text.splitlines() if line.startswith("| `")]
    named = [name for cell in first for name in re.findall("`([^`]*)`", cell)]
    # A code with a row is not meant by the row of its family.
    assert named.count(code) or named.count(f"{code.partition('.')[0]}.*") == 1
    assert named.count(code) <= 1


def test_error_table_is_complete() -> None:
    """Every row has what happened and what to do, and existing codes only."""
    text = (FOLDER / "FelderaPipelineDeploymentError.md").read_text("utf-8")
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    assert [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)] == []
    named = {name for row in rows for name in re.findall("`([^`]*)`", row[0])}
    families = {f"{code.partition('.')[0]}.*" for code in CODES}
    assert named <= {*CODES, *families, "other"}


def test_dismissing() -> None:
    """The page says when Feldera refuses to dismiss an error."""
    fix = sections((FOLDER / "FelderaPipelineDeploymentError.md").read_text("utf-8"))["Fix"]
    assert "400 `DismissErrorRestrictedToFullyStopped`" in fix
    assert fix.index("/dismiss_error") < fix.index("400")
