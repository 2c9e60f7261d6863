"""The publisher: which snapshot is the newest."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock

from feldera_exporter.exposition.snapshot import Content, Snapshot
from feldera_exporter.metrics.catalogue import Catalogue, catalogue
from feldera_exporter.metrics.exposition_sections import ExpositionSections, updated_sections
from feldera_exporter.problems.evaluate import NO_PROBLEMS
from feldera_exporter.problems.observed_instance import ObservedInstance
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.telemetry import Telemetry


class Publisher:
    """Turns the states of all instances into snapshots; a snapshot that nobody asks for is never rendered.

    Args:
        telemetry: the exporter's own metrics.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._observed: dict[str, ObservedInstance] = {}
        self._fresh_until: dict[str, float] = {}
        self._catalogue = self._rendered = catalogue()
        self._page = ExpositionSections()
        self._rendering = Lock()
        self._snapshot = self._next(0)

    def arrange(self, instances: Sequence[str], shown: Catalogue) -> None:
        """Show these instances, in this order, in these families from the next snapshot on."""
        self._observed = {
            name: self._observed.get(name, ObservedInstance(Fleet(name), NO_PROBLEMS)) for name in instances
        }
        self._catalogue = shown

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot; where polls of an instance have ended without a word, it says that it is not up."""
        now = time.monotonic()
        lapsed = [
            name
            for name, observed in self._observed.items()
            if observed.fleet.up and self._fresh_until.get(name, 0.0) < now
        ]
        for name in lapsed:
            fleet, problems = self._observed[name]
            self._observed[name] = ObservedInstance(replace(fleet, up=False), problems)
        if lapsed:
            self.renew()
        return self._snapshot

    @property
    def observed(self) -> Mapping[str, ObservedInstance]:
        """The newest state of every instance, by name."""
        return self._observed

    @property
    def ready(self) -> bool:
        """Whether the first poll of every instance has ended, well or not."""
        return all(observed.fleet.up is not None for observed in self._observed.values())

    def renew(self) -> None:
        """Show the same states with what the exporter says of itself by now."""
        self._snapshot = self._next(self._snapshot.sequence + 1)

    def publish(self, observed: ObservedInstance, fresh_until: float) -> None:
        """Show this state of its instance from now on.

        Args:
            observed: the instance.
            fresh_until: the time of the monotonic clock after which it no longer counts as up, in seconds.
        """
        name = observed.fleet.instance
        self._observed[name] = observed
        # Whoever takes over after a reload has not polled yet: what the one before read is still fresh.
        self._fresh_until[name] = max(fresh_until, self._fresh_until.get(name, fresh_until))
        self.renew()

    def _next(self, sequence: int) -> Snapshot:
        instances, shown = tuple(self._observed.values()), self._catalogue
        return Snapshot(sequence, lambda: self._render(instances, shown))

    def _render(self, instances: Sequence[ObservedInstance], shown: Catalogue) -> Content:
        # Two snapshots can be asked for at once; a page is made from the one before it, so one at a time.
        with self._rendering:
            began = time.perf_counter()
            if shown is not self._rendered:
                # What was rendered in other columns is of no use.
                self._rendered, self._page = shown, ExpositionSections()
            self._page = updated_sections(self._page, instances, shown)
            self._telemetry.rendered(self._page.samples, time.perf_counter() - began)
            return Content(self._page.sections, self._telemetry.expose, self._telemetry.measured)
