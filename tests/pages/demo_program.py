"""The real program on the demo's fleet, for the browser's tests and the pictures of the documentation."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.simulated_fleet import beginning, prepared_fleet
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.exporter_process import exporter


@contextmanager
def demo(folder: Path, *flags: str) -> Iterator[str]:
    """Run the program on a stand-in with the demo's troubles, and give the program's address."""
    feldera = prepared_fleet(StagedClock(beginning(machine())), seed=0, pipelines=8)
    with serve(FelderaServer(feldera)) as api, exporter(api, folder, *flags) as (address, _):
        yield address
