"""A served instance for tests over real HTTP."""

from collections.abc import Iterator

import httpx
import pytest

from feldera_exporter.simulator.serving import serve
from support.simulated_api import Served


@pytest.fixture
def served() -> Iterator[Served]:
    """A running pipeline `a`, served."""
    stage = Served()
    stage.run()
    with serve(stage.server) as url, httpx.Client(base_url=url, timeout=5) as client:
        stage.attach(url, client)
        yield stage
