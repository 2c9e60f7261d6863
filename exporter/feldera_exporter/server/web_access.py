"""TLS, basic authentication and headers, as the file of `--web.config.file` describes them now."""

import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast
from weakref import WeakSet

from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.file_content import FileContent
from feldera_exporter.config.web_config import WebConfig, load_web_config
from feldera_exporter.errors import ConfigError
from feldera_exporter.logs import Logger
from feldera_exporter.server.asgi import Asgi, Receive, Scope, Send, send_reply
from feldera_exporter.server.basic_auth import Passwords
from feldera_exporter.server.http_messages import text_reply
from feldera_exporter.server.tls_context import RenewedContext, server_context


class WebAccess:
    """The file of `--web.config.file`, read again when it or a certificate changes; see `FileContent`.

    Raises:
        ConfigError: the file has a mistake.
    """

    def __init__(self, path: Path, log: Logger) -> None:
        self._path = path
        self._uses_tls: bool | None = None
        self._content = FileContent(self._read, self._files, "web configuration", log)

    def present(self) -> WebConfig:
        """Return the present configuration."""
        return self._content.present()[0]

    @property
    def listening(self) -> ssl.SSLContext | None:
        """The context to listen with, None for plain HTTP; whether there is one does not change."""
        if not self._uses_tls:
            return None
        listening = RenewedContext(ssl.PROTOCOL_TLS_SERVER)
        listening.connections = WeakSet()
        # `_read` refuses to switch TLS off.
        listening.newest = lambda: cast("ssl.SSLContext", self._content.present()[1])
        return listening

    def _read(self) -> tuple[WebConfig, ssl.SSLContext | None]:
        config = load_web_config(self._path)
        tls = config.tls_server_config
        if self._uses_tls not in {None, tls is not None}:
            raise ConfigError(f"{self._path}: found TLS switched on or off, expected that at a restart only")
        try:
            context = server_context(tls) if tls is not None else None
        except RefusedError as error:
            raise ConfigError(f"{self._path}: {error.mistake('tls_server_config')}") from None
        self._uses_tls = context is not None
        return config, context

    def _files(self, content: tuple[WebConfig, ssl.SSLContext | None]) -> list[Path]:
        tls = content[0].tls_server_config
        named = (tls.cert_file, tls.key_file, tls.client_ca_file) if tls is not None else ()
        return [self._path, *filter(None, named)]


def guarded(app: Asgi, config: Callable[[], WebConfig]) -> Asgi:
    """Return an application with basic authentication and further headers, as the present configuration says.

    As in the exporter-toolkit, all paths need the password, also `/-/healthy`.
    """
    passwords = Passwords()

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        present = config()
        configured = present.http_server_config.headers.items()
        headers = {name.lower().encode(): value.reveal().encode() for name, value in configured}

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
