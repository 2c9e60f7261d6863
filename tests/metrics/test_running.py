"""The real `/metrics` of the running program with all scenarios passes promtool and the client library's parsers."""

import re
import subprocess
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.simulated_fleet import beginning, prepared_fleet
from feldera_exporter.exposition.text import Format
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.scenarios import SCENARIOS
from feldera_exporter.simulator.server import FelderaServer
from support.exporter_process import exporter, until
from support.tools import editions, tool

PARSERS: Final[dict[Format, Any]] = {
    Format.TEXT: text_string_to_metric_families,
    Format.OPENMETRICS: openmetrics.text_string_to_metric_families,
}
SILENT: Final = {
    "feldera_exporter_last_event_gap_timestamp_seconds": "no event was lost",
    "feldera_exporter_alerts": "no Alertmanager is configured",
    "feldera_exporter_notifications_sent": "no Alertmanager is configured",
    "feldera_exporter_notifications_failed": "no Alertmanager is configured",
    "feldera_exporter_notification_latency_seconds": "no Alertmanager is configured",
    "feldera_exporter_alertmanager_last_success_timestamp_seconds": "no Alertmanager is configured",
}
"""The families without any sample on this fleet, and why."""
_SUFFIX: Final = re.compile(r"_(total|bucket|sum|count|created|info)\Z")


@pytest.fixture(scope="module")
def expositions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Format, str]]:
    """Both formats, taken once the platform and every log that matters have been read."""
    feldera = prepared_fleet(StagedClock(beginning(machine())), 0, 0)
    server = FelderaServer(feldera)
    with (
        serve(server) as api,
        exporter(api, tmp_path_factory.mktemp("running")) as (address, _),
        httpx.Client(trust_env=False) as client,
    ):

        def scrape(format_: Format) -> str:
            answer = client.get(f"{address}/metrics", headers={"accept": format_.content_type})
            assert answer.headers["content-type"] == format_.content_type
            return answer.text

        def settled() -> bool:
            text = scrape(Format.TEXT)
            return "feldera_license_valid{" in text and 'event_backlog{feldera_instance="default"} 0' in text

        until(settled)
        yield {format_: scrape(format_) for format_ in Format}


def _family(name: str, types: dict[str, str]) -> str:
    """Return the family that a sample of this name belongs to."""
    return name if name in types else _SUFFIX.sub("", name)


@pytest.mark.parametrize("edition", editions("promtool"))
def test_promtool_has_nothing_to_say(expositions: dict[Format, str], edition: str) -> None:
    """`promtool check metrics` finds no problem, also in the exporter's own families."""
    checked = subprocess.run(
        [tool("promtool", edition), "check", "metrics"],
        input=expositions[Format.TEXT].encode(),
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_every_family_has_something_to_check(expositions: dict[Format, str]) -> None:
    """Every family has a sample, except those in `SILENT`, so that something is checked."""
    families = list(PARSERS[Format.TEXT](expositions[Format.TEXT]))
    assert {family.name for family in families if not family.samples} == set(SILENT)
    named = {family.name for family in families} | {f"{family.name}_total" for family in families}
    assert named >= KNOWN_FAMILIES
    names = {
        labels["pipeline_name"]
        for family in families
        for _, labels, *_ in family.samples
        if "pipeline_name" in labels
    }
    assert names >= {scenario.name for scenario in SCENARIOS} - {"ci-smoke"}


@pytest.mark.parametrize("format_", Format)
def test_both_parsers_read_it(expositions: dict[Format, str], format_: Format) -> None:
    """prometheus_client's parsers find each sample line once, and the same samples in both formats."""
    text = expositions[format_]
    samples = [
        (sample.name, frozenset(sample.labels.items()))
        for family in PARSERS[format_](text)
        for sample in family.samples
    ]
    assert len(samples) == sum(not line.startswith("#") for line in text.splitlines()) == len(set(samples))


@pytest.mark.parametrize("format_", Format)
def test_families_are_contiguous(expositions: dict[Format, str], format_: Format) -> None:
    """Each family has one HELP and one TYPE, and all its samples follow these, as OpenMetrics demands."""
    lines = expositions[format_].splitlines()
    if format_ is Format.OPENMETRICS:
        assert lines.pop() == "# EOF"
    types = {line.split()[2]: line.split()[3] for line in lines if line.startswith("# TYPE ")}
    order: list[str] = []
    for line in lines:
        name = line.split()[2] if line.startswith("# ") else _family(re.split("[{ ]", line)[0], types)
        assert name in types, line
        if not order or order[-1] != name:
            order.append(name)
    assert order == list(types)
    for word in ("HELP", "TYPE"):
        assert [line.split()[2] for line in lines if line.startswith(f"# {word} ")] == order
