"""The client of one Alertmanager (API v2), with a deadline for each request and an error kind for each failure."""

import asyncio
import base64
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import msgspec

from feldera_exporter.alertmanager.addresses import Address
from feldera_exporter.config import Alertmanager, present_context
from feldera_exporter.config.secret_files import key_in, password_in, reread
from feldera_exporter.errors import ExporterError
from feldera_exporter.feldera import response_body as bodies
from feldera_exporter.feldera.connections import PresentTls, transport
from feldera_exporter.feldera.errors import InvalidResponseError, TooLargeError
from feldera_exporter.feldera.http_errors import date, retry_after
from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.logs import FailureLog, Logger
from feldera_exporter.micros import Micros, from_datetime, from_seconds

_MAX_BODY_BYTES: Final = 32 * 2**20
_MAX_QUOTED_CHARACTERS: Final = 200
"""How much of an error response is quoted."""
_DATE_ERROR_SECONDS: Final = 1.0
"""A smaller clock skew counts as none: the `Date` header has whole seconds."""
_KEEPALIVE: Final = 5.0
"""Seconds for which an idle connection is kept."""
_UNAUTHORIZED: Final = frozenset({401, 403})
_REFUSED: Final = frozenset({400, 413, 422})
"""The HTTP statuses that mean that the sent alerts are refused."""

Key = frozenset[tuple[str, str]]
"""The labels of an alert."""


class AlertmanagerError(ExporterError):
    """A request to an Alertmanager failed.

    Attributes:
        kind: `timeout`, `unreachable`, `unauthorized`, `redirect`, `refused`, `server_error`, `invalid_response` or
            `internal_error`.
        retry_after: the seconds of the `Retry-After` header; 0 without one.
    """

    def __init__(self, kind: str, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.kind = kind
        self.retry_after = retry_after


class RefusedAlertsError(AlertmanagerError):
    """The Alertmanager refuses one of the alerts, or the size of the request."""


class _Version(msgspec.Struct, frozen=True):
    version: str = ""


class _Cluster(msgspec.Struct, frozen=True):
    status: str = ""
    peers: tuple[Any, ...] | None = None


class AlertmanagerStatus(msgspec.Struct, frozen=True):
    """The part of the response to `GET /api/v2/status` that `check` prints."""

    version: _Version = msgspec.field(name="versionInfo", default_factory=_Version)
    cluster: _Cluster = msgspec.field(default_factory=_Cluster)


class _ActiveAlert(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    since: datetime = msgspec.field(name="startsAt")


_STATUS: Final = msgspec.json.Decoder(AlertmanagerStatus)
_ACTIVE: Final[msgspec.json.Decoder[list[_ActiveAlert]]] = msgspec.json.Decoder(list[_ActiveAlert])


class AlertmanagerClient:
    """Talks to one Alertmanager.

    Args:
        identity: returns the present `Authorization` header, None for none; called for every request.
        tls: returns the TLS context; None where the address is not https.
        timeout: seconds that one request may take.
    """

    def __init__(
        self,
        address: Address,
        identity: Callable[[], str | None],
        tls: PresentTls | None,
        timeout: float,
    ) -> None:
        self._address = address
        self._identity = identity
        self._timeout = timeout
        self._skew_seconds = 0.0
        self._http = httpx.AsyncClient(
            transport=transport(tls, httpx.Limits(keepalive_expiry=_KEEPALIVE)),
            follow_redirects=False,
            # The deadline in `_request` covers everything.
            timeout=None,  # noqa: S113
            # Like Prometheus, the exporter ignores the environment's proxy for Alertmanager.
            trust_env=False,
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "Host": address.host},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def now(self) -> Micros:
        """Return the time by Alertmanager's clock, as far as known from its responses."""
        return from_seconds(time.time() + self._skew_seconds)

    async def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Send alerts.

        Raises:
            RefusedAlertsError: the Alertmanager refuses these alerts.
            AlertmanagerError: the request failed.
        """
        await self._request("POST", "/api/v2/alerts", msgspec.json.encode(alerts))

    async def active(self, instance: str) -> Mapping[Key, Micros]:
        """Return the active alerts of an instance: their labels, and when each began.

        Raises:
            AlertmanagerError: the request failed.
        """
        query = httpx.QueryParams({"filter": f'feldera_instance="{instance}"'})
        found = _decoded(_ACTIVE, await self._request("GET", f"/api/v2/alerts?{query}"))
        return {frozenset(alert.labels.items()): from_datetime(alert.since) for alert in found}

    async def status(self) -> AlertmanagerStatus:
        """Return the Alertmanager's version and the state of its cluster.

        Raises:
            AlertmanagerError: the request failed.
        """
        found: AlertmanagerStatus = _decoded(_STATUS, await self._request("GET", "/api/v2/status"))
        return found

    async def _request(self, method: str, path: str, content: bytes | None = None) -> bytes:
        identity = self._identity()
        headers = {} if content is None else {"Content-Type": "application/json"}
        if identity is not None:
            headers["Authorization"] = identity
        began = time.time()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._send(method, path, content, headers, began)
        except TimeoutError:
            raise AlertmanagerError("timeout", "no whole answer within the timeout") from None
        except (InvalidResponseError, TooLargeError) as error:
            raise AlertmanagerError("invalid_response", str(error)) from None
        except (httpx.HTTPError, OSError) as error:
            raise AlertmanagerError("unreachable", str(error) or type(error).__name__) from None

    async def _send(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str], began: float
    ) -> bytes:
        request = self._http.build_request(
            method,
            f"{self._address.url}{path}",
            content=content,
            headers=headers,
            extensions={"sni_hostname": self._address.server_name},
        )
        response = await self._http.send(request, stream=True)
        try:
            self._measure_skew(response, began)
            if response.is_success:
                body = bytes(await bodies.read(response, bodies.Whole(_MAX_BODY_BYTES)))
            else:
                body = await bodies.error_body(response) or b""
        finally:
            await response.aclose()
        _check(response, body, headers.get("Authorization", ""))
        return body

    def _measure_skew(self, response: httpx.Response, began: float) -> None:
        """Measure Alertmanager's clock minus this machine's: Alertmanager decides by its clock whether alerts have ended."""
        sent_at = date(response)
        if sent_at is not None:
            # The header's time, cut to whole seconds, lies between the request and the response.
            skew = sent_at + 0.5 - (began + time.time()) / 2
            self._skew_seconds = skew if abs(skew) > _DATE_ERROR_SECONDS else 0.0


def client_factory(configured: Alertmanager, log: Logger) -> Callable[[Address], AlertmanagerClient]:
    """Return the function that makes the client of an address; it sends no request.

    Raises:
        ConfigError: a certificate file has become unusable since the configuration was read.
    """
    authorization = _authorization(configured, log)
    # Loading the system's certificates takes time and memory, so only for https.
    uses_tls = any(urlsplit(url).scheme == "https" for url in configured.urls)
    tls = present_context(configured.tls, "alertmanager.", log) if uses_tls else None
    return lambda address: AlertmanagerClient(address, authorization, tls, configured.timeout)


def _authorization(configured: Alertmanager, log: Logger) -> Callable[[], str | None]:
    """Return the function that returns the present `Authorization` header; None without configured credentials."""
    unreadable = FailureLog(
        log,
        "cannot read the credentials for Alertmanager",
        "the credentials for Alertmanager are readable again",
    )
    if configured.authorization is not None:
        token = reread(configured.authorization.credentials_file, key_in, unreadable)
        return lambda: f"Bearer {secret}" if (secret := token()) is not None else None
    if configured.basic_auth is not None:
        name = configured.basic_auth.username
        password = reread(configured.basic_auth.password_file, password_in, unreadable)
        return lambda: _basic(name, secret) if (secret := password()) is not None else None
    return lambda: None


def _basic(name: str, password: str) -> str:
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def _check(response: httpx.Response, body: bytes, identity: str) -> None:
    status = response.status_code
    status_line = f"{status} {response.reason_phrase}".strip()
    if response.is_success:
        if "html" in response.headers.get("content-type", "").lower():
            raise AlertmanagerError(
                "invalid_response", f"{status_line} with HTML: is the address Alertmanager's?"
            )
        return
    if response.is_redirect:
        raise AlertmanagerError("redirect", f"{status_line}: redirects are not followed")
    text = body[: 4 * _MAX_QUOTED_CHARACTERS].decode("utf-8", errors="replace")
    for secret in (identity, identity.partition(" ")[2]):
        text = text.replace(secret, "***") if secret else text
    line = (
        f"{status_line}: {' '.join(text.split())[:_MAX_QUOTED_CHARACTERS]}" if text.strip() else status_line
    )
    if status in _UNAUTHORIZED:
        raise AlertmanagerError("unauthorized", status_line)
    if status in _REFUSED:
        raise RefusedAlertsError("refused", line)
    raise AlertmanagerError("server_error", line, retry_after(response, time.time()))


def _decoded(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise AlertmanagerError("invalid_response", f"the answer is not Alertmanager's: {error}") from None
