"""The program with hostile answers: its metrics stay true, other instances are polled, and it recovers."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.ask_once import KEY
from support.hostile_answers import ANSWERS, HostileAnswer
from support.raw_server import RawServer, serving_raw
from support.two_instances import RunningExporter, later, two_instances, until
from support.two_instances import feldera as make
from support.two_instances import running as running_

HOSTILE = "hostile"
HEALTHY = "healthy"
Program = tuple[RunningExporter, RawServer, Feldera]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Run the program on a hostile and a healthy instance for all tests of this file."""
    with two_instances(
        tmp_path_factory.mktemp("hostile"), hostile=f"api_key: '{KEY}', max_response_size: 8MiB"
    ) as (
        running,
        raw_server,
        feldera,
    ):
        later(feldera)
        yield running, raw_server, feldera
        log = running.log.read_text()
        assert KEY.lower() not in log.lower()


@pytest.mark.parametrize("hostile", ANSWERS, ids=lambda hostile: hostile.name)
def test_a_hostile_answer(program: Program, hostile: HostileAnswer) -> None:
    """The outcome is counted, the last state stays, the other instance is polled, and a good answer ends it."""
    running, raw_server, _ = program
    before = {name: running.polls(HOSTILE, name) for name in (hostile.outcome, "success", "internal_error")}
    neighbour = running.outcomes(HEALTHY)
    healthy = neighbour["success"]
    raw_server.act, raw_server.prefix = hostile.act, "/v0/pipelines?"
    try:
        until(lambda: running.polls(HOSTILE, hostile.outcome) > before[hostile.outcome])
        page = running.page()
        assert f'feldera_up{{feldera_instance="{HEALTHY}"}} 1' in page
        assert page.count('pipeline_name="victim"') > 100
        assert KEY not in page
        until(lambda: running.polls(HEALTHY, "success") >= healthy + 1)
    finally:
        raw_server.act = None
    outcomes = running.outcomes(HEALTHY)
    # Of this answer alone: what a busy machine once did to the neighbour is no matter of all that follow.
    assert sum(outcomes.values()) - sum(neighbour.values()) == outcomes["success"] - healthy
    succeeded = running.polls(HOSTILE, "success")
    until(lambda: running.polls(HOSTILE, "success") > succeeded, 15)
    assert running.value("feldera_up", feldera_instance=HOSTILE) == 1
    assert running.polls(HOSTILE, "internal_error") == before["internal_error"] == 0


@pytest.mark.parametrize("hostile", ANSWERS[4::9], ids=lambda hostile: hostile.name)
def test_a_hostile_event_log(program: Program, hostile: HostileAnswer) -> None:
    """If only the event log is hostile, statuses are shown on time, and transitions are counted later."""
    running, raw_server, feldera = program
    labels = {"feldera_instance": HOSTILE, "pipeline_name": "victim"}

    def paused() -> float | None:
        return running.value("feldera_pipeline_deployment_status", status="Paused", **labels)

    def entered() -> float | None:
        return running.value(
            "feldera_pipeline_deployment_runtime_status_transitions_total", to="Paused", **labels
        )

    until(lambda: running.value("feldera_exporter_event_backlog", feldera_instance=HOSTILE) == 0)
    before = entered()
    assert before is not None
    asked = len(raw_server.requests)
    raw_server.act, raw_server.prefix = hostile.act, "/v0/pipelines/"
    try:
        feldera.pause("victim")
        until(lambda: paused() == 1)
        until(lambda: any("/victim/events" in request.path for request in raw_server.requests[asked:]))
        assert running.value("feldera_up", feldera_instance=HOSTILE) == 1
    finally:
        raw_server.act = None
        feldera.resume("victim")
    until(lambda: entered() == before + 1)
    until(lambda: paused() == 0)
    assert running.polls(HOSTILE, "internal_error") == 0


@pytest.mark.parametrize("hostile", ANSWERS[1::9], ids=lambda hostile: hostile.name)
def test_hostile_surroundings(tmp_path: Path, hostile: HostileAnswer) -> None:
    """Without version, tenant and health polls succeed, and what is unknown is left out."""
    upstream = FelderaServer(make("victim"))
    with serve(upstream) as url, serving_raw(url, hostile.act, "/v0/c") as raw_server:
        instance = f"{{name: hostile, url: '{raw_server.url}', api_key: '{KEY}', poll_interval: 300ms}}"
        with running_(tmp_path, f"instances: [{instance}]\n") as running:
            until(lambda: running.polls(HOSTILE, "success") >= 3)
            assert running.value("feldera_up", feldera_instance=HOSTILE) == 1
            assert running.value("feldera_cluster_service_healthy", feldera_service="api") is None
            page = running.page()
        assert "feldera_info{" not in page
        assert KEY not in page + running.log.read_text()
