"""The shipped configuration of Prometheus and Alertmanager loads, and routes every alert where it should go."""

import subprocess
from typing import Final

import pytest
import yaml

from rules.generate import ROOT
from rules.promtool import run
from tools import DEBIAN, editions, tool

ALERTMANAGER: Final = ROOT / "config/alertmanager.yml"
PROMETHEUS: Final = ROOT / "config/prometheus.yml"


def amtool(*arguments: str, edition: str = DEBIAN) -> str:
    """Return what an edition of amtool prints."""
    done = subprocess.run([tool("amtool", edition), *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("edition", editions("promtool"))
def test_prometheus_loads(edition: str) -> None:
    """Promtool accepts the configuration together with the rules that it names."""
    verdict = run("check", "config", PROMETHEUS, edition=edition)
    assert verdict.passed, verdict.words
    assert "65 rules found" in verdict.words


def test_scrape_suits_the_rules() -> None:
    """The job has the name that the rules look for, and three scrapes may be missed within their look-back."""
    config = yaml.safe_load(PROMETHEUS.read_text("utf-8"))
    (job,) = config["scrape_configs"]
    assert job["job_name"] == "feldera-exporter"
    assert job["static_configs"][0]["targets"] == ["127.0.0.1:10058"]
    assert config["global"]["scrape_interval"] == "15s"


@pytest.mark.parametrize("edition", editions("amtool"))
def test_alertmanager_loads(edition: str) -> None:
    """Amtool accepts the configuration."""
    assert "SUCCESS" in amtool("check-config", str(ALERTMANAGER), edition=edition)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=critical",), "pager"),
        (("severity=warning",), "tickets"),
        (("severity=info",), "nobody"),
        (("severity=critical", "team=example-team"), "example-team-pager"),
        (("severity=warning", "team=example-team"), "example-team-tickets"),
        (("severity=info", "team=example-team"), "nobody"),
        (("severity=none", "alertname=FelderaWatchdog"), "deadman"),
        (("severity=critical", "team=another"), "pager"),
        (("severity=surprise",), "tickets"),
    ],
)
def test_routes(labels: tuple[str, ...], receiver: str) -> None:
    """Alerts go by severity and team, the watchdog to its own receiver."""
    found = amtool("config", "routes", "test", f"--config.file={ALERTMANAGER}", *labels)
    assert found.strip() == receiver


def test_grouped_by_instance_and_name() -> None:
    """One notification for each kind of trouble of each cluster's instance, never one for each pipeline."""
    config = yaml.safe_load(ALERTMANAGER.read_text("utf-8"))
    assert config["route"]["group_by"] == ["cluster", "feldera_instance", "alertname"]
    assert "..." not in str(config["route"])


def test_receivers_stay_on_this_machine() -> None:
    """A placeholder that somebody forgets sends nothing anywhere."""
    config = yaml.safe_load(ALERTMANAGER.read_text("utf-8"))
    urls = [hook["url"] for receiver in config["receivers"] for hook in receiver.get("webhook_configs", [])]
    assert urls
    assert all(url.startswith("http://127.0.0.1:9099/") for url in urls)
