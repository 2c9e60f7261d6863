"""HTTP requests to programs of this machine: without a proxy, each on a new connection."""

from typing import Any, Final

import httpx

_CLIENT: Final = httpx.Client(
    # To read the certificates for TLS takes longer than all else of a request.
    verify=False,
    trust_env=False,
    timeout=10,
    limits=httpx.Limits(max_keepalive_connections=0),
)


def request(method: str, url: str, **options: Any) -> httpx.Response:
    """Send a request and return the response; raises `httpx.HTTPError` where there is none."""
    return _CLIENT.request(method, url, **options)


def get(url: str, **options: Any) -> httpx.Response:
    """Request a URL with GET; see `request`."""
    return request("GET", url, **options)
