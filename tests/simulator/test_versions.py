"""The stand-in behaves as its version of Feldera."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx
import pytest

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.versions import NEWEST, OLDEST, Fact, UnknownVersionError, parse_version
from support import loopback
from support.simulated_api import SimulatedInstance


class VersionedInstance:
    """A running and then resized pipeline `a` and a stopped one `b` of an instance of a version, asked over HTTP."""

    def __init__(self, version: str) -> None:
        self.instance = SimulatedInstance(version=version, edition="EnterpriseDev")
        self.instance.run()
        self.instance.feldera.create("b")
        self.instance.feldera.resize("a", {"memory_max": "2Gi"})
        self.instance.go(30)
        self.client = httpx.Client(verify=False)

    def get(self, path: str) -> httpx.Response:
        """Send one request."""
        with serve(FelderaServer(self.instance.feldera)) as url:
            return loopback.get(f"{url}{path}")

    def json(self, path: str) -> Any:
        """Send one request, and return the JSON of the answer."""
        return self.get(path).json()

    @property
    def row(self) -> Any:
        """The element of `a` in the list."""
        return self.json("/v0/pipelines?selector=status")[0]

    @property
    def settings(self) -> Any:
        """The configuration of `a`."""
        return self.json("/v0/pipelines/a")["runtime_config"]


def _dismisses(asked: VersionedInstance) -> bool:
    with serve(FelderaServer(asked.instance.feldera)) as url:
        return loopback.request("POST", f"{url}/v0/pipelines/b/dismiss_error").status_code == 200


def _ends(asked: VersionedInstance) -> bool:
    with (
        serve(FelderaServer(asked.instance.feldera)) as url,
        httpx.stream("GET", f"{url}/v0/pipelines/a/logs?follow=false", timeout=1) as answer,
    ):
        return "content-length" in answer.headers or "content-encoding" in answer.headers


def _positions(asked: VersionedInstance) -> bool:
    with (
        serve(FelderaServer(asked.instance.feldera)) as url,
        httpx.stream("GET", f"{url}/v0/pipelines/a/logs?cursor=") as answer,
    ):
        return {"feldera-logs-epoch", "feldera-logs-seq", "feldera-logs-gap"} <= set(answer.headers)


def _is_dev(asked: VersionedInstance) -> bool:
    config = asked.json("/v0/config")
    assert (config["edition"] == "EnterpriseDev") == ("is_dev" in config["license_validity"]["Exists"])
    assert config["edition"] in {"Enterprise", "EnterpriseDev"}
    return bool(config["edition"] == "EnterpriseDev")


def _real(asked: VersionedInstance) -> bool:
    asked.instance.go(1200)
    health = asked.json("/v0/cluster_healthz")["api"]
    return bool(health["unchanged_since"] != health["checked_at"])


PROBES: Final[Mapping[Fact, Callable[[VersionedInstance], bool]]] = {
    Fact.DISMISS_ERROR: _dismisses,
    Fact.STORAGE_STATUS_DETAILS: lambda asked: "storage_status_details" in asked.row,
    Fact.EVENTS: lambda asked: asked.get("/v0/pipelines/a/events").status_code == 200,
    Fact.SILENT_BOOTSTRAP: lambda asked: "silent_bootstrap" in asked.row,
    Fact.TAGS: lambda asked: "tags" in asked.row,
    Fact.CONNECTOR_STATS: lambda asked: "connector_stats" in asked.row["deployment_runtime_status_details"],
    Fact.CONCURRENT_BOOTSTRAP: lambda asked: "concurrent_bootstrap" in asked.row,
    Fact.RETRY_AFTER: lambda asked: "retry-after" in asked.get("/v0/pipelines/b/stats").headers,
    Fact.UNCHANGED_SINCE: _real,
    Fact.LOGS_CURSOR: _positions,
    Fact.STALE: lambda asked: "stale" in asked.json("/v0/cluster_healthz"),
    Fact.PIPELINE_STATUS: lambda asked: "pipeline_status" in asked.get("/v0/metrics").text,
    Fact.DEV_EDITION: _is_dev,
    Fact.DURATIONS: lambda asked: "provisioning_timeout_secs" not in asked.settings,
    Fact.SIZES: lambda asked: "memory_mb_max" not in asked.settings["resources"],
    Fact.DEPLOYMENT_CONFIG: lambda asked: "deployment_config" in asked.row,
    Fact.USER_CREATED_AT: lambda asked: "user_created_at" in asked.json("/v0/config/session"),
    Fact.MEMORY_MAX: lambda asked: "memory_max" in asked.row["deployment_runtime_status_details"],
    Fact.LOGS_FOLLOW: _ends,
    Fact.ALLOW_RUST_UDFS: lambda asked: "allow_rust_udfs" in asked.json("/v0/config"),
    Fact.COMPRESSION_LEVEL: lambda asked: "compression_level" in asked.settings["storage"],
}
"""Whether an instance shows a fact."""


@pytest.mark.parametrize("fact", Fact)
def test_a_fact_shows_from_its_version_on(fact: Fact) -> None:
    """A change of the API is there from its version on, and not before."""
    major, minor = fact.since
    assert not PROBES[fact](VersionedInstance(f"{major}.{minor - 1}.9"))
    assert PROBES[fact](VersionedInstance(f"{major}.{minor}.0"))


def test_facts_are_listed_in_the_order_of_their_versions() -> None:
    """Each has a version that the stand-in can have, and a description."""
    since = [fact.since for fact in Fact]
    assert since == sorted(since)
    assert parse_version(OLDEST) < since[0]
    assert since[-1] <= parse_version(NEWEST)
    assert all(fact.what for fact in Fact)


@pytest.mark.parametrize(
    "version",
    [
        "",
        "newest",
        "0.375",
        "v0.375.0",
        "0.375.0-rc.1",
        "0.375.0\n",
        "0.147.9",
        "0.376.0",
        "1.0.0",
        "0.\N{ARABIC-INDIC DIGIT THREE}.0",
    ],
)
def test_a_version_that_is_none_is_refused(version: str) -> None:
    """The error has what was found and what is expected."""
    with pytest.raises(
        UnknownVersionError, match=r"found .*, expected a version of Feldera from 0\.148\.0 to 0\."
    ):
        Feldera(SimulatedInstance().clock, version=version)


def test_the_newest_is_the_default() -> None:
    """The newest version is the default, and an upgrade takes effect at once."""
    instance = SimulatedInstance()
    assert instance.feldera.version == NEWEST
    old = SimulatedInstance(version="0.337.0")
    assert not old.feldera.has(Fact.STALE)
    old.feldera.inject.upgrade(NEWEST)
    assert old.feldera.has(Fact.STALE)
