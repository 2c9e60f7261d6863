"""A served instance for tests over real HTTP."""

from collections.abc import Iterator

import httpx
import pytest

from feldera_exporter.simulator.asgi_thread import serve
from support.simulated_api import ServedInstance


@pytest.fixture
def served() -> Iterator[ServedInstance]:
    """A running pipeline `a`, served."""
    instance = ServedInstance()
    instance.run()
    with serve(instance.server) as url, httpx.Client(verify=False, base_url=url, timeout=5) as client:
        instance.attach(url, client)
        yield instance
