"""Every answer of every route is valid by Feldera's OpenAPI document of the stand-in's version."""

import asyncio
import json
import os
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.manager_processes import ManagerProcesses
from feldera_exporter.simulator.plan import Phase, Plan
from feldera_exporter.simulator.random_workload import RandomWorkload
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.uuid7 import uuid_text
from feldera_exporter.simulator.versions import Fact
from support.asgi_requests import answered
from support.clocks import ManualClock
from support.tools import example_count

FLEETS = example_count(50)
NAMED = [path for path in os.environ.get("FELDERA_OPENAPI", "").split(":") if path]

pytestmark = pytest.mark.skipif(not NAMED, reason="FELDERA_OPENAPI names no OpenAPI document")

PIPELINE = "/v0/pipelines/{pipeline_name}"
NO_EVENT = "00000000-0000-0000-0000-000000000000"
KEYS = {"apikey:read": "read", "apikey:write": "write"}

Kind = tuple[str, str, int]
"""A kind of answer: path and method as in the document, and status."""

UNDECLARED: Final[Mapping[Kind, str]] = {
    (f"{PIPELINE}/activate", "post", 400): "the pipeline itself refuses what it cannot do next",
    (f"{PIPELINE}/activate", "post", 501): "the community edition has no standby",
    (f"{PIPELINE}/pause", "post", 503): "the request is forwarded to the pipeline, which may not answer",
    (f"{PIPELINE}/resume", "post", 503): "as with pause",
}
"""What Feldera answers all the same, with an ErrorResponse, and why."""

NOT_AS_DECLARED: Final[Mapping[Kind, str]] = {
    (
        "/config/authentication",
        "get",
        200,
    ): "Feldera answers {} where no login is configured, which is no provider",
}
"""What is answered in another form than declared, and why."""

EXEMPT: Final[Mapping[Kind, str]] = {
    ("/config/authentication", "get", 500): "it needs no database",
    ("/v0/config", "get", 500): "as with the authentication",
    ("/v0/cluster/events", "get", 501): "declared, but no edition of Feldera ever gated it",
    ("/v0/cluster/events/{event_id}", "get", 501): "as with the list of events",
    (f"{PIPELINE}/stop", "post", 405): "the Kubernetes runner's, of which nothing is known",
    (f"{PIPELINE}/logs", "get", 503): "the stand-in's runner can always be asked",
    (f"{PIPELINE}/support_bundle", "get", 503): "what cannot be collected is left out",
}
"""The kinds of answer that the stand-in never gives, and why."""

ENDLESS: Final[Mapping[Kind, str]] = {
    (
        f"{PIPELINE}/logs",
        "get",
        200,
    ): "before v0.370 a log is followed, whatever is asked for, and does not end",
}
"""The kinds of answer of older versions that cannot be waited for, and why."""

NOT_DOCUMENTED: Final[Mapping[str, str]] = {"healthz": "a probe for machines, without a path in the document"}
"""The routes that the document does not know, and why."""

QUERIES: Final[Mapping[str, tuple[str, ...]]] = {
    "pipelines": ("?selector=status", "?selector=all", "?selector=status_with_connectors"),
    "pipeline": ("?selector=status", "?selector=all", "?selector=status_with_connectors"),
    "events": ("?selector=status", "?selector=all"),
    "event": ("?selector=status", "?selector=all"),
    "cluster_event": ("?selector=status", "?selector=all"),
    "start": ("", "?initial=paused", "?initial=standby", "?dismiss_error=false"),
    "stop": ("?force=false", "?force=true"),
    "activate": ("", "?initial=paused"),
    "pipeline_metrics": ("", "?format=json"),
    "logs": ("?follow=false", "?follow=false&cursor="),
    "support_bundle": ("", "?limit=0"),
}
"""What is asked of a route beside its plain form."""

BODIES: Final[Mapping[str, tuple[Any, ...]]] = {
    "create": (
        {"name": "new", "program_code": ""},
        {"name": "new", "program_code": ""},
        {"name": "-bad-", "program_code": ""},
    ),
    "put": ({"program_code": "SELECT 1;"}, {"name": "another", "program_code": ""}),
    "patch": (
        {"description": "new"},
        {"program_code": "SELECT 2;"},
        {"name": "stopped"},
        {"deployment_config": {"resources": {"memory_max": "2Gi"}}},
    ),
}


class Route(NamedTuple):
    """A route of the stand-in, and the document's path of it."""

    name: str
    method: str
    path: str


class Call(NamedTuple):
    """A request of a route."""

    route: Route
    target: str
    body: Any = None


def modern(value: Any) -> Any:
    """Return a schema of OpenAPI 3.0 as JSON Schema: `nullable` becomes a choice."""
    if isinstance(value, list):
        return [modern(each) for each in value]
    if not isinstance(value, dict):
        return value
    schema = {
        key: modern(each) for key, each in value.items() if key not in {"nullable", "example", "default"}
    }
    if value.get("nullable") is True:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema


class OpenApiDocument:
    """An OpenAPI document, as JSON Schema.

    Attributes:
        content: the document.
        version: of Feldera, which the stand-in has.
        validated: the answers that were found to be valid; most come many times.
    """

    def __init__(self, path: str) -> None:
        self.content: dict[str, Any] = modern(json.loads(Path(path).read_text(encoding="utf-8")))
        self.version: str = self.content["info"]["version"]
        self.validated: set[tuple[Kind, bytes]] = set()
        self._validators: dict[Kind, Draft202012Validator | None] = {}

    def routes(self) -> list[Route]:
        """Return the stand-in's routes that are documented; every other one must be said to be unknown."""
        found = []
        for name, method, pattern, _ in FelderaServer(self.feldera())._routes:
            paths = [
                path
                for path, operations in self.content["paths"].items()
                if pattern.fullmatch(re.sub("{.+?}", "x", path)) and method.lower() in operations
            ]
            # The longest is the most exact: `…/events/latest` would match a path with a parameter as well.
            assert bool(paths) != (name in NOT_DOCUMENTED), name
            found += [Route(name, method.lower(), path) for path in paths[:1]]
        return found

    def feldera(self, clock: ManualClock | None = None, seed: int = 0, **options: Any) -> Feldera:
        """Return an instance of the version."""
        return Feldera(clock or ManualClock(), seed, version=self.version, **options)

    def declared(self) -> set[Kind]:
        """Return every kind of answer that is declared of the stand-in's routes."""
        return {
            (route.path, route.method, int(status))
            for route in self.routes()
            for status in self.content["paths"][route.path][route.method]["responses"]
        }

    def validator(self, kind: Kind) -> Draft202012Validator | None:
        """Return what validates one kind of answer; None where nothing is said of its body."""
        if kind not in self._validators:
            self._validators[kind] = self._make_validator(*kind)
        return self._validators[kind]

    def _make_validator(self, path: str, method: str, status: int) -> Draft202012Validator | None:
        answers = self.content["paths"][path][method]["responses"]
        if status in {403, 500} or (path, method, status) in UNDECLARED:
            return Draft202012Validator({**self.content, "$ref": "#/components/schemas/ErrorResponse"})
        assert str(status) in answers, f"{method} {path} never answers {status}"
        if (path, method, status) in NOT_AS_DECLARED:
            return None
        content = answers[str(status)].get("content", {})
        if "application/json" not in content:
            return None
        parts = ("paths", path, method, "responses", str(status), "content", "application/json", "schema")
        pointer = "/".join(
            part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
            for part in parts
        )
        return Draft202012Validator(
            {**self.content, "$ref": f"#/{pointer}"}, format_checker=FormatChecker(["date-time", "uuid"])
        )


@pytest.fixture(scope="module", params=NAMED, ids=[Path(path).stem for path in NAMED])
def document(request: pytest.FixtureRequest) -> OpenApiDocument:
    """Each of the documents that are named."""
    return OpenApiDocument(request.param)


def calls(route: Route, feldera: Feldera, names: list[str]) -> Iterator[Call]:
    """Yield every request of a route: of each pipeline named and of one that is not there, in every form."""
    paths = [route.path]
    if "{pipeline_name}" in route.path:
        paths = [route.path.replace("{pipeline_name}", name) for name in ("unknown", *names)]
    if route.name == "cluster_event":
        feldera.settle()
        events = [event.id for event in feldera.cluster.events[:1]]
        paths = [route.path.replace("{event_id}", each) for each in ("latest", NO_EVENT, *events)]
    if route.name == "event":
        events = [uuid_text(next(iter(feldera.get(name).log)).event_id) for name in names]
        paths = [
            path.replace("{event_id}", each)
            for path in paths
            for each in ("latest", "latestt", NO_EVENT, *events)
        ]
    for path in paths:
        for query in QUERIES.get(route.name, ("",)):
            for body in BODIES.get(route.name, (None,)):
                yield Call(route, f"{path}{query}", body)


async def ask(
    document: OpenApiDocument, server: FelderaServer, call: Call, seen: Counter[Kind], key: str | None = None
) -> int:
    """Make a request, validate the answer, and return its status."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    status, body = await answered(server, call.target, call.route.method.upper(), call.body, headers)
    if status == 401:
        # Declared once for the whole API, as its security scheme.
        return 401
    kind = (call.route.path, call.route.method, status)
    if (kind, body) not in document.validated:
        document.validated.add((kind, body))
        schema = document.validator(kind)
        if schema is not None:
            errors = [f"{error.json_path}: {error.message}" for error in schema.iter_errors(json.loads(body))]
            assert not errors, f"{call}: {errors[:3]}"
    seen[kind] += 1
    return status


def every_state(document: OpenApiDocument, edition: str) -> Feldera:
    """Return an instance with a pipeline in each state that decides on an answer."""
    clock = ManualClock()
    feldera = document.feldera(clock, edition=edition)
    synced = {"storage": {"backend": {"name": "file", "config": {"sync": {"bucket": "b"}}}}}
    plans = {
        "awaiting": Plan(path=(Phase("AwaitingApproval", None),)),
        "broken": Plan(compiled_as="SqlError"),
        "clearing": Plan(clearing=None),
        "initializing": Plan(initializing=None),
        "provisioning": Plan(provisioning=None),
        "stopping": Plan(stopping=None),
        "suspending": Plan(checkpointing=None),
    }
    names = (*plans, "failed", "lost", "running", "standby", "stopped", "stored", "unavailable")
    for name in names:
        feldera.create(name, plan=plans.get(name), runtime_config=synced)
    clock.advance(60)
    for name in set(names) - {"broken", "standby", "stopped"}:
        feldera.start(name)
    feldera.start("standby", "Standby")
    clock.advance(15)
    for name in ("failed", "stopping"):
        feldera.inject.crash(name)
    feldera.inject.lose("unavailable")
    for name in ("clearing", "stored"):
        feldera.stop(name, force=True)
    if feldera.is_enterprise:
        feldera.stop("suspending")
    clock.advance(4)
    feldera.clear("clearing")
    # Not noticed by the runner yet.
    feldera.inject.lose("lost")
    feldera.settle()
    return feldera


async def every_route_of_every_state(document: OpenApiDocument, seen: Counter[Kind]) -> None:
    """Send each request about every pipeline, each route to separate instances; and again while the database is down."""
    for route in document.routes():
        for edition in ("EnterpriseDev", "Open source"):
            feldera = every_state(document, edition)
            if edition == "Open source":
                feldera.inject.service("runner", "Unreachable: no connection")
                feldera.clock.advance(20)  # type: ignore[attr-defined] # the one above
            names = [each.row.name for each in feldera.pipelines()]
            server = FelderaServer(feldera)
            for call in calls(route, feldera, names):
                if not is_endless(document, call):
                    await ask(document, server, call, seen)
        feldera = every_state(document, "Enterprise")
        server = FelderaServer(feldera)
        feldera.inject.lose_database()
        for call in calls(route, feldera, ["running"]):
            await ask(document, server, call, seen)


def is_endless(document: OpenApiDocument, call: Call) -> bool:
    """Return whether an answer takes too long to wait for."""
    follows = call.route.name == "logs" and "unknown" not in call.target
    return follows and not document.feldera().has(Fact.LOGS_FOLLOW)


def test_every_declared_answer_is_given_and_valid(document: OpenApiDocument) -> None:
    """Each documented route and status is answered, or listed with a reason."""
    seen: Counter[Kind] = Counter()
    asyncio.run(every_route_of_every_state(document, seen))
    declared = document.declared()
    assert declared - seen.keys() - EXEMPT.keys() - ENDLESS.keys() == set()
    # What is exempt or undeclared is so for good: the tables name nothing that is not there.
    assert EXEMPT.keys() & seen.keys() == set()
    assert declared >= EXEMPT.keys() | ENDLESS.keys()
    undeclared = {kind for kind in seen.keys() - declared if kind[2] != 500}
    assert undeclared == UNDECLARED.keys()


def test_refused_access_has_the_declared_form(document: OpenApiDocument) -> None:
    """Without a key, with a wrong one and with a low role: 401, and a 403 that is an ErrorResponse."""
    seen: Counter[Kind] = Counter()
    free = {"authentication"}

    async def check_all() -> None:
        for route in document.routes():
            feldera = every_state(document, "Enterprise")
            server = FelderaServer(feldera, KEYS)
            call = next(iter(calls(route, feldera, ["running"])))
            for key in (None, "apikey:wrong"):
                assert (await ask(document, server, call, seen, key) == 401) == (route.name not in free), (
                    route
                )
            status = await ask(document, server, call, seen, "apikey:read")
            assert (status == 403) == (route.method != "get"), route
            assert await ask(document, server, call, seen, "apikey:write") not in {401, 403}, route

    asyncio.run(check_all())
    assert {kind for kind in seen if kind[2] == 403}


async def random_fleet(document: OpenApiDocument, seed: int, seen: Counter[Kind]) -> None:
    """Run a random fleet for a while, and validate its answers, reads before writes."""
    clock = ManualClock()
    processes = ManagerProcesses(separate=True, waits=0.05, holds=0.05) if seed % 2 else ManagerProcesses()
    edition = "Open source" if seed % 3 == 0 else "Enterprise"
    feldera = document.feldera(clock, seed, processes=processes, edition=edition)
    RandomWorkload(feldera, seed, size=4, rate=0.5, trouble=0.4)
    if seed % 5 == 0:
        feldera.inject.service("runner", "Unreachable: no connection")
    clock.advance(60 + seed * 7 % 240)
    server = FelderaServer(feldera)
    names = [pipeline.row.name for pipeline in feldera.pipelines()[seed % 3 :][:1]]
    known = document.routes()
    posts = [route for route in known if route.method == "post"]
    reads = [route for route in known if route.method == "get"]
    others = [route for route in known if route.method in {"patch", "put", "delete"}]
    for route in (*reads, posts[seed % len(posts)], *others):
        for call in calls(route, feldera, names):
            if not is_endless(document, call):
                await ask(document, server, call, seen)


def test_every_answer_is_valid(document: OpenApiDocument) -> None:
    """Answers of random fleets are valid by the document."""
    seen: Counter[Kind] = Counter()

    async def check_all() -> None:
        for seed in range(FLEETS):
            await random_fleet(document, seed, seen)

    asyncio.run(check_all())
    assert seen["/v0/pipelines", "get", 200] == 3 * FLEETS
    assert seen["/v0/cluster_healthz", "get", 503] == FLEETS // 5


def test_a_wrong_answer_is_not_valid(document: OpenApiDocument) -> None:
    """An undocumented status is refused, so the check itself can fail."""
    schema = document.validator(("/v0/cluster_healthz", "get", 200))
    assert schema is not None
    assert list(schema.iter_errors({"all_healthy": 1}))
    listed = document.validator(("/v0/pipelines", "get", 200))
    assert listed is not None
    feldera = document.feldera()
    feldera.create("a")

    _, body = asyncio.run(answered(FelderaServer(feldera), "/v0/pipelines?selector=status"))
    rows = json.loads(body)
    assert not list(listed.iter_errors(rows))
    rows[0]["deployment_status"] = "Sleeping"
    assert list(listed.iter_errors(rows))
