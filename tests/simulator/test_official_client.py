"""Feldera's own Python client works with the stand-in."""

import importlib
import io
import zipfile
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Plan
from feldera_exporter.simulator.server import FelderaServer
from support.clocks import EPOCH, ScaledClock, SkewedClock

KEY = "apikey:writer"
QUICK = Plan(
    pending=0, compiling_sql=0.2, sql_compiled=0, compiling_rust=0.2, provisioning=0.5, initializing=0.5
)


@pytest.fixture(scope="module")
def official() -> Any:
    """The client's modules: they bring pandas, whose import takes longer than all else that tests import."""
    return importlib.import_module("simulator.official_client")


@pytest.fixture
def feldera() -> Feldera:
    """An instance whose clock runs forty times as fast."""
    return Feldera(ScaledClock(EPOCH, 40), plan=QUICK)


@pytest.fixture
def client(feldera: Feldera, official: Any) -> Iterator[Any]:
    """The official client, with a key."""
    with serve(FelderaServer(feldera, keys={KEY: "write"})) as url:
        yield official.FelderaClient(url, api_key=KEY)


def test_a_whole_life(feldera: Feldera, client: Any, official: Any) -> None:
    """Create, start, pause, resume, stop, clear, list, events, delete work; each waits for its effect."""
    sql = "CREATE TABLE t (x INT); CREATE VIEW v AS SELECT x FROM t;"
    pipeline = official.PipelineBuilder(client, "life", sql, tags=["team:x"]).create_or_replace()
    assert pipeline.program_status() == official.ProgramStatus.Success
    pipeline.start()
    assert pipeline.status() == official.PipelineStatus.RUNNING
    pipeline.pause()
    assert pipeline.status() == official.PipelineStatus.PAUSED
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
    with pytest.raises(official.FelderaAPIError, match="UnknownPipelineName"):
        client.get_pipeline_events("life")


def test_errors(feldera: Feldera, client: Any, official: Any) -> None:
    """A crash is a deployment error, which can be dismissed; refusals have Feldera's codes."""
    pipeline = official.PipelineBuilder(client, "bad", "CREATE TABLE t (x INT);").create_or_replace()
    pipeline.start()
    feldera.inject.crash("bad", "RuntimeError.WorkerPanic")
    pipeline.wait_for_status(official.PipelineStatus.STOPPED, timeout=10)
    error = pipeline.deployment_error()
    assert error is not None
    assert error["error_code"] == "RuntimeError.WorkerPanic"
    with pytest.raises(official.FelderaAPIError) as refused:
        client.delete_pipeline("bad")
    assert (refused.value.status_code, refused.value.error_code) == (400, "DeleteRestrictedToClearedStorage")
    pipeline.dismiss_error()
    assert pipeline.deployment_error() is None


def test_a_program_that_does_not_compile(feldera: Feldera, client: Any, official: Any) -> None:
    """The client raises an error with the compiler's message."""
    feldera.plan = Plan(pending=0, compiling_sql=0.2, compiled_as="SqlError")
    with pytest.raises(RuntimeError, match="names a column"):
        official.PipelineBuilder(client, "broken", "SELECT y FROM t").create_or_replace()


def test_a_wrong_key(official: Any) -> None:
    """A wrong key is refused when the client connects."""
    server = FelderaServer(Feldera(ScaledClock()), keys={KEY: "write"})
    with serve(server) as url, pytest.raises(official.FelderaAPIError) as refused:
        official.FelderaClient(url, api_key="apikey:wrong")
    assert refused.value.status_code == 401


def test_what_runbooks_ask_for(feldera: Feldera, client: Any, official: Any) -> None:
    """Metrics, statistics, log and support bundle work for running and stopped pipelines."""
    pipeline = official.PipelineBuilder(client, "asked", "CREATE TABLE t (x INT);").create_or_replace()
    assert 'status="Stopped"} 1' in client.get_pipeline_metrics("asked")
    pipeline.start()
    text = client.get_pipeline_metrics("asked")
    assert isinstance(text, str)
    assert 'status="Running"} 1' in text
    families = client.get_pipeline_metrics("asked", format="json")
    assert [family["key"] for family in families][:2] == ["pipeline_status", "pipeline_start_time_seconds"]
    stats = pipeline.stats()
    assert (stats.global_metrics.state.name, stats.outputs[0].paused) == ("RUNNING", False)
    assert stats.inputs[0].endpoint_name == "t.input"
    bundle = zipfile.ZipFile(io.BytesIO(pipeline.support_bundle(metrics=False)))
    assert len(bundle.namelist()) == 5
    assert "Fresh start" in next(pipeline.logs())
    with pipeline.resume_logs() as stream:
        lines = iter(stream)
        read = [next(lines) for _ in range(len(feldera.get("asked").log) + 1)]
        cursor = stream.cursor()
    pipeline.stop(force=True)
    with pipeline.resume_logs(cursor) as stream:
        assert (stream.position.seq, stream.position.gap) == (len(read), 0)
        assert next(iter(stream)) not in read


@pytest.mark.parametrize("edition", ["Enterprise", "EnterpriseDev", "Open source"])
def test_every_edition_is_known(edition: str, official: Any) -> None:
    """The client reads each edition, and the health of the cluster."""
    feldera = Feldera(ScaledClock(), edition=edition)
    with serve(FelderaServer(feldera)) as url:
        client = official.FelderaClient(url)
        config = client.get_config()
        assert (config.edition.value, config.version) == (edition, feldera.version)
        assert client.http._check_cluster_health() is True
        feldera.inject.service("runner", "Unreachable: no connection")
        feldera.clock = SkewedClock(feldera.clock, 20)
        assert client.http._check_cluster_health() is False


def test_settings_in_both_spellings(client: Any, official: Any) -> None:
    """Settings may be written as by the client's class, and as by users."""
    resources = official.Resources(memory_max="2G")
    config = official.RuntimeConfig(workers=2, resources=resources, provisioning_timeout="90s")
    pipeline = official.PipelineBuilder(
        client, "set", "CREATE TABLE t (x INT);", runtime_config=config
    ).create_or_replace()
    shown = client.get_runtime_config("set")
    assert (shown["workers"], shown["provisioning_timeout"]) == (2, "1m30s")
    assert shown["resources"]["memory_max"] == "2G"
    client.patch_pipeline("set", runtime_config={"provisioning_timeout_secs": 3600})
    assert client.get_runtime_config("set")["provisioning_timeout"] == "1h"
    assert pipeline.runtime_config().workers == 8


def test_the_cluster(client: Any) -> None:
    """The client reads the cluster's events; the latest has `stale`."""
    event = client.get_cluster_events()[-1]
    assert client.get_cluster_event(event["id"]) == event
    assert client.get_cluster_event("latest")["stale"] is False
    assert "api_self_info" in client.get_cluster_event(event["id"], selector="all")


def test_many_clients_at_once(feldera: Feldera, client: Any, official: Any) -> None:
    """Threads that operate and threads that read do not disturb each other."""
    for number in range(4):
        feldera.create(f"p{number}")
    failed = Event()

    def work(name: str) -> None:
        try:
            for _ in range(10):
                client.patch_pipeline(name, description="x")
                client.pipelines()
        except official.FelderaAPIError:
            failed.set()

    threads = [Thread(target=work, args=(f"p{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed.is_set()
