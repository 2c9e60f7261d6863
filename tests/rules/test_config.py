"""The shipped configurations of Prometheus and Alertmanager load, and route every alert where it should go."""

import re
import subprocess
from typing import Any, Final

import pytest
import yaml

from feldera_exporter.problems.model import SEVERITIES
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS
from reference.alerts_page import ALERTS
from support.rule_engines import run
from support.tools import DEBIAN, ROOT, editions, tool

ALERTMANAGER: Final = ROOT / "config/alertmanager.yml"
PROMETHEUS: Final = ROOT / "config/prometheus.yml"
CONFIG: Final[dict[str, Any]] = yaml.load(ALERTMANAGER.read_text("utf-8"), Loader=yaml.CSafeLoader)
EXTERNAL: Final = "cluster"
"""The label that says which Prometheus sent an alert, if there are several."""


def amtool(*arguments: str, edition: str = DEBIAN) -> str:
    """Return what an edition of amtool prints."""
    done = subprocess.run([tool("amtool", edition), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("edition", editions("promtool"))
def test_prometheus_loads(edition: str) -> None:
    """Promtool accepts the configuration together with the rules that it names."""
    verdict = run(tool("promtool", edition), "check", "config", PROMETHEUS)
    assert verdict.passed, verdict.output
    assert f"{len(ALERTS) + 1} rules found" in verdict.output


def test_scrape_suits_the_rules() -> None:
    """Three minutes cover several scrapes, and pipelines keep their own `team` and `tier`."""
    config = yaml.safe_load(PROMETHEUS.read_text("utf-8"))
    [job] = config["scrape_configs"]
    assert job["honor_labels"] is True
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:10058"]
    assert config["global"]["scrape_interval"] == "15s"
    manifest = yaml.safe_load((ROOT / "config/kubernetes/servicemonitor.yaml").read_text("utf-8"))
    [endpoint] = manifest["spec"]["endpoints"]
    assert (endpoint["honorLabels"], endpoint["interval"]) == (True, "15s")


@pytest.mark.parametrize("edition", editions("amtool"))
def test_alertmanager_loads(edition: str) -> None:
    """Amtool accepts the configuration."""
    assert "SUCCESS" in amtool("check-config", str(ALERTMANAGER), edition=edition)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=critical",), "pager"),
        (("severity=warning",), "tickets"),
        (("severity=info",), "discard"),
        (("severity=critical", "tier=dev"), "tickets"),
        (("severity=critical", "tier=dev", "team=example-team"), "tickets"),
        (("severity=warning", "tier=dev"), "tickets"),
        (("severity=info", "tier=dev"), "discard"),
        (("severity=critical", "tier=gold"), "pager"),
        (("severity=critical", "team=example-team"), "example-team-pager"),
        (("severity=warning", "team=example-team"), "example-team-tickets"),
        (("severity=info", "team=example-team"), "discard"),
        (("severity=none", "alertname=FelderaWatchdog"), "deadman"),
        (("severity=critical", "team=another"), "pager"),
        (("severity=surprise",), "tickets"),
    ],
)
def test_routes(labels: tuple[str, ...], receiver: str) -> None:
    """Alerts are routed by severity, tier and team, and the watchdog has a separate receiver."""
    found = amtool("config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels)
    assert found.strip() == receiver


def test_every_severity_has_a_route() -> None:
    """Every severity of the rules has a route."""
    assert {row.severity for row in ALERTS.values()} == {*SEVERITIES, "none"}


def test_grouped_by_instance_and_name() -> None:
    """A notification groups the alerts of one name and instance, never one per pipeline."""
    assert CONFIG["route"]["group_by"] == [EXTERNAL, "feldera_instance", "alertname"]
    assert "..." not in str(CONFIG["route"])


def test_resolved_alerts_are_notified_once() -> None:
    """The group interval is longer than the minute after which Prometheus resends."""
    assert CONFIG["route"]["group_interval"] == "3m"
    groups = [route for route in CONFIG["route"]["routes"] if "group_interval" in route]
    assert [route["receiver"] for route in groups] == ["deadman"]  # without notifications of resolved alerts


def test_receivers_stay_on_this_machine() -> None:
    """A placeholder that is not replaced sends to this machine only."""
    urls = [hook["url"] for receiver in CONFIG["receivers"] for hook in receiver.get("webhook_configs", [])]
    assert urls
    assert all(url.startswith("http://127.0.0.1:9099/") for url in urls)


def test_inhibitions() -> None:
    """An alert is inhibited only if it begins and ends with its cause: an exporter that does not answer."""
    [rule] = CONFIG["inhibit_rules"]
    assert rule["equal"] == [EXTERNAL]
    [source], [target] = (
        re.findall(r'alertname =~? "(.*)"', str(rule[f"{end}_matchers"])) for end in ("source", "target")
    )
    targets = target.split("|")
    assert source == "FelderaExporterAbsent"
    assert {source, *targets} <= EXPORTER_ALERTS.keys()
    assert EXPORTER_ALERTS[source].severity == "critical"
    # None of them begins before five minutes have passed without an answer.
    assert {EXPORTER_ALERTS[name].for_ for name in (source, *targets)} == {"2m"}
    assert all("[3m]" in EXPORTER_ALERTS[name].expression for name in (source, "FelderaExporterDataStale"))
    assert "[8m]" in EXPORTER_ALERTS["FelderaExporterDown"].expression
