"""The publisher: which snapshot is the newest."""

import time
from collections.abc import Mapping, Sequence
from threading import Lock

from feldera_exporter.exposition.snapshot import Content, Snapshot
from feldera_exporter.fleet.fleet import Fleet
from feldera_exporter.metrics.catalogue import Catalogue, catalogue
from feldera_exporter.metrics.page import Page, turn
from feldera_exporter.telemetry import Telemetry


class Publisher:
    """Turns the states of all instances into snapshots; a snapshot that nobody asks for is never rendered.

    Args:
        telemetry: the exporter's own metrics.

    Attributes:
        snapshot: the newest.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._fleets: dict[str, Fleet] = {}
        self._catalogue = self._rendered = catalogue()
        self._page = Page()
        self._rendering = Lock()
        self.snapshot = self._next(0)

    def arrange(self, instances: Sequence[str], shown: Catalogue) -> None:
        """Show these instances, in this order, in these families from the next snapshot on."""
        self._fleets = {name: self._fleets.get(name, Fleet(name)) for name in instances}
        self._catalogue = shown

    @property
    def fleets(self) -> Mapping[str, Fleet]:
        """The newest state of every instance, by name."""
        return self._fleets

    @property
    def ready(self) -> bool:
        """Whether the first poll of every instance has ended, well or not."""
        return all(fleet.up is not None for fleet in self._fleets.values())

    def renew(self) -> None:
        """Show the same states with what the exporter says of itself by now."""
        self.snapshot = self._next(self.snapshot.sequence + 1)

    def publish(self, fleet: Fleet) -> None:
        """Show this state of its instance from now on."""
        self._fleets[fleet.instance] = fleet
        self.renew()

    def _next(self, sequence: int) -> Snapshot:
        fleets, shown = tuple(self._fleets.values()), self._catalogue
        return Snapshot(sequence, lambda: self._render(fleets, shown))

    def _render(self, fleets: Sequence[Fleet], shown: Catalogue) -> Content:
        # Two snapshots can be asked for at once; a page is made from the one before it, so one at a time.
        with self._rendering:
            began = time.perf_counter()
            if shown is not self._rendered:
                # What was rendered in other columns is of no use.
                self._rendered, self._page = shown, Page()
            self._page = turn(self._page, fleets, shown)
            self._telemetry.rendered(self._page.samples, time.perf_counter() - began)
            return Content(self._page.sections, self._telemetry.expose, self._telemetry.measured)
