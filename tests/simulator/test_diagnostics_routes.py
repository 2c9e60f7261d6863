"""The stand-in's routes about the inside of a pipeline: statistics, log, support bundle, resize."""

import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from feldera_exporter.simulator.api_errors import ApiError
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.plan import Phase, Plan
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.simulated_api import ServedInstance, SimulatedInstance


@contextmanager
def logs(served: ServedInstance, query: str = "") -> Iterator[tuple[httpx.Headers, Iterator[str]]]:
    """Follow the log of `a`: the answer's headers, and its lines as they come."""
    assert served.client is not None
    with served.client.stream("GET", f"/v0/pipelines/a/logs{query}") as answer:
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        yield answer.headers, answer.iter_lines()


def lines(served: ServedInstance) -> list[str]:
    """Return what is retained of the log of `a`."""
    return served.get("/v0/pipelines/a/logs?follow=false").text.splitlines()


def test_statistics(served: ServedInstance) -> None:
    """Statistics grow while it runs; a pipeline that is not deployed or has no circuit has none."""
    first = served.get("/v0/pipelines/a/stats").json()
    served.feldera.inject.connector_errors("a", 3)
    served.go(10)
    second = served.get("/v0/pipelines/a/stats").json()
    key = "total_processed_records"
    assert second["global_metrics"][key] - first["global_metrics"][key] == 10_000
    assert second["inputs"][0]["metrics"]["num_transport_errors"] == 3
    assert "host_metrics" not in second
    served.feldera.create("b", runtime_config={"hosts": 2})
    refused = served.get("/v0/pipelines/b/stats")
    assert (refused.status_code, refused.json()["error_code"]) == (503, "PipelineInteractionNotDeployed")
    served.go(60)
    served.feldera.start("b")
    served.go(4)
    assert served.get("/v0/pipelines/b/stats").json()["error_code"] == "Initializing"
    served.go(20)
    assert len(served.get("/v0/pipelines/b/stats").json()["host_metrics"]) == 2


def test_statistics_name_the_phase() -> None:
    """Statistics have the phase of a concurrent bootstrap."""
    instance = SimulatedInstance(Plan(path=(Phase("Synchronizing", None),)))
    instance.run()
    with serve(FelderaServer(instance.feldera)) as url:
        retained = loopback.get(f"{url}/v0/pipelines/a/stats").json()["global_metrics"]
    assert (retained["concurrent_bootstrap_phase"], retained["state"]) == ("Synchronizing", "Running")


def test_the_retained_log(served: ServedInstance) -> None:
    """The log has a first line and one line per event, with their times."""
    retained = lines(served)
    assert "Fresh start of pipeline logs" in retained[0]
    assert len(retained) == 1 + len(served.events)
    assert "Provisioned, Running (program Success, storage InUse)" in retained[-1]
    served.feldera.inject.crash("a", "InputTransportError")
    served.go(10)
    assert "Stopped, failed with InputTransportError" in lines(served)[-1]


def test_following_a_log(served: ServedInstance) -> None:
    """New lines come as they are written; the log ends once the pipeline is deleted."""
    before = lines(served)
    with logs(served) as (headers, coming):
        assert "feldera-logs-seq" not in headers
        assert [next(coming) for _ in before] == before
        served.feldera.stop("a", force=True)
        served.go(30)
        assert "Running" in next(coming)
        served.feldera.clear("a")
        served.go(30)
        served.feldera.delete("a")
        rest = list(coming)
    assert len(rest) >= 2
    assert served.get("/v0/pipelines/a/logs").status_code == 404


def test_resuming_a_log(served: ServedInstance) -> None:
    """A log is resumed from the last line; numbers go on over a stop and a start."""
    retained = lines(served)
    with logs(served, "?cursor=") as (headers, coming):
        assert (headers["feldera-logs-seq"], headers["feldera-logs-gap"]) == ("0", "0")
        assert next(coming) == retained[0]
    epoch = headers["feldera-logs-epoch"]
    served.feldera.stop("a", force=True)
    served.go(30)
    with logs(served, f"?cursor={epoch}:{len(retained) - 1}") as (headers, coming):
        assert headers["feldera-logs-epoch"] == epoch
        assert (headers["feldera-logs-seq"], headers["feldera-logs-gap"]) == (str(len(retained) - 1), "0")
        assert next(coming) == retained[-1]
        assert next(coming) == lines(served)[len(retained)]


def test_a_restarted_runner_begins_a_new_log(served: ServedInstance) -> None:
    """The old log ends; a cursor of the old one gets all of the new one."""
    with logs(served, "?cursor=") as (headers, coming):
        next(coming)
        served.feldera.inject.restart_manager(keeps_processes=True)
        list(coming)
    old = headers["feldera-logs-epoch"]
    with logs(served, f"?cursor={old}:3") as (headers, coming):
        assert headers["feldera-logs-epoch"] != old
        assert headers["feldera-logs-seq"] == "0"
        assert "Fresh start" in next(coming)
    assert len(lines(served)) == 1


def test_lines_that_were_discarded_are_a_gap(served: ServedInstance) -> None:
    """The oldest lines are dropped with their events."""
    retained = lines(served)
    log = served.feldera.get("a").log
    log.trim(3)
    assert lines(served) == retained[-3:]
    with logs(served, "?cursor=") as (headers, _):
        epoch, first = headers["feldera-logs-epoch"], len(retained) - 3
        assert (headers["feldera-logs-seq"], headers["feldera-logs-gap"]) == (str(first), "0")
    with logs(served, f"?cursor={epoch}:1") as (headers, coming):
        assert (headers["feldera-logs-seq"], headers["feldera-logs-gap"]) == (
            str(first),
            str(first - 1),
        )
        assert next(coming) == retained[-3]


def test_who_listens_no_more_is_forgotten(served: ServedInstance) -> None:
    """A log without a reader costs nothing."""
    with logs(served) as (_, coming):
        next(coming)
        assert served.server.in_flight == 1
    with logs(served, "?cursor=") as (_, coming):
        next(coming)
    served.get("/healthz")
    with httpx.Client(base_url=served.url) as other:
        for _ in range(100):
            if served.server.in_flight == 0:
                break
            other.get("/healthz")
    assert served.server.in_flight <= 1


def test_a_support_bundle(served: ServedInstance) -> None:
    """A bundle has what is available, without what is excluded, and lists both."""
    answer = served.get("/v0/pipelines/a/support_bundle?logs=false")
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="a-support-bundle.zip"'
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = {name.rpartition("_")[2]: archive.read(name) for name in archive.namelist()}
        manifest = archive.read("manifest.txt").decode()
    assert set(files) == {"metrics.txt", "stats.json", "config.json", "events.json", "manifest.txt"}
    assert json.loads(files["config.json"])["name"] == "a"
    assert len(json.loads(files["events.json"])) == len(served.events)
    assert "logs.txt: skipped" in manifest
    served.feldera.create("b")
    for query, retained in (
        ("", "stats.json: PipelineInteractionNotDeployed"),
        ("?collect=false", "stats.json: skipped"),
    ):
        content = served.get(f"/v0/pipelines/b/support_bundle{query}").content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert retained in archive.read("manifest.txt").decode()
    assert served.get("/v0/pipelines/unknown/support_bundle").status_code == 404


def test_a_running_pipeline_is_resized(served: ServedInstance) -> None:
    """The row and the pipeline's own answer have the new size, until it stops."""
    assert served.client is not None
    body = {"deployment_config": {"resources": {"memory_max": "16Gi", "cpu_cores_max": 4}}}
    answer = served.client.patch("/v0/pipelines/a", json=body)
    sizes = {"cpu_cores_min": None, "cpu_cores_max": 4, "memory_min": None, "memory_max": "16Gi"}
    assert (answer.status_code, answer.json()["deployment_config"]) == (200, {"resources": sizes})
    served.go(15)
    (row,) = served.get("/v0/pipelines?selector=status").json()
    assert row["deployment_runtime_status_details"]["memory_max"] == "16Gi"
    both = served.client.patch("/v0/pipelines/a", json={**body, "description": "x"})
    assert (both.status_code, both.json()["error_code"]) == (400, "InvalidDeploymentPatch")
    served.feldera.stop("a", force=True)
    served.go(10)
    assert served.get("/v0/pipelines").json()[0]["deployment_config"] is None
    stopped = served.client.patch("/v0/pipelines/a", json=body)
    assert (stopped.status_code, stopped.json()["error_code"]) == (400, "DeploymentRestrictedToRunning")


def test_the_open_source_edition_resizes_nothing() -> None:
    """The open source edition does not resize, as its runner starts plain processes."""
    instance = SimulatedInstance(edition="Open source")
    instance.run()
    with pytest.raises(ApiError, match="UnsupportedPipelineAction"):
        instance.feldera.resize("a", {"memory_max": "1Gi"})


def test_older_servers_know_no_resize() -> None:
    """Older servers ignore the field."""
    instance = SimulatedInstance(version="0.366.0")
    instance.run()
    with serve(FelderaServer(instance.feldera)) as url:
        body = {"deployment_config": {"resources": {"memory_max": "16Gi"}}}
        answer = httpx.patch(f"{url}/v0/pipelines/a", json=body)
    assert (answer.status_code, "deployment_config" in answer.json()) == (200, False)
