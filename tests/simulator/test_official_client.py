"""Feldera's own Python client finds the stand-in to be Feldera."""

from collections.abc import Iterator
from threading import Event, Thread

import pytest
from feldera import PipelineBuilder  # type: ignore[import-untyped]
from feldera.enums import PipelineStatus, ProgramStatus  # type: ignore[import-untyped]
from feldera.rest import FelderaClient  # type: ignore[import-untyped]
from feldera.rest.errors import FelderaAPIError  # type: ignore[import-untyped]

from feldera_exporter.simulator.clock import EPOCH, ScaledClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve

KEY = "apikey:writer"
QUICK = Plan(
    pending=0, compiling_sql=0.2, sql_compiled=0, compiling_rust=0.2, provisioning=0.5, initializing=0.5
)


@pytest.fixture
def feldera() -> Feldera:
    """An instance whose clock runs forty times as fast."""
    return Feldera(ScaledClock(EPOCH, 40), plan=QUICK, version="0.337.0")


@pytest.fixture
def client(feldera: Feldera) -> Iterator[FelderaClient]:
    """The official client, with a key."""
    with serve(FelderaServer(feldera, keys={KEY: "write"})) as url:
        yield FelderaClient(url, api_key=KEY)


def test_a_whole_life(feldera: Feldera, client: FelderaClient) -> None:
    """Create, start, pause, resume, stop, clear, list, events, delete; each waits until it is so."""
    sql = "CREATE TABLE t (x INT); CREATE VIEW v AS SELECT x FROM t;"
    pipeline = PipelineBuilder(client, "life", sql, tags=["team:x"]).create_or_replace()
    assert pipeline.program_status() == ProgramStatus.Success
    pipeline.start()
    assert pipeline.status() == PipelineStatus.RUNNING
    pipeline.pause()
    assert pipeline.status() == PipelineStatus.PAUSED
    pipeline.resume()
    (listed,) = client.pipelines()
    assert (listed.name, listed.deployment_status, listed.tags) == ("life", "Running", ["team:x"])
    pipeline.stop(force=False)
    pipeline.clear_storage()
    events = pipeline.events(selector="all")
    assert events[0] == pipeline.event("latest", selector="all")
    assert {event["deployment_runtime_status"] for event in events} >= {"Initializing", "Running", "Paused"}
    assert len(events) == len(feldera.get("life").log)
    pipeline.delete()
    with pytest.raises(FelderaAPIError, match="UnknownPipelineName"):
        client.get_pipeline_events("life")


def test_errors(feldera: Feldera, client: FelderaClient) -> None:
    """A crash is an error of the deployment, which is dismissed; refusals carry Feldera's codes."""
    pipeline = PipelineBuilder(client, "bad", "CREATE TABLE t (x INT);").create_or_replace()
    pipeline.start()
    feldera.world.crash("bad", "RuntimeError.WorkerPanic")
    pipeline.wait_for_status(PipelineStatus.STOPPED, timeout=10)
    error = pipeline.deployment_error()
    assert error is not None
    assert error["error_code"] == "RuntimeError.WorkerPanic"
    with pytest.raises(FelderaAPIError) as refused:
        client.delete_pipeline("bad")
    assert (refused.value.status_code, refused.value.error_code) == (400, "DeleteRestrictedToClearedStorage")
    pipeline.dismiss_error()
    assert pipeline.deployment_error() is None


def test_a_program_that_does_not_compile(feldera: Feldera, client: FelderaClient) -> None:
    """The client tells its user the compiler's message."""
    feldera.plan = Plan(pending=0, compiling_sql=0.2, compiled_as="SqlError")
    with pytest.raises(RuntimeError, match="names a column"):
        PipelineBuilder(client, "broken", "SELECT y FROM t").create_or_replace()


def test_a_wrong_key() -> None:
    """Is refused when the client connects."""
    server = FelderaServer(Feldera(ScaledClock()), keys={KEY: "write"})
    with serve(server) as url, pytest.raises(FelderaAPIError) as refused:
        FelderaClient(url, api_key="apikey:wrong")
    assert refused.value.status_code == 401


def test_the_cluster(feldera: Feldera, client: FelderaClient) -> None:
    """Its events, as the client knows them."""
    feldera.settle()
    (event,) = client.get_cluster_events()
    assert client.get_cluster_event(event["id"]) == client.get_cluster_event("latest") == event


def test_many_clients_at_once(feldera: Feldera, client: FelderaClient) -> None:
    """Threads that operate and threads that read do not disturb each other."""
    for number in range(4):
        feldera.create(f"p{number}")
    failed = Event()

    def work(name: str) -> None:
        try:
            for _ in range(10):
                client.patch_pipeline(name, description="x")
                client.pipelines()
        except FelderaAPIError:
            failed.set()

    threads = [Thread(target=work, args=(f"p{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed.is_set()
