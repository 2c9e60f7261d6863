"""The client of Feldera's API: GET requests with a deadline, retries where they help, and an error type for each failure."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType
from typing import Final
from urllib.parse import quote

import httpx

from feldera_exporter.feldera import response_body as bodies
from feldera_exporter.feldera.connection_errors import connection_error
from feldera_exporter.feldera.connections import PresentTls, transport
from feldera_exporter.feldera.errors import (
    Answer,
    Body,
    DeadlineError,
    FelderaError,
    UnreachableError,
)
from feldera_exporter.feldera.http_errors import check_type, date, refusal, retry_after
from feldera_exporter.feldera.list_batches import LONGEST_ELEMENT, Batch, Batches
from feldera_exporter.feldera.redaction import redacted

# As Feldera's own clients do (its Python SDK's `rest/retry.py`).
_RETRIED: Final = frozenset({408, 429, 502, 503, 504})
_FIRST_PAUSE: Final = 0.5
# Feldera's server closes an idle connection after 5 s: the client does so first.
_KEEPALIVE: Final = 4.0
_CONNECTIONS: Final = 8
_SHARE: Final = 0.95
"""The part of the remaining time that each step of connecting may take."""
# The errors of a kept connection that the server has just closed, depending on how far the request got.
_DROPPED: Final = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
# A server refuses a client's certificate after the handshake: httpx does not convert that error of `ssl`.
_BROKEN: Final = (httpx.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route of the API.

    Attributes:
        name: the value of the label `api_endpoint`.
        path: the path's pattern.
        query: the query.
        good: the statuses of a success: `GET /v0/cluster_healthz` responds with 503 and the same body if unhealthy.
        longest: the size of the body that is allowed even if the configuration allows less, since it has an error's text.
    """

    name: str
    path: str
    query: str = ""
    good: frozenset[int] = frozenset({200})
    longest: int = 0


PIPELINES: Final = Endpoint("pipelines", "/v0/pipelines", "selector=status")
EVENTS: Final = Endpoint("events", "/v0/pipelines/{}/events", "selector=status")
EVENT: Final = Endpoint("event", "/v0/pipelines/{}/events/{}", "selector=all", longest=LONGEST_ELEMENT)
PIPELINE: Final = Endpoint("pipeline", "/v0/pipelines/{}", "selector=status", longest=LONGEST_ELEMENT)
PROGRAM: Final = Endpoint("pipeline", "/v0/pipelines/{}", "selector=all", longest=LONGEST_ELEMENT)
CONFIG: Final = Endpoint("config", "/v0/config")
SESSION: Final = Endpoint("session", "/v0/config/session")
CLUSTER_HEALTH: Final = Endpoint("cluster_healthz", "/v0/cluster_healthz", good=frozenset({200, 503}))

ENDPOINTS: Final = (PIPELINES, EVENTS, EVENT, PIPELINE, CONFIG, SESSION, CLUSTER_HEALTH)


Observer = Callable[[Endpoint, str, float], None]
"""Records a request: its endpoint, its HTTP status, or its outcome without one, and its duration in seconds."""


class Client:
    """The client of one Feldera instance.

    Args:
        url: the instance's base URL.
        api_key: returns the present API key; called for each request, so that a rotated key is used at once.
        tls: returns the present TLS context; None if the address is not https.
        max_response_size: the size of a body beyond which it is refused, in bytes; for the list see `list_batches`.
        observe: records each request.
        proxy: the address of the proxy, None without one.
        headers: headers of each request; their values are secrets.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: Callable[[], str | None],
        tls: PresentTls | None,
        max_response_size: int,
        observe: Observer,
        proxy: str | None = None,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._api_key = api_key
        self._secrets = tuple(headers.values())
        self._max_response_size = max_response_size
        self._observe = observe
        self._http = httpx.AsyncClient(
            base_url=url,
            transport=transport(
                tls, httpx.Limits(max_connections=_CONNECTIONS, keepalive_expiry=_KEEPALIVE), proxy
            ),
            # The environment is read with the configuration.
            trust_env=False,
            # A redirect could send the key elsewhere.
            follow_redirects=False,
            # `get` has a deadline for everything.
            timeout=None,  # noqa: S113
            headers={**headers, "Accept": "application/json", "Accept-Encoding": "gzip"},
            # No cookie is kept: Feldera sets none, and another server could fill the memory with them.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._http.aclose()

    def redacted(self, error: FelderaError) -> FelderaError:
        """Return an error of reading an answer as a text of one line without the secrets of the request."""
        return redacted(error, self._api_key(), *self._secrets)

    async def get(self, endpoint: Endpoint, *names: str, within: float) -> Answer[bytearray]:
        """Request an endpoint and return its body.

        `names` are the values for the path's pattern; `within` has seconds for everything, with retries.

        Raises:
            FelderaError: one of its kinds; see `feldera_exporter.feldera.errors`.
        """
        longest = max(self._max_response_size, endpoint.longest)
        path = endpoint.path.format(*(quote(name, safe="") for name in names))
        return await self._get(endpoint, path, lambda: bodies.Whole(longest), within)

    async def list(self, previous: Sequence[Batch] = (), *, within: float) -> Answer[tuple[Batch, ...]]:
        """Request the list of pipelines; batches that did not change since the previous list are the same objects.

        Raises:
            FelderaError: one of its kinds; see `feldera_exporter.feldera.errors`.
        """
        return await self._get(
            PIPELINES, PIPELINES.path, lambda: Batches(self._max_response_size, previous), within
        )

    async def _get(
        self, endpoint: Endpoint, path: str, reader: Callable[[], bodies.BodyReader[Body]], within: float
    ) -> Answer[Body]:
        url = f"{path}?{endpoint.query}" if endpoint.query else path
        deadline = time.monotonic() + within
        pause = _FIRST_PAUSE
        last_error: FelderaError | None = None
        while True:
            key = self._api_key()
            try:
                try:
                    return await self._try(endpoint, url, key, reader(), deadline)
                except _DroppedError:
                    # The server closed a kept connection during the request: try another one.
                    return await self._try(endpoint, url, key, reader(), deadline)
            except _RetryError as retry:
                last_error = redacted(retry.error, key, *self._secrets)
                delay = max(last_error.retry_after, pause)
                if time.monotonic() + delay >= deadline:
                    raise last_error from None
            except DeadlineError as error:
                # The error of the try before says more.
                raise last_error or error from None
            except FelderaError as error:
                raise redacted(error, key, *self._secrets) from None
            await asyncio.sleep(delay)
            pause *= 2

    async def _try(
        self, endpoint: Endpoint, url: str, key: str | None, reader: bodies.BodyReader[Body], deadline: float
    ) -> Answer[Body]:
        if self._http.is_closed:
            raise UnreachableError("the configuration was reloaded during the request")
        began = time.monotonic()
        code = UnreachableError.outcome
        try:
            async with asyncio.timeout(deadline - began), self._response(url, key, deadline) as response:
                code = str(response.status_code)
                if response.status_code not in endpoint.good:
                    error = refusal(response, await bodies.error_body(response))
                    error.retry_after = retry_after(response, time.time())
                    raise _RetryError(error) if response.status_code in _RETRIED else error
                check_type(response)
                body = await bodies.read(response, reader)
        except (TimeoutError, httpx.TimeoutException):
            code = DeadlineError.outcome
            raise DeadlineError("no complete response within the timeout") from None
        except httpx.ProxyError as error:
            code = UnreachableError.outcome
            raise UnreachableError(f"the proxy refused: {error}") from None
        except _BROKEN as error:
            code = UnreachableError.outcome
            raise UnreachableError(connection_error(error, self._http.base_url)) from None
        finally:
            self._observe(endpoint, code, time.monotonic() - began)
        return Answer(body, date(response), time.monotonic() - began)

    @asynccontextmanager
    async def _response(self, url: str, key: str | None, deadline: float) -> AsyncIterator[httpx.Response]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # httpx closes a connection after its own timeout of a TLS handshake, but not if it is cancelled there: so its
        # timeout is a little shorter.
        timeout = httpx.Timeout(None, connect=_SHARE * (deadline - time.monotonic()))
        kept = True

        async def trace(event: str, _: object) -> None:
            nonlocal kept
            kept = kept and not event.startswith("connection.connect_")

        request = self._http.build_request(
            "GET", url, headers=headers, timeout=timeout, extensions={"trace": trace}
        )
        try:
            response = await self._http.send(request, stream=True)
        except _DROPPED as error:
            if kept:
                raise _DroppedError(str(error) or type(error).__name__) from None
            raise
        try:
            yield response
        finally:
            await response.aclose()


class _DroppedError(UnreachableError):
    """A connection of an earlier request broke before the response began."""


class _RetryError(Exception):
    """The request may be retried after a pause; without a retry, `error` is the result."""

    def __init__(self, error: FelderaError) -> None:
        super().__init__(str(error))
        self.error = error
