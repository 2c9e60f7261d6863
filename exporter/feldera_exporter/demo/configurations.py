"""The shipped configurations with the demo's addresses and paths."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import yaml

INSTANCE: Final = "demo"
"""The instance's name in the configuration."""

RULES: Final = "feldera.rules.yml"
"""The name of the rule file in the directory of Prometheus's configuration."""

EXPORTER: Final = 10058
PROMETHEUS: Final = 9090
ALERTMANAGER: Final = 9093
RECEIVER: Final = 9099

Addresses = Mapping[int, str]
"""The `host:port` that replaces each of the default ports above."""

_ADDRESS: Final = re.compile(r"(?<![\w.:-])[\w.-]+:(\d+)(?!\d)")


LIMITS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({"search-index": {"Provisioning": "20s"}})
"""The limits of pipelines whose scenarios run faster than usual, by name."""


def exporter(url: str, alertmanager: str | None = None) -> str:
    """Return the exporter's configuration: the defaults, with a poll each second and the limits above.

    With an Alertmanager, the exporter sends its problems itself.
    """
    overrides = [{"name": name, "limits": dict(limits)} for name, limits in LIMITS.items()]
    return _dump(
        {
            "instances": [{"name": INSTANCE, "url": url, "poll_interval": "1s"}],
            "limits": {"overrides": overrides},
            "alertmanager": None if alertmanager is None else {"urls": [alertmanager]},
        }
    )


def address(url: str) -> str:
    """Return the `host:port` of an address that begins with http://."""
    return url.removeprefix("http://")


def prometheus(text: str, addresses: Addresses) -> str:
    """Return Prometheus's configuration, made of the one that is shipped.

    Without an address of Alertmanager no alerts are sent: whatever listens at the shipped one is no part of the demo.
    """
    document = {**yaml.safe_load(text), "rule_files": [RULES]}
    if ALERTMANAGER not in addresses:
        document.pop("alerting", None)
    return _dump(_moved(document, addresses))


def rules(text: str, addresses: Addresses) -> str:
    """Return the rules, made of those that are shipped; what they link to is the demo's exporter."""
    return str(_moved(text, addresses))


def alertmanager(text: str, addresses: Addresses) -> str:
    """Return Alertmanager's configuration, made of the one that is shipped."""
    return _dump(_moved(yaml.safe_load(text), addresses))


def _moved(value: Any, addresses: Addresses) -> Any:
    """Return a value in which every address with a well-known port is the demo's."""
    if isinstance(value, dict):
        return {key: _moved(each, addresses) for key, each in value.items()}
    if isinstance(value, list):
        return [_moved(each, addresses) for each in value]
    if isinstance(value, str):
        return _ADDRESS.sub(lambda found: addresses.get(int(found[1]), found[0]), value)
    return value


def _dump(document: object) -> str:
    return str(yaml.safe_dump(document, sort_keys=False))
