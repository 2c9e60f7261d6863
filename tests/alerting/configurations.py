"""The shipped configurations and rules, moved to other addresses and made faster; nothing else differs."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from feldera_exporter.demo import configurations as moved
from feldera_exporter.shipped import shipped

QUICK: Final = "1s"
"""How often is scraped, evaluated and polled: a run has no time for the fifteen seconds of the shipped files."""

GROUP_INTERVAL: Final = "2s"


def prometheus(rules: Path, exporters: Iterable[str], addresses: Mapping[int, str]) -> str:
    """Return Prometheus's configuration: of several exporters, each `host:port`, and with rules at another place."""
    document: dict[str, Any] = yaml.safe_load(
        moved.prometheus(shipped("config/prometheus.yml").read_text("utf-8"), addresses)
    )
    document["global"] |= {"scrape_interval": QUICK, "evaluation_interval": QUICK}
    document["rule_files"] = [str(rules)]
    (job,) = document["scrape_configs"]
    job["scrape_timeout"] = QUICK
    job["static_configs"][0]["targets"] = list(exporters)
    return yaml.safe_dump(document)


def alertmanager(addresses: Mapping[int, str]) -> str:
    """Return Alertmanager's configuration, with short waits for further alerts of a group."""
    document: dict[str, Any] = yaml.safe_load(
        moved.alertmanager(shipped("config/alertmanager.yml").read_text("utf-8"), addresses)
    )
    document["route"] |= {"group_wait": QUICK, "group_interval": GROUP_INTERVAL}
    return yaml.safe_dump(document)


def rules(printed: str) -> str:
    """Return the rules that `feldera-exporter rules` printed, with nothing but their intervals changed.

    They must be the shipped ones, but for them.
    """
    document = yaml.safe_load(printed)
    assert document == yaml.safe_load(shipped("alerts/feldera.rules.yml").read_text("utf-8"))
    for group in document["groups"]:
        group["interval"] = QUICK
    return yaml.safe_dump(document)


def exporter(instances: Mapping[str, str], limits: Mapping[str, Mapping[str, str]]) -> str:
    """Return the exporter's configuration.

    Args:
        instances: the address of each by its name.
        limits: short limits by the name of the pipelines that have them.
    """
    return yaml.safe_dump(
        {
            "instances": [
                {"name": name, "url": url, "poll_interval": QUICK, "timeout": QUICK}
                for name, url in instances.items()
            ],
            "limits": {"overrides": [{"name": name, "limits": dict(own)} for name, own in limits.items()]},
        }
    )
