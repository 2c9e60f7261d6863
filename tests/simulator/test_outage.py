"""While its database is down the stand-in answers like Feldera, and goes on afterwards."""

import pytest

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.simulated_api import ServedInstance, SimulatedInstance


def test_what_needs_the_database_is_a_500(served: ServedInstance) -> None:
    """There is no Retry-After; the configuration needs no database, and /healthz has the reason."""
    served.feldera.inject.lose_database()
    for path in ("/v0/pipelines", "/v0/metrics", "/v0/cluster_healthz", "/v0/config/session"):
        answer = served.get(path)
        assert (answer.status_code, answer.json()["error_code"]) == (500, "PostgresPoolError"), path
        assert answer.json()["details"].keys() == {"error", "backtrace"}
        assert "retry-after" not in answer.headers
    assert served.post("/v0/pipelines/a/stop").status_code == 500
    assert served.get("/v0/config").status_code == 200
    assert served.get("/v0/nothing").status_code == 404
    assert served.get("/").status_code == 200
    answer = served.get("/healthz")
    assert (answer.status_code, answer.json()["status"][:9]) == (500, "unhealthy")
    served.feldera.inject.find_database()
    assert served.get("/v0/pipelines").status_code == 200
    assert served.get("/healthz").status_code == 200


def test_no_key_is_known() -> None:
    """Without the database a good key gets a 401 in the form of a wrong one."""
    instance = SimulatedInstance()
    with serve(FelderaServer(instance.feldera, keys={"apikey:x": "read"})) as url:
        headers = {"Authorization": "Bearer apikey:x"}
        assert loopback.get(f"{url}/v0/config", headers=headers).status_code == 200
        instance.feldera.inject.lose_database()
        answer = loopback.get(f"{url}/v0/config", headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (401, "AuthenticationFailed")


def test_nothing_is_written_meanwhile() -> None:
    """User operations are refused; runner, compiler and monitor try again afterwards."""
    instance = SimulatedInstance()
    instance.run()
    instance.feldera.create("b")
    instance.feldera.inject.lose_database()
    events, recorded = len(instance.events), len(instance.feldera.cluster.events)
    instance.feldera.inject.crash("a")
    for act in (
        lambda: instance.feldera.create("c"),
        lambda: instance.feldera.start("b"),
        lambda: instance.feldera.patch_metadata("a", tags=["x"]),
        lambda: instance.feldera.delete("b"),
    ):
        with pytest.raises(ApiError, match="PostgresPoolError"):
            act()
    instance.go(3600)
    assert (len(instance.events), len(instance.feldera.cluster.events)) == (events, recorded)
    assert instance.feldera.get("b").row.program_status == "Pending"
    instance.feldera.inject.find_database()
    instance.go(120)
    assert (instance.status, instance.error) == ("Stopped", "RuntimeError.WorkerPanic")
    assert instance.feldera.get("b").row.program_status == "Success"
    assert len(instance.feldera.cluster.events) == recorded + 1


def test_a_compilation_that_ends_meanwhile_is_made_again() -> None:
    """Its stage begins again."""
    instance = SimulatedInstance(Plan(compiling_rust=100))
    assert instance.feldera.get("a").row.program_status == "CompilingRust"
    instance.feldera.inject.lose_database()
    instance.go(90)
    instance.feldera.inject.find_database()
    instance.go(20)
    assert instance.feldera.get("a").row.program_status == "CompilingRust"
    instance.go(120)
    assert instance.feldera.get("a").row.program_status == "Success"
