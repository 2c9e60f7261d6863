"""The exporter's labels arrive in Prometheus as they are, whatever labels its target has."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from deployment.kustomize import build
from deployment.scraped import OF_THE_OPERATOR, scrape, scraping
from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.simulated_fleet import beginning, prepared_fleet
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.exporter_process import exporter, until
from support.tools import ROOT

TARGET: Final = {"job", "instance", *OF_THE_OPERATOR}
TEAM: Final = {"team": "platform"}
"""A label that a configuration gives to all targets."""

Labels = Mapping[str, frozenset[str]]
"""The names of the labels of each family, as people query it."""

SITUATIONS: Final = {
    "renaming-0": {"honor_labels": False},
    "honoring-0": {"honor_labels": True},
    "renaming-team-0": {"honor_labels": False, "labels": TEAM},
    "honoring-team-0": {"honor_labels": True, "labels": TEAM},
    "shipped-0": {"labels": TEAM},
}
"""By the pod's name, how it is scraped."""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Labels, Mapping[str, Labels]]]:
    """Serve the fleet of all scenarios, and return the labels as exposed and as in Prometheus, by pod."""
    folder = tmp_path_factory.mktemp("labels")
    monitor = build(ROOT / "config/kubernetes").only("ServiceMonitor")
    feldera = prepared_fleet(StagedClock(beginning(machine())), 0, 0)
    with serve(FelderaServer(feldera)) as api, exporter(api, folder) as (address, _):
        until(lambda: "feldera_license_valid{" in _text(address))
        target = address.removeprefix("http://")
        scrapes = [scrape(monitor, target, pod, **how) for pod, how in SITUATIONS.items()]  # type: ignore[arg-type]
        with scraping(folder, scrapes) as url:
            until(lambda: all(_stored(url, pod) for pod in SITUATIONS), 60)
            yield _exposed(_text(address)), {pod: _stored(url, pod) for pod in SITUATIONS}


def _text(address: str) -> str:
    return loopback.get(f"{address}/metrics", timeout=10).text


def _exposed(text: str) -> Labels:
    found = defaultdict[str, set[str]](set)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            # Prometheus takes an empty label for none.
            found[sample.name] |= {name for name, value in sample.labels.items() if value}
    return {name: frozenset(labels) for name, labels in found.items()}


def _stored(url: str, pod: str) -> Labels:
    """Return the labels that the series of a pod's target have, except those about the scrape itself."""
    answer = loopback.get(f"{url}/api/v1/series", params={"match[]": f'{{pod="{pod}"}}'}, timeout=30)
    found = defaultdict[str, set[str]](set)
    for series in answer.raise_for_status().json()["data"]:
        assert series.keys() >= TARGET
        found[series["__name__"]] |= series.keys() - {"__name__"}
    return {
        name: frozenset(labels)
        for name, labels in found.items()
        if name != "up" and not name.startswith("scrape_")
    }


@pytest.mark.parametrize("pod", ["renaming-0", "honoring-0"])
def test_every_label_keeps_its_name(seen: tuple[Labels, Mapping[str, Labels]], pod: str) -> None:
    """Each label keeps its name beside the labels of the operator, with and without `honor_labels`."""
    exposed, stored = seen[0], seen[1][pod]
    # One is stored as buckets, sum and count; and no event was lost.
    assert KNOWN_FAMILIES - stored.keys() == {
        "feldera_status_duration_seconds",
        "feldera_exporter_last_event_gap_timestamp_seconds",
    }
    assert stored == {name: labels | TARGET for name, labels in exposed.items()}
    assert {"feldera_service", "api_endpoint", "team"} <= {
        each for labels in stored.values() for each in labels
    }


def test_a_label_that_clashes_is_renamed(seen: tuple[Labels, Mapping[str, Labels]]) -> None:
    """A label that the target has too is renamed unless labels are honored, so the tests above can fail."""
    renamed = seen[1]["renaming-team-0"]
    assert {name for name, labels in renamed.items() if "exported_team" in labels} == {
        "feldera_pipeline_info",
        "feldera_pipeline_problem_since_timestamp_seconds",
    }
    assert _others(renamed) == {"exported_team"}


@pytest.mark.parametrize("pod", ["honoring-team-0", "shipped-0"])
def test_labels_from_tags_win_over_those_of_the_target(
    seen: tuple[Labels, Mapping[str, Labels]], pod: str
) -> None:
    """With the shipped ServiceMonitor, labels from tags replace those of the target."""
    assert _others(seen[1][pod]) == set()


def _others(stored: Labels) -> set[str]:
    return {each for labels in stored.values() for each in labels if re.match("exported_", each)}
