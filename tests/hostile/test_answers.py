"""The program with hostile answers: its metrics stay true, other instances are polled, and it recovers."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.ask_once import KEY
from support.hostile_answers import ANSWERS, HostileAnswer
from support.raw_server import RawServer, serving_raw
from support.two_instances import RunningExporter, later, outcomes, two_instances, until
from support.two_instances import feldera as make
from support.two_instances import running as running_

LISTS = "/v0/pipelines?"
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
    page = running.page()
    before, neighbour = outcomes(page, HOSTILE), outcomes(page, HEALTHY)

    def counted(outcome: str, number: float) -> str | None:
        """Return a page on which so many polls of the hostile instance ended so, and the other one was polled."""
        page = running.page()
        polled = outcomes(page, HEALTHY)["success"] > neighbour["success"]
        return page if polled and outcomes(page, HOSTILE)[outcome] > number else None

    def asked() -> None:
        """Wait for a request: that costs less than to ask for pages until then."""
        before = raw_server.asked(LISTS)
        until(lambda: raw_server.asked(LISTS) > before)

    raw_server.act, raw_server.prefix = hostile.act, LISTS
    try:
        asked()
        page = until(lambda: counted(hostile.outcome, before[hostile.outcome]))
        assert f'feldera_up{{feldera_instance="{HEALTHY}"}} 1' in page
        assert page.count('pipeline_name="victim"') > 100
        assert KEY not in page
    finally:
        raw_server.act = None
    now = outcomes(page, HEALTHY)
    # Of this answer alone: what a busy machine once did to the neighbour is no matter of all that follow.
    assert sum(now.values()) - sum(neighbour.values()) == now["success"] - neighbour["success"]
    succeeded = outcomes(page, HOSTILE)["success"]
    asked()
    page = until(lambda: counted("success", succeeded), 15)
    assert f'feldera_up{{feldera_instance="{HOSTILE}"}} 1' in page
    assert outcomes(page, HOSTILE)["internal_error"] == before["internal_error"] == 0


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


def test_hostile_surroundings(tmp_path: Path) -> None:
    """Without version, tenant and health polls succeed, what is unknown is left out, and the log keeps the key secret."""
    with ExitStack() as stack:
        url = stack.enter_context(serve(FelderaServer(make("victim"))))
        servers = [stack.enter_context(serving_raw(url, each.act, "/v0/c")) for each in ANSWERS[1::9]]
        instances = "".join(
            f"- {{name: hostile-{number}, url: '{server.url}', api_key: '{KEY}', poll_interval: 1s}}\n"
            for number, server in enumerate(servers)
        )
        running = stack.enter_context(running_(tmp_path, f"instances:\n{instances}"))
        until(lambda: all(each.asked("/v0/c") >= 3 and each.asked(LISTS) >= 4 for each in servers))
        page = running.page()
        for number in range(len(servers)):
            polls = outcomes(page, f"hostile-{number}")
            assert polls["success"] >= 3
            assert polls["internal_error"] == 0
            assert f'feldera_up{{feldera_instance="hostile-{number}"}} 1' in page
        assert "feldera_info{" not in page
        assert "feldera_cluster_service_healthy{" not in page
        # These are the first polls that fail, so the log says why each of them does: one list names a pipeline as the key.
        for each in servers:
            each.prefix = LISTS
        until(lambda: running.log.read_text().count('"poll failed"') == len(servers))
        log = running.log.read_text()
        assert "the first is ***: " in log
        assert KEY not in running.page() + log
