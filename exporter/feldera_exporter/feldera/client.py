"""The client of Feldera's API: one GET, with a deadline, repetitions where they help, and every failure told apart."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import MappingProxyType
from typing import Final, Protocol
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
from feldera_exporter.feldera.redaction import KeyGuard, redacted

# Feldera's own clients repeat these (its Python SDK's `rest/retry.py`).
_RETRIED: Final = frozenset({408, 429, 502, 503, 504})
_FIRST_PAUSE: Final = 0.5
# Feldera's server closes an idle connection after 5 s: drop it before, rather than meet it closing.
_KEEPALIVE: Final = 4.0
_CONNECTIONS: Final = 8
_SHARE: Final = 0.95
"""How much of the time that is left may pass in each step of connecting."""
# What a kept connection that the server has just closed looks like, depending on how far the request came.
_DROPPED: Final = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)
# A server that refuses a client's certificate does so after the handshake: httpx lets that error of `ssl` through.
_BROKEN: Final = (httpx.HTTPError, OSError)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A route of the API: the value of the label `endpoint`, the path's pattern and the query.

    A route whose unhealthy answer is a 503 with the same body (`GET /v0/cluster_healthz`) names that status as good.
    One whose answer is as long as an error names how long that may be, whatever the configuration says.
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


class Observer(Protocol):
    """What is told of every request made."""

    def __call__(self, endpoint: Endpoint, code: str, elapsed: float) -> None:
        """Take note of one request: its HTTP status or the outcome without one, and its seconds."""


class Client:
    """Asks one Feldera instance.

    Args:
        url: the instance's base URL.
        api_key: gives the present API key; called for every request, so that a rotated key is used at once.
        tls: gives how the server is verified and the client identifies itself; None where the address is not https.
        max_response_size: bytes of a body beyond which it is refused; of the list, see `batches`.
        observe: told of every request.
        proxy: the address of the proxy through which the instance is asked, None for none.
        headers: sent with every request; their values are as secret as the key.
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
            # The environment was read when the configuration was.
            trust_env=False,
            # A redirect would carry the key elsewhere.
            follow_redirects=False,
            # The deadline of `get` bounds everything.
            timeout=None,  # noqa: S113
            headers={**headers, "Accept": "application/json", "Accept-Encoding": "gzip"},
            # No cookie is kept: Feldera sets none, and whoever does could fill the memory with them.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._http.aclose()

    async def get(self, endpoint: Endpoint, *names: str, within: float) -> Answer[bytearray]:
        """Ask for an endpoint and return its whole body.

        Args:
            endpoint: the route.
            names: what fills the path's pattern.
            within: seconds for everything, repetitions included.

        Raises:
            FelderaError: one of its kinds; see `feldera_exporter.feldera.errors`.
        """
        longest = max(self._max_response_size, endpoint.longest)
        path = endpoint.path.format(*(quote(name, safe="") for name in names))
        return await self._get(endpoint, path, lambda: bodies.Whole(longest), within)

    async def list(self, previous: Sequence[Batch] = (), *, within: float) -> Answer[tuple[Batch, ...]]:
        """Ask for the list of pipelines.

        Args:
            previous: the list before, whose batches are used again where they are the same.
            within: seconds for everything, repetitions included.

        Raises:
            FelderaError: one of its kinds; see `feldera_exporter.feldera.errors`.
        """
        return await self._get(
            PIPELINES, PIPELINES.path, lambda: Batches(self._max_response_size, previous), within
        )

    async def _get(
        self, endpoint: Endpoint, path: str, intake: Callable[[], bodies.BodyReader[Body]], within: float
    ) -> Answer[Body]:
        url = f"{path}?{endpoint.query}" if endpoint.query else path
        deadline = time.monotonic() + within
        pause = _FIRST_PAUSE
        refused: FelderaError | None = None
        while True:
            key = self._api_key()
            try:
                return await self._once(endpoint, url, key, intake, deadline)
            except _AgainError as again:
                refused = redacted(again.error, key, *self._secrets)
                delay = max(refused.retry_after, pause)
                if time.monotonic() + delay >= deadline:
                    raise refused from None
            except DeadlineError as error:
                # That there was no time for another answer says less than the one there was.
                raise refused or error from None
            except FelderaError as error:
                raise redacted(error, key, *self._secrets) from None
            await asyncio.sleep(delay)
            pause *= 2

    async def _once(
        self,
        endpoint: Endpoint,
        url: str,
        key: str | None,
        intake: Callable[[], bodies.BodyReader[Body]],
        deadline: float,
    ) -> Answer[Body]:
        try:
            return await self._try(endpoint, url, key, intake(), deadline)
        except _DroppedError:
            # A kept connection was closed as the request went out: once more, on another one.
            return await self._try(endpoint, url, key, intake(), deadline)

    async def _try(
        self, endpoint: Endpoint, url: str, key: str | None, intake: bodies.BodyReader[Body], deadline: float
    ) -> Answer[Body]:
        if self._http.is_closed:
            raise UnreachableError("the configuration was reloaded meanwhile")
        began = time.monotonic()
        code = UnreachableError.outcome
        try:
            async with asyncio.timeout(deadline - began), self._answering(url, key, deadline) as response:
                code = str(response.status_code)
                if response.status_code not in endpoint.good:
                    error = refusal(response, await bodies.of_refusal(response))
                    error.retry_after = retry_after(response, time.time())
                    raise _AgainError(error) if response.status_code in _RETRIED else error
                check_type(response)
                body = await bodies.read(response, intake, KeyGuard(key, *self._secrets))
        except (TimeoutError, httpx.TimeoutException):
            code = DeadlineError.outcome
            raise DeadlineError("no whole answer within the timeout") from None
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
    async def _answering(self, url: str, key: str | None, deadline: float) -> AsyncIterator[httpx.Response]:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        # Cancelled in a TLS handshake httpx leaves the connection to the garbage collector, after a timeout of its own
        # it closes it: so that comes a little before.
        timeout = httpx.Timeout(None, connect=_SHARE * (deadline - time.monotonic()))
        kept = True

        async def notice(event: str, _: object) -> None:
            nonlocal kept
            kept = kept and not event.startswith("connection.connect_")

        request = self._http.build_request(
            "GET", url, headers=headers, timeout=timeout, extensions={"trace": notice}
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
    """A connection that was kept from an earlier request broke before the answer began."""


class _AgainError(Exception):
    """The request may be repeated after a pause; without another try, `error` is the answer."""

    def __init__(self, error: FelderaError) -> None:
        super().__init__(str(error))
        self.error = error
