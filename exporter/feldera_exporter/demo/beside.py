"""Prometheus and Alertmanager beside the exporter, with the configurations that are shipped."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from feldera_exporter.demo import configurations, programs
from feldera_exporter.demo.configurations import ALERTMANAGER, PROMETHEUS, Addresses
from feldera_exporter.shipped import shipped

_ALERTMANAGER: Final = "config/alertmanager.yml"
_PROMETHEUS: Final = "config/prometheus.yml"
_RULES: Final = "alerts/feldera.rules.yml"
_PORTS: Final = {_ALERTMANAGER: ALERTMANAGER, _PROMETHEUS: PROMETHEUS}

Tell = Callable[[str, str], None]
"""Told the name of something and what there is to say of it."""


@asynccontextmanager
async def beside(addresses: Addresses, data: Path, started: Tell, missing: Tell) -> AsyncIterator[str | None]:
    """Run what is installed of the two while the context lasts; Alertmanager has nothing to do without Prometheus.

    Args:
        addresses: of the exporter and the stand-in.
        data: the directory for configurations, data and logs.
        started: told where each can be looked at, as soon as it answers.
        missing: told how to install what is missing.

    Yields:
        Prometheus's address; None if it is not installed.

    Raises:
        ProgramError: one does not start.
    """
    prometheus = programs.installed("prometheus")
    alertmanager = programs.installed("prometheus-alertmanager", "alertmanager")
    if prometheus is None:
        missing(
            "Prometheus", "not installed, so nobody evaluates the alert rules: apt-get install prometheus"
        )
    if alertmanager is None:
        missing(
            "Alertmanager",
            "not installed, so nobody receives alerts: apt-get install prometheus-alertmanager",
        )
    async with AsyncExitStack() as stack:
        if prometheus is not None and alertmanager is not None:
            words = programs.alertmanager(
                alertmanager,
                _configuring(_ALERTMANAGER, data, addresses, configurations.alertmanager),
                data / "alertmanager",
            )
            url = await stack.enter_async_context(programs.running(words, data / "alertmanager.log"))
            started("Alertmanager", f"{url}/#/alerts")
            addresses = {**addresses, ALERTMANAGER: configurations.address(url)}
        if prometheus is not None:
            rules = configurations.rules(shipped(_RULES).read_text(encoding="utf-8"), addresses)
            (data / configurations.RULES).write_text(rules, encoding="utf-8")
            words = programs.prometheus(
                prometheus,
                _configuring(_PROMETHEUS, data, addresses, configurations.prometheus),
                data / "prometheus",
            )
            url = await stack.enter_async_context(programs.running(words, data / "prometheus.log"))
            started("Prometheus", f"{url}/alerts")
            yield url
        else:
            yield None


def _configuring(
    name: str, data: Path, addresses: Addresses, configuration: Callable[[str, Addresses], str]
) -> Callable[[int], Path]:
    """Return what writes a configuration for a port and says where."""

    def configure(port: int) -> Path:
        own = {**addresses, _PORTS[name]: f"{programs.HOST}:{port}"}
        file = data / Path(name).name
        file.write_text(configuration(shipped(name).read_text(encoding="utf-8"), own), encoding="utf-8")
        return file

    return configure
