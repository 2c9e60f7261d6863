"""Requests from a server with the client under test."""

import asyncio
import ssl
from collections.abc import Callable

from feldera_exporter.feldera.client import PIPELINES, Client, Endpoint
from feldera_exporter.feldera.errors import Answer

KEY = "apikey:0123456789abcdefMARKER"


class RequestRecorder:
    """The requests that the client's observer recorded."""

    def __init__(self) -> None:
        self.codes: list[str] = []

    def __call__(self, endpoint: Endpoint, code: str, elapsed: float) -> None:
        """Note a request."""
        assert endpoint.name
        assert elapsed >= 0
        self.codes.append(code)


def ask(
    url: str,
    endpoint: Endpoint = PIPELINES,
    *names: str,
    within: float = 2.0,
    key: Callable[[], str | None] = lambda: KEY,
    tls: ssl.SSLContext | None = None,
    limit: int = 2**20,
    times: int = 1,
    pause: float = 0.0,
    asked: RequestRecorder | None = None,
) -> Answer[bytearray]:
    """Return the last of several answers."""

    async def run() -> Answer[bytearray]:
        client = Client(
            url,
            api_key=key,
            tls=None if tls is None else lambda: tls,
            max_response_size=limit,
            observe=asked or RequestRecorder(),
        )
        try:
            for _ in range(times - 1):
                await client.get(endpoint, *names, within=within)
                await asyncio.sleep(pause)
            return await client.get(endpoint, *names, within=within)
        finally:
            await client.close()

    return asyncio.run(run())
