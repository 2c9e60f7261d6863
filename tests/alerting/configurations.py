"""The shipped configurations and rules, moved to other addresses and made faster; nothing else differs."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from feldera_exporter.demo import configurations as moved
from feldera_exporter.shipped import shipped

QUICK: Final = "1s"
"""How often is scraped and evaluated: a run has no time for the fifteen seconds of the shipped files."""

CALM: Final = "2s"
"""The same where many minutes must pass: half the work."""

POLL: Final = "2s"
"""How often each exporter polls each instance, and how long it waits: a busy machine must not look like an outage."""

GROUP_INTERVAL: Final = "2s"

SOONER: Final = 3
"""How much shorter the waits of a minute are: those of rules, and after which Prometheus repeats an alert."""

RESEND: Final = "15s"
"""How often alerts are repeated, in place of a minute."""

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_RANGE: Final = re.compile(r"\[(\d+[smhd])\]")

OPERATORS: Final = {
    "namespace": "feldera",
    "service": "feldera-exporter",
    "container": "exporter",
    "endpoint": "http",
}
"""The labels that the Prometheus operator sets on every target of the shipped ServiceMonitor, with `pod` and `instance`."""


def prometheus(
    rules: Path | None,
    exporters: Iterable[str],
    addresses: Mapping[int, str],
    *,
    honor_labels: bool = True,
    interval: str = QUICK,
) -> str:
    """Return Prometheus's configuration: of several exporters, as the operator labels them.

    Args:
        rules: where the rules are; None where another program evaluates them.
        exporters: each as `host:port`.
        addresses: what stands for the well-known ports.
        honor_labels: whether an exporter's labels count where a target has labels of the same name.
        interval: of scrapes and evaluations.
    """
    document: dict[str, Any] = yaml.safe_load(
        moved.prometheus(shipped("config/prometheus.yml").read_text("utf-8"), addresses)
    )
    document["global"] |= {"scrape_interval": interval, "evaluation_interval": interval}
    document["rule_files"] = [str(rules)] if rules else []
    [job] = document["scrape_configs"]
    job |= {"scrape_timeout": interval, "honor_labels": honor_labels}
    job["static_configs"] = [
        {
            "targets": [exporter],
            "labels": {
                **OPERATORS,
                "pod": f"feldera-exporter-{number}",
                "instance": f"feldera/feldera-exporter-{number}",
            },
        }
        for number, exporter in enumerate(exporters)
    ]
    return yaml.safe_dump(document)


def alertmanager(addresses: Mapping[int, str], group_interval: str = GROUP_INTERVAL) -> str:
    """Return Alertmanager's configuration, with short waits for further alerts of a group."""
    document: dict[str, Any] = yaml.safe_load(
        moved.alertmanager(shipped("config/alertmanager.yml").read_text("utf-8"), addresses)
    )
    document["route"] |= {"group_wait": QUICK, "group_interval": group_interval}
    return yaml.safe_dump(document)


def rules(printed: str, interval: str = QUICK) -> str:
    """Return the rules that `feldera-exporter rules` printed, with nothing but their intervals and waits changed.

    They must be the shipped ones, but for them.
    """
    document = yaml.safe_load(printed)
    assert document == yaml.safe_load(shipped("alerts/feldera.rules.yml").read_text("utf-8"))
    for group in document["groups"]:
        group["interval"] = interval
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = _shorter(rule["for"], SOONER)
    return yaml.safe_dump(document)


def compressed(rules: str, factor: int) -> str:
    """Return rules whose times are so many times shorter, evaluated as often as `CALM` says."""
    document = yaml.safe_load(rules)
    for group in document["groups"]:
        group["interval"] = CALM
        for rule in group["rules"]:
            rule["expr"] = _RANGE.sub(lambda found: f"[{_shorter(found[1], factor)}]", rule["expr"])
            if "for" in rule:
                rule["for"] = _shorter(rule["for"], factor)
    return yaml.safe_dump(document)


def _shorter(duration: str, factor: int) -> str:
    return f"{int(duration[:-1]) * _SECONDS[duration[-1]] // factor}s"


def exporter(instances: Mapping[str, str], limits: Mapping[str, Mapping[str, str]]) -> str:
    """Return the exporter's configuration; what it shows of pipelines is stale as soon as may be.

    Args:
        instances: the address of each by its name.
        limits: short limits by the name of the pipelines that have them.
    """
    return yaml.safe_dump(
        {
            "instances": [
                {"name": name, "url": url, "poll_interval": POLL, "timeout": POLL, "staleness": POLL}
                for name, url in instances.items()
            ],
            # A third of all series, which no alert reads.
            "metrics": {"exclude": ["feldera_status_duration_seconds"]},
            "limits": {"overrides": [{"name": name, "limits": dict(own)} for name, own in limits.items()]},
        }
    )
