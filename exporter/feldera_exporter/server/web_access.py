"""TLS, basic authentication and headers, as the file of `--web.config.file` describes them now."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any
from weakref import WeakSet

from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.tls import file_state
from feldera_exporter.config.web_config import WebConfig, load_web_config
from feldera_exporter.errors import ConfigError
from feldera_exporter.logs import FailureLog, Logger
from feldera_exporter.server.asgi import Asgi, Receive, Scope, Send, send_reply
from feldera_exporter.server.basic_auth import Passwords
from feldera_exporter.server.http_messages import text_reply
from feldera_exporter.server.tls_context import RenewedContext, server_context


class WebAccess:
    """The file of `--web.config.file`: read again when it or a certificate changes; after a mistake the old one stays.

    Raises:
        ConfigError: the file has a mistake.
    """

    def __init__(self, path: Path, log: Logger) -> None:
        self._path = path
        self._mistaken = FailureLog(log, "web configuration not reloaded", "web configuration reloaded")
        self._config = load_web_config(path)
        self._context = self._context_of(self._config)
        self._stamp = self._files()

    @property
    def listening(self) -> ssl.SSLContext | None:
        """The context to listen with, None for plain HTTP; whether there is one does not change."""
        first = self._context
        if first is None:
            return None

        def newest() -> ssl.SSLContext:
            self.present()
            return self._context or first

        listening = RenewedContext(ssl.PROTOCOL_TLS_SERVER)
        listening.newest = newest
        listening.connections = WeakSet()
        return listening

    def present(self) -> WebConfig:
        """Return the present configuration."""
        stamp = self._files()
        if stamp != self._stamp:
            try:
                self._read()
            except ConfigError as error:
                self._mistaken.failed("mistake", error)
                # The next request tries again: what is missing may be a file that has no part in the stamp yet.
                self._stamp = ()
            else:
                self._mistaken.succeeded()
                # The stamp is from before the read: a file that has changed meanwhile is read once more.
                self._stamp = stamp
        return self._config

    def _read(self) -> None:
        config = load_web_config(self._path)
        if (config.tls_server_config is None) != (self._context is None):
            raise ConfigError(f"{self._path}: found TLS switched on or off, expected that at a restart only")
        self._context = self._context_of(config)
        self._config = config

    def _context_of(self, config: WebConfig) -> ssl.SSLContext | None:
        if config.tls_server_config is None:
            return None
        try:
            return server_context(config.tls_server_config)
        except RefusedError as error:
            raise ConfigError(f"{self._path}: {error.mistake('tls_server_config')}") from None

    def _files(self) -> tuple[object, ...]:
        """Return a stamp that changes when one of the files does."""
        tls = self._config.tls_server_config
        named = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls is not None else ()
        return tuple(file_state(path) for path in (self._path, *filter(None, named)))


def guarded(app: Asgi, config: Callable[[], WebConfig]) -> Asgi:
    """Return an application with basic authentication and further headers, as the present configuration says.

    As in the exporter-toolkit, all paths need the password, also `/-/healthy`.
    """
    passwords = Passwords()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        present = config()
        configured = present.http_server_config.headers.items()
        headers = {name.lower().encode(): value.encode() for name, value in configured}

        async def with_headers(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                message["headers"] += [each for each in headers.items() if each[0] not in given]
            await send(message)

        users = present.basic_auth_users
        authorization = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
        accepted = await passwords.accepts(users, authorization) if users else True
        if accepted:
            await app(scope, receive, with_headers)
        elif accepted is None:
            busy = text_reply(503, "Too many passwords at a time.\n", ("retry-after", "1"))
            await send_reply(busy, with_headers)
        else:
            await send_reply(text_reply(401, "Unauthorized\n", ("www-authenticate", "Basic")), with_headers)

    return answer
