"""The demo uses the shipped files with other addresses and paths."""

from typing import Any

import pytest
import yaml

from feldera_exporter import config
from feldera_exporter.demo import configurations
from feldera_exporter.demo.configurations import ALERTMANAGER, EXPORTER, RECEIVER
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.problems.table import PIPELINE_PROBLEMS
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.shipped import shipped
from feldera_exporter.simulator.scenarios import SCENARIOS

ADDRESSES = {EXPORTER: "127.0.0.1:41", ALERTMANAGER: "127.0.0.1:42", RECEIVER: "127.0.0.1:43"}


def _text(name: str) -> str:
    return shipped(name).read_text(encoding="utf-8")


def _differences(first: Any, second: Any, place: str = "") -> dict[str, Any]:
    """Return what differs between two documents of the same shape, by its place."""
    if isinstance(first, dict) and isinstance(second, dict) and first.keys() == second.keys():
        return {
            k: v for key in first for k, v in _differences(first[key], second[key], f"{place}/{key}").items()
        }
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        pairs = enumerate(zip(first, second, strict=True))
        return {k: v for number, (a, b) in pairs for k, v in _differences(a, b, f"{place}/{number}").items()}
    return {} if first == second else {place: second}


def test_prometheus_is_configured_as_shipped() -> None:
    """Only the addresses of exporter and Alertmanager and the path of the rules differ from the shipped file."""
    text = _text("config/prometheus.yml")
    assert _differences(yaml.safe_load(text), yaml.safe_load(configurations.prometheus(text, ADDRESSES))) == {
        "/rule_files/0": "feldera.rules.yml",
        "/alerting/alertmanagers/0/static_configs/0/targets/0": "127.0.0.1:42",
        "/scrape_configs/0/static_configs/0/targets/0": "127.0.0.1:41",
    }


def test_the_rules_are_as_shipped() -> None:
    """Only the addresses of pages and runbooks differ from the shipped rules."""
    text = _text("alerts/feldera.rules.yml")
    moved = _differences(yaml.safe_load(text), yaml.safe_load(configurations.rules(text, ADDRESSES)))
    runbooks = [url for place, url in moved.items() if place.endswith("/annotations/runbook_url")]
    pages = [url for place, url in moved.items() if place.endswith("/annotations/pipeline_url")]
    assert len(runbooks) == len(NAMES)
    assert len(pages) == len(PIPELINE_PROBLEMS)
    assert len(moved) == len(runbooks) + len(pages)
    assert all(url.startswith("http://127.0.0.1:41/runbooks/Feldera") for url in runbooks)
    assert all(url.startswith("http://127.0.0.1:41/pipelines/") for url in pages)


def test_without_alertmanager_no_alert_leaves() -> None:
    """Without an Alertmanager none is configured, as the shipped address may be another user's."""
    text = configurations.prometheus(_text("config/prometheus.yml"), {EXPORTER: "127.0.0.1:41"})
    assert "alerting" not in yaml.safe_load(text)


def test_alertmanager_is_configured_as_shipped() -> None:
    """Only the address of the receivers differs from the shipped file."""
    text = _text("config/alertmanager.yml")
    moved = _differences(yaml.safe_load(text), yaml.safe_load(configurations.alertmanager(text, ADDRESSES)))
    assert moved
    assert all(place.startswith("/receivers/") and place.endswith("/url") for place in moved)
    assert all(url.startswith("http://127.0.0.1:43/") for url in moved.values())
    assert "9099" not in str(moved)


@pytest.mark.parametrize(
    ("shipped_value", "moved"),
    [
        ("exporter.example:10058", "127.0.0.1:41"),
        ("http://localhost:9093/api", "http://127.0.0.1:42/api"),
        ("localhost:9091", "localhost:9091"),
        ("localhost:100581", "localhost:100581"),
        ([10058, None], [10058, None]),
    ],
)
def test_only_the_well_known_ports_are_moved(shipped_value: object, moved: object) -> None:
    """Only the known ports are replaced, in any text."""
    text = yaml.safe_dump({"rule_files": [], "value": shipped_value})
    assert yaml.safe_load(configurations.prometheus(text, ADDRESSES))["value"] == moved


def test_the_exporter_takes_its_configuration(tmp_path: Any) -> None:
    """All limits are the default ones except for the scenarios with faster limits."""
    file = tmp_path / "exporter.yml"
    file.write_text(configurations.exporter("http://127.0.0.1:1"), encoding="utf-8")
    configuration = config.load(file, {}, KNOWN_FAMILIES, ())
    (instance,) = configuration.instances
    assert (instance.name, instance.url, instance.poll_interval) == ("demo", "http://127.0.0.1:1", 1.0)
    assert configuration.limits.defaults == DEFAULT_LIMITS
    [override] = configuration.limits.overrides
    assert override.name is not None
    assert (override.name.pattern, override.limits) == ("search-index", {"Provisioning": 20.0})


def test_faster_limits_are_those_of_stories() -> None:
    """Each faster limit is of an existing scenario."""
    assert set(configurations.LIMITS) <= {scenario.name for scenario in SCENARIOS}
