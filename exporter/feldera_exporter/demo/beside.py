"""Runs Prometheus and Alertmanager with the shipped configurations."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from feldera_exporter.demo import child_programs, configurations
from feldera_exporter.demo.configurations import ALERTMANAGER, PROMETHEUS, Addresses
from feldera_exporter.rules.rendering import RuleOptions, rules
from feldera_exporter.shipped import shipped

_ALERTMANAGER: Final = "config/alertmanager.yml"
_PROMETHEUS: Final = "config/prometheus.yml"
_RULES: Final = "alerts/feldera.rules.yml"
_PORTS: Final = {_ALERTMANAGER: ALERTMANAGER, _PROMETHEUS: PROMETHEUS}

_PROMETHEUS_PAGES: Final = {path: path for path in ("/alerts", "/classic/alerts", "/api/v1/alerts")}
_ALERTMANAGER_PAGES: Final = {"/script.js": "/#/alerts", "/api/v2/alerts": "/api/v2/alerts"}
"""By a path that is there only with the page, the page with the alerts: Debian's builds lack the web interface or part of it."""

Report = Callable[[str, str], None]
"""Called with the name of a program and a text about it."""


@dataclass(frozen=True, slots=True)
class Beside:
    """The addresses of both; None if one does not run."""

    prometheus: str | None = None
    alertmanager: str | None = None


@asynccontextmanager
async def beside(
    addresses: Addresses, data: Path, started: Report, missing: Report, *, bridge: bool = False
) -> AsyncIterator[Beside]:
    """Run the installed ones of both while the context lasts.

    Without Prometheus, Alertmanager runs only if the exporter sends alerts itself.

    Yields:
        their addresses.

    Raises:
        ProgramError: one does not start.
    """
    prometheus = child_programs.installed("prometheus")
    alertmanager = child_programs.installed("prometheus-alertmanager", "alertmanager")
    if prometheus is None:
        missing(
            "Prometheus", "not installed, so the alert rules are not evaluated: apt-get install prometheus"
        )
    if alertmanager is None:
        missing(
            "Alertmanager",
            "not installed, so there are no notifications: apt-get install prometheus-alertmanager",
        )
    async with AsyncExitStack() as stack:

        async def run(name: str, words: child_programs.Command, port: int, pages: Mapping[str, str]) -> str:
            running = child_programs.running(words, data / f"{name.lower()}.log", port)
            url = await stack.enter_async_context(running)
            started(name, await child_programs.first_page(url, pages))
            return url

        here = Beside()
        if alertmanager is not None and (prometheus is not None or bridge):
            configure = _configuring(_ALERTMANAGER, data, addresses, configurations.alertmanager)
            words = child_programs.alertmanager(alertmanager, configure, data / "alertmanager")
            url = await run("Alertmanager", words, ALERTMANAGER, _ALERTMANAGER_PAGES)
            addresses = {**addresses, ALERTMANAGER: configurations.address(url)}
            here = Beside(alertmanager=url)
        if prometheus is not None:
            # With the bridge, only the exporter sends alerts about Feldera, so that each problem is notified once.
            text = (
                rules(options=RuleOptions(exporter_only=True))
                if bridge
                else shipped(_RULES).read_text(encoding="utf-8")
            )
            (data / configurations.RULES).write_text(configurations.rules(text, addresses), encoding="utf-8")
            configure = _configuring(_PROMETHEUS, data, addresses, configurations.prometheus)
            words = child_programs.prometheus(prometheus, configure, data / "prometheus")
            here = Beside(await run("Prometheus", words, PROMETHEUS, _PROMETHEUS_PAGES), here.alertmanager)
        yield here


def _configuring(
    name: str, data: Path, addresses: Addresses, configuration: Callable[[str, Addresses], str]
) -> Callable[[int], Path]:
    """Return what writes a configuration for a port and says where."""

    def configure(port: int) -> Path:
        own = {**addresses, _PORTS[name]: f"{child_programs.HOST}:{port}"}
        file = data / Path(name).name
        file.write_text(configuration(shipped(name).read_text(encoding="utf-8"), own), encoding="utf-8")
        return file

    return configure
