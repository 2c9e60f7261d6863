"""The table of versions is true for the exporter with old servers, and by Feldera's own documents."""

import json
import os
import re
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.plans import INSTANT
from support.tools import ROOT
from support.two_instances import RunningExporter, now, running, until

TEXT: Final = (ROOT / "docs/compatibility.md").read_text(encoding="utf-8")
VERSIONS: Final = [
    tuple(int(part) for part in version.split("."))
    for version in re.findall(r"^\| (\d+\.\d+) \|", TEXT, re.MULTILINE)
]
DOCUMENTS: Final = [Path(path) for path in os.environ.get("FELDERA_OPENAPI", "").split(os.pathsep) if path]

PATIENCE: Final = 60.0
"""Seconds until something must have happened, on a machine that does much else."""

RUNNING: Final = re.compile(r'^feldera_pipeline_deployment_status\{.*status="Running"\} 1$', re.MULTILINE)

Document = dict[str, Any]


def _properties(document: Document, schema: str) -> Any:
    return document["components"]["schemas"][schema]["properties"]


def _parameters(document: Document, path: str) -> set[str]:
    return {each["name"] for each in document["paths"][path]["get"]["parameters"]}


SIGNS: Final[dict[tuple[int, ...], Callable[[Document], bool]]] = {
    (0, 150): lambda document: "/v0/config/session" in document["paths"],
    (0, 164): lambda document: "/v0/pipelines/{pipeline_name}/approve" in document["paths"],
    (0, 201): lambda document: "all_healthy" in _properties(document, "HealthStatus"),
    (0, 251): lambda document: "/v0/pipelines/{pipeline_name}/dismiss_error" in document["paths"],
    (0, 292): lambda document: "/v0/pipelines/{pipeline_name}/events" in document["paths"],
    (0, 324): lambda document: "Synchronizing" in document["components"]["schemas"]["RuntimeStatus"]["enum"],
    (0, 327): lambda document: "role" in _properties(document, "SessionInfo"),
    (0, 352): lambda document: "stale" in _properties(document, "HealthStatus"),
    (0, 366): lambda document: "provisioning_timeout" in _properties(document, "RuntimeConfig"),
    (0, 367): lambda document: "memory_max" in _properties(document, "ResourceConfig"),
    (0, 370): lambda document: "follow" in _parameters(document, "/v0/pipelines/{pipeline_name}/logs"),
}
"""By which a document shows that its version has what a row names."""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningExporter]:
    """Run the exporter on an instance of each version below, whose one pipeline has a tag, ran, and is paused."""
    versions = ("0.148", "0.291", "0.292", "0.312", "0.313", "0.321", "0.322")
    with ExitStack() as stack:
        listed, instances = "", []
        for version in versions:
            instance = Feldera(now(), plan=INSTANT, version=f"{version}.0")
            instance.create("orders", tags=("team:web",))
            instance.settle()
            instance.start("orders")
            instances.append(instance)
            url = stack.enter_context(serve(FelderaServer(instance)))
            listed += f"  - {{name: '{version}', url: '{url}', poll_interval: 2s}}\n"
        folder = tmp_path_factory.mktemp("versions")
        found = stack.enter_context(running(folder, f"instances:\n{listed}"))
        until(lambda: found.page().count("feldera_info{") == len(versions), PATIENCE)
        until(lambda: len(RUNNING.findall(found.page())) == len(versions), PATIENCE)
        for instance in instances:
            instance.pause("orders")
        yield found


def test_the_rows_ascend() -> None:
    """Each version has one row, in ascending order."""
    assert len(VERSIONS) > 10
    assert sorted(set(VERSIONS)) == VERSIONS


def test_the_oldest_server_is_watched(program: RunningExporter) -> None:
    """Polls of the first row's version succeed."""
    assert VERSIONS[0] == (0, 148)
    assert program.value("feldera_up", feldera_instance="0.148") == 1
    wanted = {"feldera_instance": "0.148", "pipeline_name": "orders", "status": "Paused"}
    until(lambda: program.value("feldera_pipeline_deployment_status", **wanted) == 1, PATIENCE)


@pytest.mark.parametrize(
    ("since", "before", "family", "labels", "value"),
    [
        ((0, 292), "0.291", "feldera_exporter_transition_source", {"source": "events"}, 1),
        ((0, 313), "0.312", "feldera_pipeline_info", {"team": "web"}, 1),
        ((0, 322), "0.321", "feldera_pipeline_connector_errors_total", {}, 0),
    ],
)
def test_what_a_version_brings(
    program: RunningExporter,
    since: tuple[int, int],
    before: str,
    family: str,
    labels: dict[str, str],
    value: float,
) -> None:
    """A feature is there from its row's version on, and not before."""
    assert since in VERSIONS
    version = ".".join(map(str, since))
    until(lambda: program.value(family, feldera_instance=version, **labels) == value, PATIENCE)
    until(lambda: program.value(family, feldera_instance=before, **labels) != value, PATIENCE)


def test_what_it_names_exists() -> None:
    """Named families are on the metrics page, named alerts in the table."""
    metrics = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    families = set(re.findall(r"`(feldera_[a-z_]+)`", TEXT))
    assert [family for family in families if f"`{family}`" not in metrics] == []
    assert set(re.findall(r"\bFeldera[A-Z]\w+", TEXT)) <= NAMES


def test_the_range_is_one() -> None:
    """README and runbooks name versions of the table, the runbooks the same range."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {tuple(map(int, version)) for version in re.findall(r"\bv(0)\.(\d+)\b", readme)}
    assert VERSIONS[0] in named
    assert named <= set(VERSIONS)
    [newest] = re.findall(r"(0\.\d+) is the newest version that the tests know", TEXT)
    runbooks = (ROOT / "alerts/runbooks/README.md").read_text(encoding="utf-8")
    assert f"for Feldera 0.{VERSIONS[0][1]} to {newest}." in runbooks


def test_python_is_what_the_package_asks_for() -> None:
    """The Python version is the one of the package's metadata."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"| Python | {project['requires-python'].removeprefix('>=')} or later |" in TEXT


@pytest.mark.skipif(not DOCUMENTS, reason="FELDERA_OPENAPI names no OpenAPI document")
@pytest.mark.parametrize("since", SIGNS, ids=lambda since: ".".join(map(str, since)))
def test_the_documents_agree(since: tuple[int, ...]) -> None:
    """A document has what a row names exactly if it is of that version or later."""
    assert since in VERSIONS
    for path in DOCUMENTS:
        document = json.loads(path.read_text(encoding="utf-8"))
        version = tuple(int(part) for part in document["info"]["version"].split("."))
        assert SIGNS[since](document) is (version >= since), path.name
