"""The stand-in answers over HTTP like Feldera."""

import asyncio
import gzip
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest
import uvicorn

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Phase, Plan
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.clocks import ManualClock, SkewedClock
from support.disturbed_server import Slow
from support.simulated_api import ServedInstance, SimulatedInstance

STATUS = [
    "id",
    "name",
    "description",
    "tags",
    "created_at",
    "version",
    "platform_version",
    "deployment_config",
    "program_config",
    "program_version",
    "program_status",
    "program_status_since",
    "deployment_error",
    "refresh_version",
    "storage_status",
    "storage_status_details",
    "deployment_id",
    "deployment_initial",
    "deployment_status",
    "deployment_status_since",
    "deployment_desired_status",
    "deployment_desired_status_since",
    "deployment_resources_status",
    "deployment_resources_status_since",
    "deployment_resources_desired_status",
    "deployment_resources_desired_status_since",
    "deployment_runtime_status",
    "deployment_runtime_status_details",
    "deployment_runtime_status_since",
    "deployment_runtime_desired_status",
    "deployment_runtime_desired_status_since",
    "bootstrap_policy",
    "silent_bootstrap",
    "concurrent_bootstrap",
]
ALL = [
    "runtime_config",
    "program_code",
    "udf_rust",
    "udf_toml",
    "program_error",
    "program_info",
    "deployment_resources_status_details",
]
EVENT = [
    "event_id",
    "recorded_at",
    "deployment_resources_status",
    "deployment_resources_desired_status",
    "deployment_runtime_status",
    "deployment_runtime_desired_status",
    "deployment_has_error",
    "program_status",
    "storage_status",
]


def test_the_list_by_selector(served: ServedInstance) -> None:
    """`status` has its 34 fields in their order, `all` has seven more, with connectors one more."""
    (status,) = served.get("/v0/pipelines?selector=status").json()
    assert list(status) == STATUS
    assert status["deployment_status"] == "Running"
    assert status["deployment_runtime_status_details"] == {"connector_stats": {"num_errors": 0}}
    (full,) = served.get("/v0/pipelines").json()
    assert sorted(full) == sorted(STATUS + ALL)
    (connectors,) = served.get("/v0/pipelines?selector=status_with_connectors").json()
    assert connectors == {**status, "connectors": {"num_errors": 0}}
    assert served.get("/v0/pipelines/a?selector=status").json() == status


def test_a_stopped_pipeline_has_nulls(served: ServedInstance) -> None:
    """Fields of a deployment are null, and connectors are left out."""
    served.feldera.create("b")
    _, row = served.get("/v0/pipelines?selector=status_with_connectors").json()
    assert "connectors" not in row
    nulls = {field for field, value in row.items() if value is None}
    assert nulls == {
        "deployment_config", "deployment_error", "storage_status_details", "deployment_id", "deployment_initial",
        "deployment_runtime_status", "deployment_runtime_status_details", "deployment_runtime_status_since",
        "deployment_runtime_desired_status", "deployment_runtime_desired_status_since", "bootstrap_policy",
    }  # fmt: skip


def test_the_list_is_sorted_by_id_and_rendered_only_after_a_change(served: ServedInstance) -> None:
    """Two answers in a row have the same bytes, compressed or not."""
    for name in "zyxw":
        served.feldera.create(name)
    first = served.get("/v0/pipelines?selector=status", accept_encoding="identity")
    ids = [row["id"] for row in first.json()]
    assert ids == sorted(ids)
    assert served.get("/v0/pipelines?selector=status", accept_encoding="identity").content == first.content
    packed = served.get("/v0/pipelines?selector=status")
    assert packed.headers["content-encoding"] == "gzip"
    assert served.get("/v0/pipelines?selector=status").content == packed.content == first.content
    served.feldera.patch_metadata("z", description="changed")
    assert b"changed" in served.get("/v0/pipelines?selector=status").content


def test_events_by_selector_and_id(served: ServedInstance) -> None:
    """The newest event comes first; each can be read by its id, and the first is the latest."""
    status = served.get("/v0/pipelines/a/events").json()
    full = served.get("/v0/pipelines/a/events?selector=all").json()
    assert all(list(event) == EVENT for event in status)
    assert len(full[0]) == len(EVENT) + 4
    # Not by the text: "12:00:00Z" sorts behind "12:00:00.5Z".
    order = [(datetime.fromisoformat(event["recorded_at"]), event["event_id"]) for event in status]
    assert order == sorted(order, reverse=True)
    assert served.get("/v0/pipelines/a/events/latest").json() == status[0]
    single = served.get(f"/v0/pipelines/a/events/{status[3]['event_id']}?selector=all").json()
    assert single == full[3]


@pytest.mark.parametrize(
    ("path", "status", "content_type", "body"),
    [
        ("/v0/pipelines/unknown", 404, "application/json", "UnknownPipelineName"),
        ("/v0/pipelines/unknown/events", 404, "application/json", "UnknownPipelineName"),
        (
            "/v0/pipelines/a/events/0199d2f0-6c1a-7b3e-9d55-3d1d2f0a4b6c",
            404,
            "application/json",
            "UnknownPipe",
        ),
        ("/v0/pipelines/a/events/x", 400, "application/json", "InvalidUuidParam"),
        ("/v0/pipelines?selector=some", 400, "text/plain; charset=utf-8", "unknown variant `some`"),
        ("/v0/pipelines/a/events?selector=x", 400, "text/plain; charset=utf-8", "Query deserialize error"),
        ("/v0/nothing", 404, None, ""),
        ("/v0", 404, None, ""),
        ("/pipelines", 200, "text/html", "<!doctype html>"),
        ("/healthz", 200, "application/json", '{"status":"healthy"}'),
        ("/config/authentication", 200, "application/json", "{}"),
        ("/v0/cluster/events/x", 400, "application/json", "InvalidUuidParam"),
        ("/v0/pipelines/a/events/0123", 400, "application/json", "invalid length"),
        (
            "/v0/cluster/events/0199d2f0-6c1a-7b3e-9d55-3d1d2f0a4b6c",
            404,
            "application/json",
            "UnknownClusterMonitorEvent",
        ),
        ("/v0/pipelines/a/logs?follow=false&cursor=", 400, "application/json", "InvalidLogCursorParam"),
        ("/v0/pipelines/a/logs?cursor=x", 400, "application/json", "InvalidLogCursorParam"),
        ("/v0/pipelines/a/support_bundle?limit=0", 400, "application/json", "InvalidSupportBundleParameter"),
        ("/v0/pipelines/a/support_bundle?limit=x", 400, "text/plain; charset=utf-8", "invalid digit"),
        ("/v0/pipelines/a/metrics?format=xml", 400, "text/plain; charset=utf-8", "unknown variant"),
    ],
)
def test_an_odd_request(
    served: ServedInstance, path: str, status: int, content_type: str | None, body: str
) -> None:
    """Each kind of request has its own form of answer."""
    answer = served.get(path)
    assert (answer.status_code, answer.headers.get("content-type")) == (status, content_type)
    assert body in answer.text
    assert bool(body) == bool(answer.text)


def test_a_method_that_no_route_has_is_denied(served: ServedInstance) -> None:
    """HEAD and OPTIONS too are refused, without details."""
    assert served.client is not None
    for method in ("HEAD", "OPTIONS", "DELETE"):
        answer = served.client.request(method, "/v0/pipelines", headers={"Accept-Encoding": "identity"})
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/json")
        assert int(answer.headers["content-length"]) > 100
        if method != "HEAD":
            assert set(answer.json()) == {"message", "error_code"}
    assert served.client.options("/v0/nothing").status_code == 404
    assert served.client.head("/pipelines").status_code == 200


def test_errors_have_details_always(served: ServedInstance) -> None:
    """Details are empty where there is nothing to add."""
    assert served.client is not None
    refused = served.client.delete("/v0/pipelines/a").json()
    assert refused["details"] == {}
    assert served.get("/v0/cluster/events/x").json()["details"].keys() == {"value", "error"}


def test_headers_that_browsers_ask_for(served: ServedInstance) -> None:
    """Answers below /v0 and /config have no-cache headers where needed; the console's page has a tag."""
    listed = served.get("/v0/pipelines", accept_encoding="identity").headers
    assert listed["access-control-allow-credentials"] == "true"
    assert listed["vary"].startswith("Origin, ")
    assert listed["cache-control"] == "no-cache"
    assert served.get("/v0/pipelines").headers["vary"] == "accept-encoding"
    assert "cache-control" not in served.get("/v0/pipelines/unknown").headers
    assert "cache-control" not in served.get("/v0/config").headers
    assert "vary" in served.get("/config/authentication").headers
    assert "vary" not in served.get("/healthz", accept_encoding="identity").headers
    assert served.get("/").headers["etag"].startswith('"')


def test_the_date_is_felderas(served: ServedInstance) -> None:
    """The Date has whole seconds of the instance's clock."""
    date = parsedate_to_datetime(served.get("/healthz").headers["date"])
    assert date.timestamp() == served.clock.now() // SECOND


def test_an_instance_with_a_wrong_clock() -> None:
    """Date and timestamps are wrong by the same time."""
    clock = ManualClock()
    feldera = Feldera(SkewedClock(clock, 90))
    feldera.create("a")
    with serve(FelderaServer(feldera)) as url:
        answer = loopback.get(f"{url}/v0/pipelines?selector=status")
    assert answer.json()[0]["created_at"] == "2026-08-21T12:01:30Z"
    assert answer.headers["date"] == "Fri, 21 Aug 2026 12:01:30 GMT"


@pytest.mark.parametrize(
    ("version", "missing"),
    [
        ("0.367.0", []),
        ("0.366.0", ["deployment_config"]),
        ("0.323.0", ["deployment_config", "concurrent_bootstrap"]),
        ("0.312.0", ["deployment_config", "concurrent_bootstrap", "tags"]),
        ("0.291.0", ["deployment_config", "concurrent_bootstrap", "tags", "silent_bootstrap"]),
        (
            "0.250.0",
            [
                "deployment_config",
                "concurrent_bootstrap",
                "tags",
                "silent_bootstrap",
                "storage_status_details",
            ],
        ),
    ],
)
def test_older_versions_have_fewer_fields(version: str, missing: list[str]) -> None:
    """There are no events before v0.292, no Retry-After before v0.330, other details before v0.322."""
    instance = SimulatedInstance(version=version)
    instance.run()
    minor = int(version.split(".")[1])
    with serve(FelderaServer(instance.feldera)) as url:
        (row,) = loopback.get(f"{url}/v0/pipelines?selector=status").json()
        assert set(STATUS) - set(row) == set(missing)
        assert isinstance(row["deployment_runtime_status_details"], dict if minor >= 322 else str)
        for path in ("events", "events/latest"):
            answer = loopback.get(f"{url}/v0/pipelines/a/{path}")
            assert (answer.status_code, bool(answer.text)) == ((200, True) if minor >= 292 else (404, False))
        instance.feldera.create("b")
        assert ("retry-after" in loopback.get(f"{url}/v0/pipelines/b/stats").headers) == (minor >= 330)
        assert loopback.request("POST", f"{url}/v0/pipelines/b/dismiss_error").status_code == (
            200 if minor >= 251 else 404
        )
        health = loopback.get(f"{url}/v0/cluster_healthz").json()["api"]
        assert (health["unchanged_since"] == health["checked_at"]) or minor >= 336


def test_a_pipeline_without_events(served: ServedInstance) -> None:
    """A pipeline that is unchanged since before the upgrade has an empty list, and no latest event."""
    served.feldera.get("a").log.trim(0)
    assert served.get("/v0/pipelines/a/events").json() == []
    answer = served.get("/v0/pipelines/a/events/latest")
    assert answer.json()["error_code"] == "NoPipelineMonitorEventsAvailable"


def test_bad_bodies_and_parameters(served: ServedInstance) -> None:
    """The answer is plain text with what could not be read."""
    assert served.client is not None
    for answer in (
        served.client.post("/v0/pipelines", content=b"{"),
        served.client.post("/v0/pipelines", json={"program_code": ""}),
        served.post("/v0/pipelines/a/stop?force=maybe"),
    ):
        assert answer.status_code == 400
        assert "deserialize error" in answer.text
    assert served.post("/v0/pipelines/a/start?initial=walking").status_code == 405
    renamed = served.client.put("/v0/pipelines/new", json={"name": "other", "program_code": ""})
    assert renamed.json()["error_code"] == "CannotRenameNonExistingPipeline"


def test_requests_are_counted_by_route(served: ServedInstance) -> None:
    """Requests to unknown paths are counted as well."""
    for path in ("/v0/pipelines", "/v0/pipelines/a/events", "/v0/pipelines/a/events/latest", "/v0/x", "/"):
        served.get(path)
    assert served.server.requests == {"pipelines": 1, "events": 1, "event": 1, "unknown": 1, "console": 1}
    assert served.server.most_in_flight == 1
    assert served.server.in_flight == 0


def test_the_most_in_flight_are_counted(served: ServedInstance) -> None:
    """Five slow requests at once are five."""
    served.server.faults.set("events", Slow(0.1))

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=served.url) as client:
            await asyncio.gather(*(client.get("/v0/pipelines/a/events") for _ in range(5)))

    asyncio.run(ask())
    assert served.server.most_in_flight == 5


def test_gzip_is_sent_only_if_accepted(served: ServedInstance) -> None:
    """A compressed answer has no Content-Length."""
    assert served.client is not None
    plain = served.get("/v0/pipelines/a/events", accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    with served.client.stream("GET", "/v0/pipelines/a/events") as answer:
        raw = b"".join(answer.iter_raw())
    assert "content-length" not in answer.headers
    assert len(raw) < len(plain.content) == int(plain.headers["content-length"])
    assert gzip.decompress(raw) == plain.content


def test_several_instances_serve_side_by_side() -> None:
    """Each instance has its own port and pipelines."""
    clock = ManualClock()
    east, west = Feldera(clock, 1), Feldera(clock, 2)
    east.create("e")
    west.create("w")
    with serve(FelderaServer(east)) as first, serve(FelderaServer(west)) as second:
        names = [loopback.get(f"{url}/v0/pipelines").json()[0]["name"] for url in (first, second)]
    assert names == ["e", "w"]


def test_a_taken_port_is_an_error(served: ServedInstance) -> None:
    """A port in use is an error at once."""
    port = int(served.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"), serve(served.server, port=port):
        pass


def test_a_server_is_gone_after_its_block() -> None:
    """Its port is free again, and its thread has ended."""
    with serve(FelderaServer(Feldera(ManualClock()))) as url:
        loopback.get(f"{url}/healthz")
    with pytest.raises(httpx.ConnectError):
        loopback.get(f"{url}/healthz")
    with serve(FelderaServer(Feldera(ManualClock())), port=int(url.rsplit(":", 1)[1])) as again:
        assert again == url


def test_edits_over_http(served: ServedInstance) -> None:
    """PUT and PATCH change what they name, and answer with the whole pipeline, also under a new name."""
    assert served.client is not None
    made = served.client.put("/v0/pipelines/b", json={"name": "b", "program_code": "", "tags": ["x"]})
    assert (made.status_code, made.json()["tags"]) == (201, ["x"])
    body = {"description": "d", "runtime_config": {"hosts": 2, "provisioning_timeout_secs": 90}}
    patched = served.client.patch("/v0/pipelines/b", json=body).json()
    assert (patched["description"], patched["tags"], patched["version"]) == ("d", ["x"], 2)
    shown = patched["runtime_config"]
    assert (shown["workers"], shown["hosts"], shown["provisioning_timeout"]) == (8, 2, "1m30s")
    renamed = served.client.put("/v0/pipelines/b", json={"name": "c", "program_code": "SELECT 1"}).json()
    assert (renamed["name"], renamed["id"], renamed["program_version"]) == ("c", made.json()["id"], 2)
    taken = served.client.patch("/v0/pipelines/c", json={"name": "a"})
    assert (taken.status_code, taken.json()["error_code"]) == (409, "DuplicateName")
    assert served.client.delete("/v0/pipelines/c").status_code == 200
    assert served.get("/v0/pipelines/c").status_code == 404


def test_operations_over_http(served: ServedInstance) -> None:
    """Each operation is accepted and then happens."""
    for operation, status, answered in (
        ("pause", "Paused", 202),
        ("activate?initial=running", "Running", 202),
        ("stop", "Stopped", 202),
        ("dismiss_error", "Stopped", 200),
        ("clear", "Stopped", 202),
        ("start?initial=paused", "Paused", 202),
        ("resume", "Running", 202),
    ):
        assert served.post(f"/v0/pipelines/a/{operation}").status_code == answered, operation
        served.go(30)
        assert served.status == status


def test_an_approval_over_http() -> None:
    """An approval is answered at once."""
    instance = SimulatedInstance(Plan(path=(Phase("AwaitingApproval", None),)))
    instance.run()
    with serve(FelderaServer(instance.feldera)) as url:
        assert loopback.request("POST", f"{url}/v0/pipelines/a/approve").status_code == 200
    instance.go(5)
    assert instance.status == "Running"


def test_a_server_that_does_not_come_up_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that does not start is an error within its time."""
    monkeypatch.setattr(uvicorn.Server, "run", lambda _self, sockets: sockets[0].close())
    with pytest.raises(RuntimeError, match="did not come up"), serve(FelderaServer(Feldera(ManualClock()))):
        pass
