"""The client of one Alertmanager: API v2, with a deadline for each request and every failure told apart."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Final

import httpx
import msgspec

from feldera_exporter.alertmanager.addresses import Address
from feldera_exporter.errors import ExporterError
from feldera_exporter.feldera import response_body as bodies
from feldera_exporter.feldera.connections import PresentTls, transport
from feldera_exporter.feldera.errors import InvalidResponseError, TooLargeError
from feldera_exporter.feldera.http_errors import date, retry_after
from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.redaction import KeyGuard
from feldera_exporter.feldera.wire import micros

_MOST: Final = 32 * 2**20
"""Bytes of an answer."""
_SAID: Final = 200
"""Characters of a refusal that are repeated."""
_SHARE: Final = 0.95
_KEEPALIVE: Final = 5.0
"""Seconds for which an idle connection is kept."""
_JITTER: Final = 1.0
"""Seconds that two clocks may seem apart only because the header `Date` has no fractions."""
_MICROSECONDS: Final = 1_000_000
_UNAUTHORIZED: Final = frozenset({401, 403})
_CONTENT: Final = frozenset({400, 413, 422})
"""What is answered because of what was sent."""

Key = frozenset[tuple[str, str]]
"""The labels of an alert."""


class AlertmanagerError(ExporterError):
    """An Alertmanager did not answer as it should.

    Attributes:
        kind: one of a few words.
        retry_after: for how many seconds it asks to be left alone.
    """

    def __init__(self, kind: str, text: str, retry_after: float = 0.0) -> None:
        super().__init__(text)
        self.kind = kind
        self.retry_after = retry_after


class RefusedAlertsError(AlertmanagerError):
    """It refuses what was sent: one of the alerts, or so many at once."""


class Status(msgspec.Struct, frozen=True):
    """The part of `GET /api/v2/status` that is told."""

    class Version(msgspec.Struct, frozen=True):
        """See `Status`."""

        version: str = ""

    class Cluster(msgspec.Struct, frozen=True):
        """See `Status`."""

        status: str = ""
        peers: tuple[Any, ...] | None = None

    version: Version = msgspec.field(name="versionInfo", default_factory=Version)
    cluster: Cluster = msgspec.field(default_factory=Cluster)


class _Held(msgspec.Struct, frozen=True):
    labels: dict[str, str]
    since: datetime = msgspec.field(name="startsAt")


_STATUS: Final = msgspec.json.Decoder(Status)
_HELD: Final[msgspec.json.Decoder[list[_Held]]] = msgspec.json.Decoder(list[_Held])


class Client:
    """Talks to one Alertmanager.

    Args:
        address: where it is.
        identity: gives the present `Authorization` header; called for every request.
        tls: gives how the server is verified and the client identifies itself; None where the address is not https.
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
        self._skew = 0.0
        self._http = httpx.AsyncClient(
            transport=transport(tls, httpx.Limits(keepalive_expiry=_KEEPALIVE)),
            follow_redirects=False,
            # The deadline of `_ask` bounds everything.
            timeout=None,  # noqa: S113
            # Prometheus, too, does not take the environment's proxy to reach Alertmanager.
            trust_env=False,
            headers={"Accept": "application/json", "Accept-Encoding": "gzip", "Host": address.host},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    def now(self) -> int:
        """Return the present instant by Alertmanager's clock, so far as known; microseconds since the epoch."""
        return round((time.time() + self._skew) * _MICROSECONDS)

    async def post(self, alerts: Sequence[Mapping[str, Any]]) -> None:
        """Send alerts.

        Raises:
            RefusedAlertsError: it refuses them because of what they are.
            AlertmanagerError: it did not take them.
        """
        await self._ask("POST", "/api/v2/alerts", msgspec.json.encode(alerts))

    async def active(self, instance: str) -> Mapping[Key, int]:
        """Return the alerts of an instance that it holds and that have not ended, with when each began.

        Raises:
            AlertmanagerError: it did not tell.
        """
        query = httpx.QueryParams({"filter": f'feldera_instance="{instance}"'})
        found = _decoded(_HELD, await self._ask("GET", f"/api/v2/alerts?{query}"))
        return {frozenset(each.labels.items()): micros(each.since) for each in found}

    async def status(self) -> Status:
        """Return what it is.

        Raises:
            AlertmanagerError: it did not tell.
        """
        found: Status = _decoded(_STATUS, await self._ask("GET", "/api/v2/status"))
        return found

    async def _ask(self, method: str, path: str, content: bytes | None = None) -> bytes:
        identity = self._identity()
        headers = {} if content is None else {"Content-Type": "application/json"}
        if identity is not None:
            headers["Authorization"] = identity
        began = time.time()
        try:
            async with asyncio.timeout(self._timeout):
                return await self._once(method, path, content, headers, began)
        except (TimeoutError, httpx.TimeoutException):
            raise AlertmanagerError("timeout", "no whole answer within the timeout") from None
        except (InvalidResponseError, TooLargeError) as error:
            raise AlertmanagerError("invalid_response", str(error)) from None
        except (httpx.HTTPError, OSError) as error:
            raise AlertmanagerError("unreachable", str(error) or type(error).__name__) from None

    async def _once(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str], began: float
    ) -> bytes:
        request = self._http.build_request(
            method,
            f"{self._address.url}{path}",
            content=content,
            headers=headers,
            timeout=httpx.Timeout(None, connect=_SHARE * self._timeout),
            extensions={"sni_hostname": self._address.server_name},
        )
        response = await self._http.send(request, stream=True)
        try:
            self._learn(response, began)
            if response.is_success:
                body = bytes(await bodies.read(response, bodies.Whole(_MOST), KeyGuard(None)))
            else:
                body = await bodies.of_refusal(response) or b""
        finally:
            await response.aclose()
        _check(response, body, headers.get("Authorization", ""))
        return body

    def _learn(self, response: httpx.Response, began: float) -> None:
        """Learn how far its clock is from this machine's: it decides by its own what has ended."""
        told = date(response)
        if told is not None:
            # The header is whole seconds, cut off, of a moment between the request and the answer.
            skew = told + 0.5 - (began + time.time()) / 2
            self._skew = skew if abs(skew) > _JITTER else 0.0


def _check(response: httpx.Response, body: bytes, identity: str) -> None:
    status = response.status_code
    said = f"{status} {response.reason_phrase}".strip()
    if response.is_success:
        if "html" in response.headers.get("content-type", "").lower():
            raise AlertmanagerError("invalid_response", f"{said} with HTML: is the address Alertmanager's?")
        return
    if response.is_redirect:
        raise AlertmanagerError("redirect", f"{said}: redirects are not followed")
    text = body[: 4 * _SAID].decode("utf-8", errors="replace")
    for secret in (identity, identity.partition(" ")[2]):
        text = text.replace(secret, "***") if secret else text
    line = f"{said}: {' '.join(text.split())[:_SAID]}" if text.strip() else said
    if status in _UNAUTHORIZED:
        raise AlertmanagerError("unauthorized", said)
    if status in _CONTENT:
        raise RefusedAlertsError("refused", line)
    raise AlertmanagerError("server_error", line, retry_after(response, time.time()))


def _decoded(decoder: "msgspec.json.Decoder[Any]", body: bytes) -> Any:
    try:
        return decoder.decode(body)
    except UNREADABLE as error:
        raise AlertmanagerError("invalid_response", f"the answer is not Alertmanager's: {error}") from None
