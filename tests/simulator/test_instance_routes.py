"""The stand-in's routes about the instance: health of its cluster, configuration, license, access."""

import json

import httpx

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.clocks import ManualClock
from support.simulated_api import ServedInstance, SimulatedInstance


def test_the_cluster_by_its_last_event(served: ServedInstance) -> None:
    """An unhealthy service shows at the monitor's next poll with its reason: 503 with the same body."""
    assert served.get("/v0/cluster_healthz").json()["all_healthy"] is True
    served.feldera.inject.service("runner", "Unreachable: connection refused")
    assert served.get("/v0/cluster_healthz").status_code == 200
    served.go(10)
    answer = served.get("/v0/cluster_healthz")
    body = answer.json()
    assert (answer.status_code, body["all_healthy"]) == (503, False)
    assert body["runner"]["message"] == "Unreachable: connection refused"
    assert body["runner"]["unchanged_since"] == body["runner"]["checked_at"]
    assert body["api"]["unchanged_since"] < body["runner"]["unchanged_since"]
    assert "retry-after" not in answer.headers
    served.feldera.inject.service("runner", None)
    served.go(10)
    assert served.get("/v0/cluster_healthz").json()["runner"]["healthy"] is True
    events = served.get("/v0/cluster/events").json()
    assert [event["runner_status"] for event in events] == ["Healthy", "Unhealthy", "Healthy", "Healthy"]
    latest = served.get("/v0/cluster/events/latest").json()
    assert latest == {**events[0], "stale": False}
    event = served.get(f"/v0/cluster/events/{events[1]['id']}?selector=all").json()
    assert event["runner_self_info"] == "Unreachable: connection refused"


def test_health_that_is_old_is_stale(served: ServedInstance) -> None:
    """Half an hour after a monitor's end its last health is marked as stale."""
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


def test_older_servers_show_their_last_health_for_ever() -> None:
    """Older servers show the last health without its age."""
    simulated = SimulatedInstance(version="0.351.0")
    simulated.feldera.cluster.running = False
    simulated.go(86_400)
    with serve(FelderaServer(simulated.feldera)) as url:
        answer = loopback.get(f"{url}/v0/cluster_healthz")
        assert (answer.status_code, answer.json()["all_healthy"], "stale" in answer.json()) == (
            200,
            True,
            False,
        )
        assert "stale" not in loopback.get(f"{url}/v0/cluster/events/latest").json()


def test_a_healthy_cluster_is_recorded_each_ten_minutes_an_unhealthy_one_ever_more_rarely() -> None:
    """At most 1000 events of 72 hours are kept."""
    simulated = SimulatedInstance()
    cluster = simulated.feldera.cluster
    simulated.go(3600)
    assert len(cluster.events) == 8
    simulated.feldera.inject.service("compiler", "Timeout: no answer")
    simulated.go(3600)
    gaps = [
        (after.recorded_at - before.recorded_at) // SECOND
        for before, after in zip(cluster.events[8:], cluster.events[9:], strict=False)
    ]
    assert gaps == [10, 20, 40, 80, 160, 320, 600, 600, 600, 600]
    simulated.go(7 * 86_400)
    assert len(cluster.events) <= 433
    cluster.running = False
    last = cluster.events[-1]
    simulated.go(86_400)
    assert cluster.events[-1] is last


def test_a_service_that_was_never_well_is_initially_unhealthy() -> None:
    """It is so until its first success."""
    clock = ManualClock()
    feldera = Feldera(clock)
    server = FelderaServer(feldera)
    feldera.cluster.health["runner"] = "Unreachable"
    feldera.cluster.running = False
    feldera.settle()
    with serve(server) as url:
        assert (
            loopback.get(f"{url}/v0/cluster_healthz").json()["error_code"]
            == "NoClusterMonitorEventsAvailable"
        )
        assert loopback.get(f"{url}/v0/cluster/events/latest").status_code == 404
        feldera.cluster.running = True
        clock.advance(10)
        assert loopback.get(f"{url}/v0/cluster/events/latest").json()["runner_status"] == "InitialUnhealthy"


def test_a_restarted_monitor_writes_at_once() -> None:
    """It does not wait for the next heartbeat."""
    simulated = SimulatedInstance()
    cluster = simulated.feldera.cluster
    known = len(cluster.events)
    simulated.feldera.inject.restart_manager()
    simulated.go(10)
    assert [event.all_healthy for event in cluster.events[known:]] == [True]


def test_configuration_session_and_license() -> None:
    """The answers depend on edition, tenant and license; the license uses the instance's clock."""
    clock = ManualClock()
    feldera = Feldera(clock, tenant="shop", version="0.330.1")
    server = FelderaServer(feldera)
    with serve(server) as url:
        session = loopback.get(f"{url}/v0/config/session").json()
        assert (session["tenant_name"], session["role"]) == ("shop", "admin")
        config = loopback.get(f"{url}/v0/config").json()
        assert (config["version"], config["edition"]) == ("0.330.1", "Enterprise")
        exists = config["license_validity"]["Exists"]
        assert exists["current"] == "2026-08-21T12:00:00Z"
        assert exists["valid_until"] == "2027-08-21T12:00:00Z"
        server.instance.has_license = False
        assert "DoesNotExistOrNotConfirmed" in loopback.get(f"{url}/v0/config").json()["license_validity"]
    with serve(FelderaServer(Feldera(clock, edition="Open source"))) as url:
        assert loopback.get(f"{url}/v0/config").json()["license_validity"] is None


def test_api_keys() -> None:
    """No key: 401 and nothing more; a wrong one: 401 in plain text; one to read only: 403."""
    clock = ManualClock()
    feldera = Feldera(clock)
    feldera.create("a")
    server = FelderaServer(feldera, keys={"apikey:reader": "read", "apikey:writer": "write"})
    with serve(server) as url, httpx.Client(verify=False, base_url=url) as client:
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
