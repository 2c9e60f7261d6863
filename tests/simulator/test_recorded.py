"""The stand-in's answers have the form of those of a real Feldera: the same keys, the same types."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import httpx
import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from simulator.recorded import FOLDER, misfits, recorded, same_states

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="FELDERA_RECORDED names no folder of recorded answers"
)

BODIES: Final[Mapping[str, str]] = {
    "authentication.json": "/config/authentication",
    "cluster_events.json": "/v0/cluster/events",
    "cluster_event_latest_all.json": "/v0/cluster/events/latest?selector=all",
    "cluster_healthz.json": "/v0/cluster_healthz",
    "cluster_healthz_after_unhealthy.json": "/v0/cluster_healthz",
    "config.json": "/v0/config",
    "healthz.json": "/healthz",
    "session.json": "/v0/config/session",
    **{
        f"pipeline_all_{state}.json": f"/v0/pipelines/s-{state}?selector=all"
        for state in ("fatal", "running", "rusterror", "sqlerror", "systemerror")
    },
}
"""What was asked for the body of each file."""

STATUSES: Final = ("deployment_status", "deployment_desired_status", "program_status", "storage_status")

OTHERWISE: Final[Mapping[str, str]] = {
    "POST /v0/pipelines/s-running/approve": "the recorded pipelines were played, and approved whatever they were",
    "GET /v0/api_keys": "the stand-in has no routes for keys",
    "GET /v0/tenants": "the stand-in has no routes for tenants",
}
"""What is answered in another way, and why."""

KEYS: Final = {"apikey:read": "read", "apikey:write": "write"}

HEADERS: Final[Mapping[str, str | None]] = {
    "no header": None,
    "Basic": "Basic eDp5",
    "Bearer without a token": "Bearer",
    "unknown API key": "Bearer apikey:other",
    "unknown key": "Bearer apikey:other",
    "no JWT": "Bearer a.b.c",
    "expired JWT": "Bearer a.b.c",
    "read key": "Bearer apikey:read",
    "write key": "Bearer apikey:write",
}
"""What stood in Authorization, by how the record calls it."""

COMPARED: Final = (
    "access-control-allow-credentials",
    "cache-control",
    "content-encoding",
    "content-type",
    "retry-after",
    "vary",
)
"""The headers whose values must be the same; of others, only whether they are there."""

PRESENT: Final = ("content-length", "etag", "transfer-encoding", "www-authenticate")


def answers(name: str) -> list[Any]:
    """Return a file's requests with their answers, as parameters."""
    return [
        pytest.param(each, id=f"{each['request']} ({each.get('what', '')})")
        for each in recorded(name)
        if each["request"] not in OTHERWISE
    ]


@pytest.fixture(scope="module")
def feldera() -> Feldera:
    """The same states."""
    return same_states()


@pytest.fixture(scope="module")
def client(feldera: Feldera) -> Iterator[httpx.Client]:
    """A client of a server without authentication."""
    with serve(FelderaServer(feldera)) as url, httpx.Client(verify=False, base_url=url) as client:
        yield client


def check(client: httpx.Client, real: Any, **headers: str) -> None:
    """Make a recorded request and compare the answers."""
    method, path = real["request"].split(" ")
    headers = {"Accept-Encoding": "identity", **real.get("request_headers", {}), **headers}
    ours = client.request(method, path, headers=headers)
    assert ours.status_code == real["status"]
    for name in COMPARED:
        assert ours.headers.get(name) == real["headers"].get(name), name
    for name in PRESENT:
        assert (name in ours.headers) == (name in real["headers"]), name
    if real["headers"].get("content-type") == "application/json" and real["body"][:1] in {"{", "["}:
        assert list(misfits(json.loads(real["body"]), ours.json())) == []
    else:
        assert real["body"] == "(left out)" or bool(real["body"]) == bool(ours.text)


@pytest.mark.parametrize("file", BODIES)
def test_a_body(client: httpx.Client, file: str) -> None:
    """The answers about the instance and about one full pipeline have the recorded form."""
    assert list(misfits(recorded(file), client.get(BODIES[file]).json())) == []


@pytest.mark.parametrize("selector", ["status", "status_with_connectors"])
def test_the_list(client: httpx.Client, selector: str) -> None:
    """The element of each state has the recorded form, and the pipelines are in the same states."""
    ours = {row["name"]: row for row in client.get(f"/v0/pipelines?selector={selector}").json()}
    real = {row["name"]: row for row in recorded(f"pipelines_{selector}.json") if row["name"] in ours}
    assert len(real) == len(ours) > 20
    for name, row in real.items():
        assert [row[status] for status in STATUSES] == [ours[name][status] for status in STATUSES], name
        assert list(misfits(row, ours[name])) == [], name


@pytest.mark.parametrize("folder", ["events", "events_all"])
def test_events(client: httpx.Client, folder: str) -> None:
    """The events of a scenario have the same statuses and the recorded form."""
    files = sorted((FOLDER / folder).glob("s-*.json"))
    assert len(files) >= 5
    for file in files:
        query = "?selector=all" if folder == "events_all" else ""
        real, ours = (
            recorded(f"{folder}/{file.name}"),
            client.get(f"/v0/pipelines/{file.stem}/events{query}").json(),
        )
        expected, simulated = stages(real), stages(ours)
        assert list(simulated) == list(expected), file.stem
        for step, events in expected.items():
            for event in events:
                fitting = [other for other in simulated[step] if not list(misfits(event, other))]
                assert fitting, (file.stem, event)


def stages(events: list[dict[str, Any]]) -> dict[tuple[Any, ...], list[dict[str, Any]]]:
    """Return the events of each combination of statuses, the oldest first."""
    found: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for event in reversed(events):
        key = tuple(value for name, value in event.items() if name.endswith(("_status", "_has_error")))
        found.setdefault(key, []).append(event)
    return found


@pytest.mark.parametrize("real", answers("answers.json"))
def test_an_answer(client: httpx.Client, real: Any) -> None:
    """Answers to odd requests and refusals have the recorded form."""
    check(client, real)


@pytest.mark.parametrize("real", answers("answers_auth.json"))
def test_who_may_ask(feldera: Feldera, real: Any) -> None:
    """Each kind of credentials gets the recorded answer."""
    header = HEADERS[real["what"].split(",")[0].removesuffix(" starts")]
    with serve(FelderaServer(feldera, KEYS)) as url, httpx.Client(verify=False, base_url=url) as client:
        check(client, real, **({} if header is None else {"Authorization": header}))


@pytest.mark.parametrize("real", answers("answers_database_down.json"))
def test_while_the_database_is_down(real: Any) -> None:
    """All requests that need the database fail."""
    feldera = same_states()
    feldera.inject.lose_database()
    with serve(FelderaServer(feldera)) as url, httpx.Client(verify=False, base_url=url) as client:
        check(client, real)


@pytest.mark.parametrize("real", answers("answers_unhealthy.json"))
def test_while_the_compiler_is_not_there(real: Any) -> None:
    """The cluster's health is 503, its events are not."""
    feldera = same_states()
    feldera.inject.service("compiler", "Unreachable: Unable to connect to the compiler.")
    feldera.clock.advance(20)  # type: ignore[attr-defined] # a clock that is moved by hand
    with serve(FelderaServer(feldera)) as url, httpx.Client(verify=False, base_url=url) as client:
        check(client, real)
    latest = feldera.cluster.events[-1]
    assert latest.statuses["compiler"] == "Unhealthy"


def test_what_is_answered_otherwise_was_recorded() -> None:
    """Each entry of the table is recorded."""
    requests = {each["request"] for name in ("answers.json", "answers_auth.json") for each in recorded(name)}
    assert requests >= OTHERWISE.keys()


def test_another_shape_is_found() -> None:
    """A missing or further key, another type and a null are found, so the comparison can fail."""
    real = {"a": 1, "at": "2026-01-01T00:00:00Z", "list": [{"x": None}]}
    assert list(misfits(real, real)) == []
    for ours in (
        {**real, "b": 1},
        {"a": 1, "at": real["at"]},
        {**real, "a": True},
        {**real, "at": "today"},
        {**real, "list": [{"x": None}, {"x": 1}]},
        {**real, "list": None},
    ):
        assert len(list(misfits(real, ours))) == 1
