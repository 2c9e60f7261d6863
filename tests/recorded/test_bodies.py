"""Every recorded body of a real Feldera is read correctly."""

import json
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
import pytest

from feldera_exporter.feldera.client import (
    CLUSTER_HEALTH,
    CONFIG,
    EVENT,
    EVENTS,
    PIPELINES,
    SESSION,
    Endpoint,
)
from feldera_exporter.feldera.errors import (
    FelderaError,
    InvalidResponseError,
    NotFoundError,
    ServerError,
    UnauthorizedError,
    UnsupportedError,
)
from feldera_exporter.feldera.pipeline_list import Entry, Listing, read
from feldera_exporter.feldera.platform import Platform, Service, with_config, with_health, with_session
from feldera_exporter.feldera.statuses import DIMENSIONS, SERVICES
from feldera_exporter.feldera.wire import Event, FullError, FullEvent
from recorded.corpus import body, exchanges, names, wanted
from support.ask_once import ask
from support.exporter_driver import as_batches
from support.raw_server import answer, sends, serving_raw

pytestmark = wanted

STATES: Final = {
    "running": "Running",
    "paused": "Paused",
    "provisioning": "Provisioning",
    "initializing": "Initializing",
    "awaiting": "AwaitingApproval",
    "bootstrapping": "Bootstrapping",
    "concurrent": "ConcurrentBootstrapping",
    "synchronizing": "Synchronizing",
    "replaying": "Replaying",
    "unavailable": "Unavailable",
    "connector-errors": "Running",
    "checkpointed": "Running",
}
"""The combined status of each pipeline `s-…` that is not Stopped."""
PROGRAMS: Final = {
    "sqlerror": "SqlError",
    "rusterror": "RustError",
    "systemerror": "SystemError",
    "earlyfail": "RustError",
    "compiling": "CompilingSql",
    "pending": "Pending",
}
"""The program status of each that is not compiled; nothing was stored for it either."""
ERRORS: Final = {
    "crashed": "RunnerCheckError",
    "fatal": "RuntimeError.WorkerPanic",
    "timeout": "AutomatonProvisioningTimeout",
    "earlyfail": "StartFailedDueToFailedCompilation",
}
"""The error of each that has one."""

LISTS: Final = ("pipelines_status", "pipelines_status_with_connectors")


def instant(text: str | None) -> datetime | None:
    """Return an instant as another reader understands it."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def entries(name: str) -> dict[str, Entry]:
    """Return the pipelines of a list by name, all of which can be read."""
    listing = read(as_batches(body(name)), Listing())
    assert listing.unreadable == ()
    return {entry.row.name: entry for entry in listing.entries.values()}


def same_error(found: FullError | None, said: dict[str, Any] | None) -> None:
    """Compare an error with what was said."""
    assert (found is None) == (said is None)
    if found is not None and said is not None:
        assert (found.error_code, found.message) == (said["error_code"], said["message"])
        assert json.loads(bytes(found.details)) == said["details"]


@pytest.mark.parametrize("name", LISTS)
def test_a_list(name: str) -> None:
    """Each value of each pipeline is the one that another JSON reader finds."""
    said = {element["name"]: element for element in json.loads(body(name))}
    found = entries(name)
    assert found.keys() == said.keys()
    for pipeline, entry in found.items():
        element, row = said[pipeline], entry.row
        for dimension in DIMENSIONS:
            assert getattr(row, dimension.name) == element[dimension.name]
            assert element[dimension.name] in {*dimension.statuses, *((None,) * dimension.nullable)}
            since = f"{dimension.name}_since"
            assert getattr(row, since, None) == instant(element.get(since))
        for field in ("id", "name", "platform_version", "deployment_id"):
            assert getattr(row, field) == element[field]
        assert (list(row.tags), row.created_at) == (element["tags"], instant(element["created_at"]))
        assert row.profile == (element["program_config"]["profile"] or "")
        same_error(row.deployment_error, element["deployment_error"])
        assert entry.progress.refresh_version == element["refresh_version"]
        details = element["deployment_runtime_status_details"] or {}
        stats = details.get("connector_stats") or {}
        assert entry.progress.connector_errors == stats.get("num_errors")


@pytest.mark.parametrize("name", LISTS)
def test_each_pipeline_is_in_the_state_of_its_name(name: str) -> None:
    """Each pipeline is in the state that the recording prepared."""
    found = {pipeline: entry for pipeline, entry in entries(name).items() if pipeline.startswith("s-")}
    assert len(found) == 24
    for pipeline, entry in found.items():
        state, row = pipeline.removeprefix("s-"), entry.row
        assert row.deployment_status == STATES.get(state, "Stopped")
        assert row.program_status == PROGRAMS.get(state, "Success")
        stored = "Cleared" if state == "cleared" or state in PROGRAMS else "InUse"
        assert row.storage_status == stored
        assert (row.deployment_error and row.deployment_error.error_code) == ERRORS.get(state)
    assert found["s-connector-errors"].progress.connector_errors == 17
    assert found["s-running"].row.tags == ("team:payments", "tier:critical", "expect:running")


@pytest.mark.parametrize("name", [name for name in names(".") if name.startswith("pipeline_all_")])
def test_one_pipeline(name: str) -> None:
    """The answer about one pipeline with its program agrees with the list."""
    [entry] = read(as_batches(b"[" + body(name) + b"]"), Listing()).entries.values()
    assert entry == entries("pipelines_status")[entry.row.name]


@pytest.mark.parametrize(
    "name", [f"{folder}/{name}" for folder in ("events", "events_all") for name in names(folder)]
)
def test_a_log(name: str) -> None:
    """Each event is read, with and without the fields that only `selector=all` has."""
    said = json.loads(body(name))
    events = msgspec.json.decode(body(name), type=list[Event])
    assert len(events) == len(said) > 0
    for event, each in zip(events, said, strict=True):
        assert event.recorded_at == instant(each["recorded_at"])
        for field in Event.__struct_fields__:
            if field not in {"recorded_at", "deployment_error"}:
                assert getattr(event, field) == each[field]
        error = each.get("deployment_error")
        assert (event.deployment_error and event.deployment_error.error_code) == (
            error and error["error_code"]
        )
    assert [event.recorded_at for event in events] == sorted((e.recorded_at for e in events), reverse=True)
    if name.startswith("events_all"):
        for full, each in zip(msgspec.json.decode(body(name), type=list[FullEvent]), said, strict=True):
            same_error(full.deployment_error, each["deployment_error"])


def test_the_instance() -> None:
    """Version, edition, revision and session are read; there is no license, and no staleness before v0.352."""
    platform = with_session(with_config(Platform(), body("config")), body("session"))
    assert (platform.version, platform.edition, platform.license) == ("0.337.0", "Open source", None)
    assert (platform.tenant, platform.role, platform.has_event_log) == ("default", "admin", True)


@pytest.mark.parametrize("name", ["cluster_healthz", "cluster_healthz_after_unhealthy"])
def test_the_health(name: str) -> None:
    """Each service is read with its instants."""
    said = json.loads(body(name))
    platform = with_health(Platform(), body(name))
    assert platform.stale is None
    assert platform.services == {
        service: Service(said[service]["healthy"], *map(micros, _instants(said[service])))
        for service in SERVICES
    }


def _instants(service: dict[str, str]) -> tuple[str, str]:
    return service["checked_at"], service["unchanged_since"]


def micros(text: str) -> int:
    """Return an instant in microseconds, exactly."""
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond


ASKED: Final = (
    ("/v0/pipelines?", PIPELINES),
    ("/v0/config/session", SESSION),
    ("/v0/config", CONFIG),
    ("/v0/cluster_healthz", CLUSTER_HEALTH),
    ("/v0/nope", CONFIG),
    ("/events/0", EVENT),
    ("/events/n", EVENT),
    ("/events", EVENTS),
)
"""What the exporter asks for, by a part of the request."""

MEANS: Final[dict[tuple[int, bool], type[FelderaError] | None]] = {
    (200, True): None,
    (503, True): None,
    (200, False): InvalidResponseError,
    (401, True): UnauthorizedError,
    (401, False): UnauthorizedError,
    (403, True): UnauthorizedError,
    (404, True): NotFoundError,
    (404, False): UnsupportedError,
    (400, True): ServerError,
    (400, False): ServerError,
    (500, True): ServerError,
}
"""What an answer means, by its status and whether its body is JSON."""

EXCHANGES: Final = [
    (exchange, endpoint)
    for name in ("answers", "answers_auth", "answers_database_down", "answers_unhealthy")
    for exchange in exchanges(name)
    if exchange["request"].startswith("GET ") and exchange["headers"].get("content-encoding") is None
    for endpoint in [next((each for part, each in ASKED if part in exchange["request"]), None)]
    if endpoint is not None
]


@pytest.mark.parametrize(
    ("exchange", "endpoint"),
    EXCHANGES,
    ids=lambda each: each.get("request", "") if isinstance(each, dict) else each.name,
)
def test_an_answer(exchange: dict[str, Any], endpoint: Endpoint) -> None:
    """Each refusal becomes its error, and a 503 with unhealthy services is an answer."""
    text = exchange["body"] or ""
    headers = {name.replace("-", "_"): value for name, value in exchange["headers"].items()}
    kind = headers.pop("content_type", "")
    headers.pop("content_length", None)
    reply = answer(text.encode(), f"{exchange['status']} Reason", kind, **headers)
    expected = MEANS[exchange["status"], text.startswith(("{", "["))]
    names_ = ["x"] * endpoint.path.count("{}")
    with serving_raw(act=sends(reply)) as server:
        if expected is None:
            got = ask(server.url, endpoint, *names_)
            assert bytes(got.body) == text.encode()
            return
        with pytest.raises(FelderaError) as caught:
            ask(server.url, endpoint, *names_)
    assert type(caught.value) is expected
    if text.startswith("{"):
        assert json.loads(text)["error_code"] in str(caught.value)


def test_who_is_unhealthy() -> None:
    """The unhealthy services are those of Feldera's answer with a 503."""
    [said] = [each for each in exchanges("answers_unhealthy") if each["request"] == "GET /v0/cluster_healthz"]
    assert said["status"] == 503
    services = with_health(Platform(), said["body"].encode()).services
    assert {name: service.healthy for name, service in services.items()} == {
        "api": True,
        "compiler": False,
        "runner": True,
    }
