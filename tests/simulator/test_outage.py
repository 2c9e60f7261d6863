"""While its database is down the stand-in answers as Feldera does, and goes on afterwards."""

import pytest

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from support import loopback
from support.simulated_api import Served, Stage


def test_what_needs_the_database_is_a_500(served: Served) -> None:
    """Without Retry-After; the configuration needs none, and /healthz says why it is unhealthy."""
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
    """Whoever asks with a good one is told that it is not: 401, in the same form."""
    stage = Stage()
    with serve(FelderaServer(stage.feldera, keys={"apikey:x": "read"})) as url:
        headers = {"Authorization": "Bearer apikey:x"}
        assert loopback.get(f"{url}/v0/config", headers=headers).status_code == 200
        stage.feldera.inject.lose_database()
        answer = loopback.get(f"{url}/v0/config", headers=headers)
    assert (answer.status_code, answer.json()["error_code"]) == (401, "AuthenticationFailed")


def test_nothing_is_written_meanwhile() -> None:
    """UserOperations are refused; runner, compiler and monitor try again once it is back."""
    stage = Stage()
    stage.run()
    stage.feldera.create("b")
    stage.feldera.inject.lose_database()
    events, recorded = len(stage.events), len(stage.feldera.cluster.events)
    stage.feldera.inject.crash("a")
    for act in (
        lambda: stage.feldera.create("c"),
        lambda: stage.feldera.start("b"),
        lambda: stage.feldera.patch_metadata("a", tags=["x"]),
        lambda: stage.feldera.delete("b"),
    ):
        with pytest.raises(ApiError, match="PostgresPoolError"):
            act()
    stage.go(3600)
    assert (len(stage.events), len(stage.feldera.cluster.events)) == (events, recorded)
    assert stage.feldera.get("b").row.program_status == "Pending"
    stage.feldera.inject.find_database()
    stage.go(120)
    assert (stage.status, stage.error) == ("Stopped", "RuntimeError.WorkerPanic")
    assert stage.feldera.get("b").row.program_status == "Success"
    assert len(stage.feldera.cluster.events) == recorded + 1


def test_a_compilation_that_ends_meanwhile_is_made_again() -> None:
    """Its stage, from the beginning."""
    stage = Stage(Plan(compiling_rust=100))
    assert stage.feldera.get("a").row.program_status == "CompilingRust"
    stage.feldera.inject.lose_database()
    stage.go(90)
    stage.feldera.inject.find_database()
    stage.go(20)
    assert stage.feldera.get("a").row.program_status == "CompilingRust"
    stage.go(120)
    assert stage.feldera.get("a").row.program_status == "Success"
