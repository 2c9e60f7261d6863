"""The stand-in answers over HTTP as Feldera does."""

import asyncio
import gzip
import json
import re
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx
import pytest
import uvicorn

from feldera_exporter.simulator.clock import SECOND, ManualClock, SkewedClock
from feldera_exporter.simulator.faults import Slow
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Phase, Plan
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from simulator.world import Served, Stage

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


def test_the_list_by_selector(served: Served) -> None:
    """Status has its 34 fields in their order, all seven more, and with connectors one more."""
    (status,) = served.get("/v0/pipelines?selector=status").json()
    assert list(status) == STATUS
    assert status["deployment_status"] == "Running"
    assert status["deployment_runtime_status_details"] == {"connector_stats": {"num_errors": 0}}
    (full,) = served.get("/v0/pipelines").json()
    assert sorted(full) == sorted(STATUS + ALL)
    (connectors,) = served.get("/v0/pipelines?selector=status_with_connectors").json()
    assert connectors == {**status, "connectors": {"num_errors": 0}}
    assert served.get("/v0/pipelines/a?selector=status").json() == status


def test_a_stopped_pipeline_has_nulls(served: Served) -> None:
    """They are present; connectors are not."""
    served.feldera.create("b")
    _, row = served.get("/v0/pipelines?selector=status_with_connectors").json()
    assert "connectors" not in row
    nulls = {field for field, value in row.items() if value is None}
    assert nulls == {
        "deployment_config", "deployment_error", "storage_status_details", "deployment_id", "deployment_initial",
        "deployment_runtime_status", "deployment_runtime_status_details", "deployment_runtime_status_since",
        "deployment_runtime_desired_status", "deployment_runtime_desired_status_since", "bootstrap_policy",
    }  # fmt: skip


def test_the_list_is_sorted_by_id_and_made_anew_only_after_a_change(served: Served) -> None:
    """Two answers in a row are the same bytes, packed or not."""
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


def test_events_by_selector_and_id(served: Served) -> None:
    """Newest first; each is there by itself, and the first is the latest."""
    status = served.get("/v0/pipelines/a/events").json()
    full = served.get("/v0/pipelines/a/events?selector=all").json()
    assert all(list(event) == EVENT for event in status)
    assert len(full[0]) == len(EVENT) + 4
    # Not by the text: "12:00:00Z" sorts behind "12:00:00.5Z".
    order = [(datetime.fromisoformat(event["recorded_at"]), event["event_id"]) for event in status]
    assert order == sorted(order, reverse=True)
    assert served.get("/v0/pipelines/a/events/latest").json() == status[0]
    one = served.get(f"/v0/pipelines/a/events/{status[3]['event_id']}?selector=all").json()
    assert one == full[3]


@pytest.mark.parametrize(
    ("path", "status", "content_type", "body"),
    [
        ("/v0/pipelines/nobody", 404, "application/json", "UnknownPipelineName"),
        ("/v0/pipelines/nobody/events", 404, "application/json", "UnknownPipelineName"),
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
def test_an_odd_request(served: Served, path: str, status: int, content_type: str | None, body: str) -> None:
    """Each has its own form of answer."""
    answer = served.get(path)
    assert (answer.status_code, answer.headers.get("content-type")) == (status, content_type)
    assert body in answer.text
    assert bool(body) == bool(answer.text)


def test_a_method_that_no_route_has_is_denied(served: Served) -> None:
    """HEAD and OPTIONS among them, in a form without details; elsewhere nothing is known of methods."""
    assert served.client is not None
    for method in ("HEAD", "OPTIONS", "DELETE"):
        answer = served.client.request(method, "/v0/pipelines", headers={"Accept-Encoding": "identity"})
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/json")
        assert int(answer.headers["content-length"]) > 100
        if method != "HEAD":
            assert set(answer.json()) == {"message", "error_code"}
    assert served.client.options("/v0/nothing").status_code == 404
    assert served.client.head("/pipelines").status_code == 200


def test_errors_have_details_always(served: Served) -> None:
    """Empty where there is nothing to tell."""
    assert served.client is not None
    refused = served.client.delete("/v0/pipelines/a").json()
    assert refused["details"] == {}
    assert served.get("/v0/cluster/events/x").json()["details"].keys() == {"value", "error"}


def test_headers_that_browsers_ask_for(served: Served) -> None:
    """Below /v0 and /config, and what may not be kept says so; the console's page has a tag instead."""
    listed = served.get("/v0/pipelines", accept_encoding="identity").headers
    assert listed["access-control-allow-credentials"] == "true"
    assert listed["vary"].startswith("Origin, ")
    assert listed["cache-control"] == "no-cache"
    assert served.get("/v0/pipelines").headers["vary"] == "accept-encoding"
    assert "cache-control" not in served.get("/v0/pipelines/nobody").headers
    assert "cache-control" not in served.get("/v0/config").headers
    assert "vary" in served.get("/config/authentication").headers
    assert "vary" not in served.get("/healthz", accept_encoding="identity").headers
    assert served.get("/").headers["etag"].startswith('"')


def test_the_date_is_felderas(served: Served) -> None:
    """Whole seconds of the instance's clock."""
    date = parsedate_to_datetime(served.get("/healthz").headers["date"])
    assert date.timestamp() == served.clock.now() // SECOND


def test_an_instance_with_a_wrong_clock() -> None:
    """Date and timestamps are off together."""
    clock = ManualClock()
    feldera = Feldera(SkewedClock(clock, 90))
    feldera.create("a")
    with serve(FelderaServer(feldera)) as url:
        answer = httpx.get(f"{url}/v0/pipelines?selector=status")
    assert answer.json()[0]["created_at"] == "2026-08-21T12:01:30Z"
    assert answer.headers["date"] == "Fri, 21 Aug 2026 12:01:30 GMT"


def statuses(text: str) -> dict[str, int]:
    """Return the values of Feldera's own status metric, by status."""
    pattern = r'^pipeline_status\{pipeline="[^"]*",pipeline_name="[^"]*",status="([^"]*)"\} ([01])$'
    return {status: int(value) for status, value in re.findall(pattern, text, re.MULTILINE)}


def test_native_metrics(served: Served) -> None:
    """All begin with the status of every pipeline; those that run then repeat their own families."""
    identity = served.feldera.get("a").id
    own = served.get("/v0/pipelines/a/metrics")
    assert own.headers["content-type"] == "text/plain"
    assert own.text.startswith(
        "# HELP pipeline_status Whether the pipeline is in the status named by the status label: "
        "1 if it is, 0 if it is not.\n# TYPE pipeline_status gauge\n"
        f'pipeline_status{{pipeline="pipeline-{identity}",pipeline_name="a",status="Stopped"}} 0\n'
    )
    found = statuses(own.text)
    assert (len(found), found["Running"], sum(found.values())) == (15, 1, 1)
    assert f'pipeline_complete{{pipeline="pipeline-{identity}",pipeline_name="a"}} 0' in own.text
    assert served.get("/v0/metrics").text == own.text + "\n"
    first, *_, complete, _ = served.get("/v0/pipelines/a/metrics?format=json").json()
    labels = {"pipeline": f"pipeline-{identity}", "pipeline_name": "a"}
    assert (first["key"], first["type"], len(first["values"])) == ("pipeline_status", "gauge", 15)
    assert first["values"][0] == {"labels": {**labels, "status": "Stopped"}, "value": 0}
    assert (complete["key"], complete["type"]) == ("pipeline_complete", "gauge")
    assert complete["values"] == [{"labels": labels, "value": 0}]


def test_native_metrics_of_what_does_not_run(served: Served) -> None:
    """Are the status alone, without an error, whether it is not deployed, has no circuit yet or does not answer."""
    served.feldera.create("b")
    stopped = served.get("/v0/pipelines/b/metrics")
    assert (stopped.status_code, statuses(stopped.text)["Stopped"]) == (200, 1)
    together = served.get("/v0/metrics").text
    assert together.count("pipeline_status{") == 30
    assert together.count("# TYPE pipeline_complete") == 1
    served.feldera.world.report("a", "Initializing")
    assert "pipeline_complete" not in served.get("/v0/pipelines/a/metrics").text
    served.feldera.world.lose("a")
    assert "pipeline_complete" not in served.get("/v0/metrics").text
    assert served.get("/v0/pipelines/nobody/metrics").status_code == 404


def test_native_metrics_before_they_had_the_status() -> None:
    """A pipeline that is not deployed, or has no circuit yet, answers 503; all together leave it out."""
    stage = Stage(version="0.355.0")
    stage.run(4)
    assert stage.status == "Initializing"
    with serve(FelderaServer(stage.feldera)) as url:
        answer = httpx.get(f"{url}/v0/pipelines/a/metrics")
        assert (answer.status_code, answer.json()["error_code"]) == (503, "Initializing")
        assert "retry-after" not in answer.headers  # the pipeline itself says so
        assert httpx.get(f"{url}/v0/metrics").text == ""
        stage.go(60)
        assert httpx.get(f"{url}/v0/metrics").text == httpx.get(f"{url}/v0/pipelines/a/metrics").text + "\n"
        stage.feldera.create("b")
        refused = httpx.get(f"{url}/v0/pipelines/b/metrics")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")


def test_the_cluster_by_its_last_event(served: Served) -> None:
    """An unhealthy service shows at the next poll of the monitor, and why; 503 with the same body."""
    assert served.get("/v0/cluster_healthz").json()["all_healthy"] is True
    served.feldera.world.service("runner", "Unreachable: connection refused")
    assert served.get("/v0/cluster_healthz").status_code == 200
    served.go(10)
    answer = served.get("/v0/cluster_healthz")
    body = answer.json()
    assert (answer.status_code, body["all_healthy"]) == (503, False)
    assert body["runner"]["message"] == "Unreachable: connection refused"
    assert body["runner"]["unchanged_since"] == body["runner"]["checked_at"]
    assert body["api"]["unchanged_since"] < body["runner"]["unchanged_since"]
    assert "retry-after" not in answer.headers
    served.feldera.world.service("runner", None)
    served.go(10)
    assert served.get("/v0/cluster_healthz").json()["runner"]["healthy"] is True
    events = served.get("/v0/cluster/events").json()
    assert [event["runner_status"] for event in events] == ["Healthy", "Unhealthy", "Healthy", "Healthy"]
    latest = served.get("/v0/cluster/events/latest").json()
    assert latest == {**events[0], "stale": False}
    one = served.get(f"/v0/cluster/events/{events[1]['id']}?selector=all").json()
    assert one["runner_self_info"] == "Unreachable: connection refused"


def test_health_that_is_old_is_stale(served: Served) -> None:
    """A dead monitor is not healthy half an hour later, and every answer says so; its last words are still told."""
    served.feldera.cluster.running = False
    fresh = served.get("/v0/cluster_healthz").json()
    assert (fresh["stale"], fresh["stale_after_seconds"], fresh["all_healthy"]) == (False, 1800, True)
    last = served.feldera.cluster.events[-1].recorded_at
    served.go(1800 - (served.clock.now() - last) / SECOND)
    assert served.get("/v0/cluster_healthz").status_code == 200
    served.go(1)
    answer = served.get("/v0/cluster_healthz")
    body = answer.json()
    assert (answer.status_code, body["stale"], body["all_healthy"]) == (503, True, False)
    assert body["api"] == fresh["api"]
    assert served.get("/v0/cluster/events/latest").json()["stale"] is True
    assert "stale" not in served.get("/v0/cluster/events").json()[0]


def test_older_servers_tell_their_last_health_for_ever() -> None:
    """Without a word about its age."""
    stage = Stage(version="0.351.0")
    stage.feldera.cluster.running = False
    stage.go(86_400)
    with serve(FelderaServer(stage.feldera)) as url:
        answer = httpx.get(f"{url}/v0/cluster_healthz")
        assert (answer.status_code, answer.json()["all_healthy"], "stale" in answer.json()) == (
            200,
            True,
            False,
        )
        assert "stale" not in httpx.get(f"{url}/v0/cluster/events/latest").json()


def test_a_healthy_cluster_is_recorded_each_ten_minutes_an_unhealthy_one_ever_more_rarely() -> None:
    """Twice at first; at most 1000 events and 72 hours; a dead monitor shows as an old event only."""
    stage = Stage()
    cluster = stage.feldera.cluster
    stage.go(3600)
    assert len(cluster.events) == 8
    stage.feldera.world.service("compiler", "Timeout: no answer")
    stage.go(3600)
    gaps = [
        (after.recorded_at - before.recorded_at) // SECOND
        for before, after in zip(cluster.events[8:], cluster.events[9:], strict=False)
    ]
    assert gaps == [10, 20, 40, 80, 160, 320, 600, 600, 600, 600]
    stage.go(7 * 86_400)
    assert len(cluster.events) <= 433
    cluster.running = False
    last = cluster.events[-1]
    stage.go(86_400)
    assert cluster.events[-1] is last


def test_a_service_that_was_never_well_is_initially_unhealthy() -> None:
    """Until its first success."""
    clock = ManualClock()
    feldera = Feldera(clock)
    server = FelderaServer(feldera)
    feldera.cluster.health["runner"] = "Unreachable"
    feldera.cluster.running = False
    feldera.settle()
    with serve(server) as url:
        assert (
            httpx.get(f"{url}/v0/cluster_healthz").json()["error_code"] == "NoClusterMonitorEventsAvailable"
        )
        assert httpx.get(f"{url}/v0/cluster/events/latest").status_code == 404
        feldera.cluster.running = True
        clock.advance(10)
        assert httpx.get(f"{url}/v0/cluster/events/latest").json()["runner_status"] == "InitialUnhealthy"


def test_configuration_session_and_license() -> None:
    """By edition, tenant and license; a license's end and its `current` are on the same clock."""
    clock = ManualClock()
    feldera = Feldera(clock, tenant="shop", version="0.330.1")
    server = FelderaServer(feldera)
    with serve(server) as url:
        session = httpx.get(f"{url}/v0/config/session").json()
        assert (session["tenant_name"], session["role"]) == ("shop", "admin")
        config = httpx.get(f"{url}/v0/config").json()
        assert (config["version"], config["edition"]) == ("0.330.1", "Enterprise")
        exists = config["license_validity"]["Exists"]
        assert exists["current"] == "2026-08-21T12:00:00Z"
        assert exists["valid_until"] == "2027-08-21T12:00:00Z"
        server.instance.has_license = False
        assert "DoesNotExistOrNotConfirmed" in httpx.get(f"{url}/v0/config").json()["license_validity"]
    with serve(FelderaServer(Feldera(clock, edition="Open source"))) as url:
        assert httpx.get(f"{url}/v0/config").json()["license_validity"] is None


def test_api_keys() -> None:
    """None: 401 and nothing more; a wrong one: 401 in plain text; one to read only: 403."""
    clock = ManualClock()
    feldera = Feldera(clock)
    feldera.create("a")
    server = FelderaServer(feldera, keys={"apikey:reader": "read", "apikey:writer": "write"})
    with serve(server) as url, httpx.Client(base_url=url) as client:
        assert client.get("/healthz").status_code == 200
        for header in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer"}):
            answer = client.get("/v0/pipelines", headers=header)
            assert (answer.status_code, answer.text) == (401, "")
            assert answer.headers["www-authenticate"] == "Bearer"
        answer = client.get("/v0/pipelines", headers={"Authorization": "Bearer some.other.token"})
        assert (answer.status_code, answer.text) == (401, "")
        assert answer.headers["www-authenticate"].startswith('Bearer error_description="')
        assert "GenericOidc" in client.get("/config/authentication").json()
        answer = client.get("/v0/pipelines", headers={"Authorization": "Bearer apikey:x"})
        assert answer.status_code == 401
        assert answer.headers["content-type"].startswith("text/plain")
        assert json.loads(answer.text)["error_code"] == "AuthenticationFailed"
        console = client.get("/pipelines")
        assert (console.status_code, console.headers["content-type"]) == (200, "text/html")
        reader = {"Authorization": "Bearer apikey:reader"}
        assert client.post("/v0/nothing", headers=reader).status_code == 404
        assert client.get("/v0/pipelines", headers=reader).status_code == 200
        assert client.get("/v0/config/session", headers=reader).json()["role"] == "read"
        answer = client.post("/v0/pipelines/a/start", headers=reader)
        assert (answer.status_code, answer.json()["error_code"]) == (403, "InsufficientPermissions")
        writer = {"Authorization": "Bearer apikey:writer"}
        assert client.post("/v0/pipelines/a/start", headers=writer).status_code == 202


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
    """And no events before v0.292, no Retry-After before v0.330, other details before v0.322."""
    stage = Stage(version=version)
    stage.run()
    minor = int(version.split(".")[1])
    with serve(FelderaServer(stage.feldera)) as url:
        (row,) = httpx.get(f"{url}/v0/pipelines?selector=status").json()
        assert set(STATUS) - set(row) == set(missing)
        assert isinstance(row["deployment_runtime_status_details"], dict if minor >= 322 else str)
        for path in ("events", "events/latest"):
            answer = httpx.get(f"{url}/v0/pipelines/a/{path}")
            assert (answer.status_code, bool(answer.text)) == ((200, True) if minor >= 292 else (404, False))
        stage.feldera.create("b")
        assert ("retry-after" in httpx.get(f"{url}/v0/pipelines/b/stats").headers) == (minor >= 330)
        assert httpx.post(f"{url}/v0/pipelines/b/dismiss_error").status_code == (200 if minor >= 251 else 404)
        health = httpx.get(f"{url}/v0/cluster_healthz").json()["api"]
        assert (health["unchanged_since"] == health["checked_at"]) or minor >= 336


def test_a_pipeline_without_events(served: Served) -> None:
    """One that was there before the upgrade and was not touched since: an empty list, and no latest one."""
    served.feldera.get("a").log.trim(0)
    assert served.get("/v0/pipelines/a/events").json() == []
    answer = served.get("/v0/pipelines/a/events/latest")
    assert answer.json()["error_code"] == "NoPipelineMonitorEventsAvailable"


def test_bad_bodies_and_parameters(served: Served) -> None:
    """Plain text that says what could not be read."""
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


def test_requests_are_counted_by_route(served: Served) -> None:
    """Also those that no route knows."""
    for path in ("/v0/pipelines", "/v0/pipelines/a/events", "/v0/pipelines/a/events/latest", "/v0/x", "/"):
        served.get(path)
    assert served.server.requests == {"pipelines": 1, "events": 1, "event": 1, "unknown": 1, "console": 1}
    assert served.server.most_in_flight == 1
    assert served.server.in_flight == 0


def test_the_most_in_flight_are_counted(served: Served) -> None:
    """Five slow requests at once are five."""
    served.server.faults.set("events", Slow(0.1))

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=served.url) as client:
            await asyncio.gather(*(client.get("/v0/pipelines/a/events") for _ in range(5)))

    asyncio.run(ask())
    assert served.server.most_in_flight == 5


def test_gzip_is_sent_only_if_accepted(served: Served) -> None:
    """And then its length is not told."""
    assert served.client is not None
    plain = served.get("/v0/pipelines/a/events", accept_encoding="identity")
    assert "content-encoding" not in plain.headers
    with served.client.stream("GET", "/v0/pipelines/a/events") as answer:
        raw = b"".join(answer.iter_raw())
    assert "content-length" not in answer.headers
    assert len(raw) < len(plain.content) == int(plain.headers["content-length"])
    assert gzip.decompress(raw) == plain.content


def test_several_instances_serve_side_by_side() -> None:
    """Each on its own port, with its own pipelines."""
    clock = ManualClock()
    east, west = Feldera(clock, 1), Feldera(clock, 2)
    east.create("e")
    west.create("w")
    with serve(FelderaServer(east)) as first, serve(FelderaServer(west)) as second:
        names = [httpx.get(f"{url}/v0/pipelines").json()[0]["name"] for url in (first, second)]
    assert names == ["e", "w"]


def test_a_taken_port_is_an_error(served: Served) -> None:
    """At once."""
    port = int(served.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"), serve(served.server, port=port):
        pass


def test_a_server_is_gone_after_its_block() -> None:
    """Its port is free again, and its thread has ended."""
    with serve(FelderaServer(Feldera(ManualClock()))) as url:
        httpx.get(f"{url}/healthz")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")
    with serve(FelderaServer(Feldera(ManualClock())), port=int(url.rsplit(":", 1)[1])) as again:
        assert again == url


def test_edits_over_http(served: Served) -> None:
    """PUT and PATCH change what they name; the answer is the whole pipeline, also under its new name."""
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


def test_operations_over_http(served: Served) -> None:
    """Each is accepted and then happens."""
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
    """It is answered at once."""
    stage = Stage(Plan(path=(Phase("AwaitingApproval", None),)))
    stage.run()
    with serve(FelderaServer(stage.feldera)) as url:
        assert httpx.post(f"{url}/v0/pipelines/a/approve").status_code == 200
    stage.go(5)
    assert stage.status == "Running"


def test_a_server_that_does_not_come_up_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not a wait for ever."""
    monkeypatch.setattr(uvicorn.Server, "run", lambda _self, sockets: sockets[0].close())
    with pytest.raises(RuntimeError, match="did not come up"), serve(FelderaServer(Feldera(ManualClock()))):
        pass
