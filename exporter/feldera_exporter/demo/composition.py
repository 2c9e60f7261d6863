"""The demo's composition: the stand-in, the exporter on it, what is beside them, and the show."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Final

from rich.console import Console

from feldera_exporter import app, config
from feldera_exporter.demo import child_programs, configurations
from feldera_exporter.demo.beside import beside
from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.firing_alerts import firing
from feldera_exporter.demo.receiver import receiver
from feldera_exporter.demo.settings import Settings
from feldera_exporter.demo.simulated_fleet import beginning, prepared_fleet
from feldera_exporter.demo.terminal_output import showing
from feldera_exporter.demo.view import Poster
from feldera_exporter.exporter import Exporter
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.problems.alerts import alerts as problem_alerts
from feldera_exporter.rules.alert_names import NAMES
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.server.listener import bind, serving
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer

_EVERY: Final = 1.0
"""Seconds between two views."""

_METRICS: Final = "/metrics"
_ANY: Final = frozenset({"0.0.0.0", "::"})


async def play(settings: Settings, data: Path, console: Console) -> None:
    """Play until SIGTERM, SIGINT, SIGQUIT or SIGHUP (its terminal is closed), or for as long as the settings say.

    The directory is empty and takes all that is written.

    Raises:
        ConfigError, ListenError: the exporter cannot listen where it should.
        ProgramError: a program beside it does not start.
        BrokenPipeError: the console is closed.
    """
    ended = app.ended_by_signal(signal.SIGHUP, signal.SIGQUIT)
    if settings.duration is not None:
        asyncio.get_running_loop().call_later(settings.duration, ended.set)
    playing = asyncio.create_task(_play(settings, data, console))
    waiting = asyncio.create_task(ended.wait())
    await asyncio.wait([playing, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    playing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await playing


async def _play(settings: Settings, data: Path, console: Console) -> None:
    clock = StagedClock(beginning(machine()))
    feldera = prepared_fleet(clock, settings.seed, settings.pipelines)
    async with AsyncExitStack() as stack:
        poster = Poster(stack.enter_context(showing(console)))
        api = stack.enter_context(serve(FelderaServer(feldera)))
        poster.started("Feldera (stand-in)", f"{api}/v0/pipelines?selector=status")
        exporter, url = await stack.enter_async_context(_exporting(settings, data, api))
        poster.started("feldera-exporter", f"{url}{_METRICS}")
        poster.started("its fleet page", f"{url}/")
        listener = bind("127.0.0.1:0")
        await stack.enter_async_context(serving(receiver(poster.notified), [listener]))
        addresses = {
            configurations.EXPORTER: configurations.address(url),
            configurations.RECEIVER: configurations.address(reachable(*listener.getsockname())),
        }
        here = await stack.enter_async_context(
            beside(addresses, data, poster.started, poster.missing, bridge=settings.bridge)
        )
        if settings.bridge and here.alertmanager is not None:
            _configure(data, api, here.alertmanager)
            await exporter.reload()
        client = await stack.enter_async_context(child_programs.local_client())
        while True:
            exporter.check()
            fleet, problems = exporter.publisher.observed[configurations.INSTANCE]
            alerts = await firing(client, here.prometheus) if here.prometheus else None
            if settings.bridge and here.alertmanager is not None:
                alerts = (*(alerts or ()), *problem_alerts(problems.present, {}))
            poster.draw(fleet, alerts, clock.now())
            await asyncio.sleep(_EVERY)


@contextlib.asynccontextmanager
async def _exporting(settings: Settings, data: Path, api: str) -> AsyncIterator[tuple[Exporter, str]]:
    """Run the exporter as its own command does, and give its address too."""
    file = _configure(data, api)
    load = partial(config.load, file, {}, KNOWN_FAMILIES, NAMES)
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(bind(address)) for address in settings.listen or [_address()]]
        url = reachable(*sockets[0].getsockname()[:2])
        options = app.Options(_METRICS, data / "exporter", addresses=RuleOptions(exporter_url=url))
        async with app.exporting(load, sockets, options) as exporter:
            yield exporter, url


def _address() -> str:
    """Return where the exporter listens if nothing else is asked for."""
    return f"{child_programs.HOST}:{child_programs.free_port(configurations.EXPORTER)}"


def _configure(data: Path, api: str, alertmanager: str | None = None) -> Path:
    """Write the exporter's configuration, and return where."""
    file = data / "exporter.yml"
    file.write_text(configurations.exporter(api, alertmanager), encoding="utf-8")
    return file


def reachable(host: str, port: int) -> str:
    """Return the address by which this machine reaches what listens on a host's port."""
    if host in _ANY:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
