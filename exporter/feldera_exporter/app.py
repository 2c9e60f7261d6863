"""Runs the exporter: opens the store, serves the metrics and the pages, and ends all in order."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import structlog

from feldera_exporter import __version__
from feldera_exporter.config import Configuration
from feldera_exporter.exporter import Exporter
from feldera_exporter.pages.links import Links
from feldera_exporter.rules.rendering import RuleOptions
from feldera_exporter.server.asgi import application
from feldera_exporter.server.html_pages import Site
from feldera_exporter.server.listener import serving
from feldera_exporter.server.web_access import WebAccess, guarded
from feldera_exporter.store.store import Store
from feldera_exporter.systemd_notification import notify


@dataclass(frozen=True, slots=True)
class Options:
    """The settings of the command line.

    Attributes:
        storage: the directory of the store, None without one.
        lifecycle: whether `POST /-/reload` is answered.
        addresses: the addresses that alerts link to; that of the pages may have a path, behind a proxy.
        web: TLS, passwords and headers; None for plain HTTP without a password.
    """

    telemetry_path: str = "/metrics"
    storage: Path | None = None
    lifecycle: bool = False
    addresses: RuleOptions = field(default_factory=RuleOptions)
    web: WebAccess | None = None


async def run(load: Callable[[], Configuration], sockets: Sequence[socket.socket], options: Options) -> None:
    """Poll and serve until SIGTERM or SIGINT; SIGHUP loads the configuration again. See `exporting`."""
    ended, reload = ended_by_signal(), asyncio.Event()
    # A SIGHUP during the start is for a reload after it.
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload.set)
    async with exporting(load, sockets, options) as exporter:
        reloading = asyncio.create_task(_reload_at_signal(reload, exporter.reload))
        notify("READY=1")
        try:
            await exporter.until(ended)
        finally:
            reloading.cancel()
        notify("STOPPING=1")
        structlog.get_logger().info("stopping")


@asynccontextmanager
async def exporting(
    load: Callable[[], Configuration], sockets: Sequence[socket.socket], options: Options
) -> AsyncIterator[Exporter]:
    """Poll all instances and serve the metrics while the context lasts; `load` is called now and at each reload.

    Raises:
        ConfigError: the configuration is wrong; at a reload, the running one is kept instead.
        StoreError: the store cannot be used.
    """
    log = structlog.get_logger()
    async with AsyncExitStack() as stack:
        store = None
        if options.storage is None:
            log.info("no --storage.path: after a restart, all counters start at 0")
        else:
            store = Store.open(options.storage)
            stack.callback(store.close)
        # The store is loaded before the first scrape: no counter may be scraped at 0 and then jump.
        exporter = Exporter(load, store, options.addresses)
        stack.push_async_callback(exporter.stop)
        reload = exporter.reload if options.lifecycle else None
        prefix = urlsplit(options.addresses.exporter_url).path.rstrip("/")
        links = Links(prefix, options.telemetry_path)
        site = Site(exporter, links)
        app = application(exporter.publisher, options.telemetry_path, reload, site.find, prefix)
        web = options.web
        if web is not None:
            app = guarded(app, web.present)
        await stack.enter_async_context(serving(app, sockets, web.listening if web is not None else None))
        bound = [each.getsockname()[:2] for each in sockets]
        addresses = ", ".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in bound)
        log.info("started", version=__version__, instances=len(exporter.instances), addresses=addresses)
        exporter.start()
        yield exporter


def ended_by_signal(*further: signal.Signals) -> asyncio.Event:
    """Return an event that SIGTERM, SIGINT and the further signals set."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, *further):
        loop.add_signal_handler(number, ended.set)
    return ended


async def _reload_at_signal(requested: asyncio.Event, reload: Callable[[], Awaitable[object]]) -> None:
    """Reload each time it is requested; all requests during a reload share the next one."""
    while True:
        await requested.wait()
        requested.clear()
        await reload()
