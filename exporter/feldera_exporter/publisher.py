"""The publisher: keeps the newest state of all instances, and makes the snapshots that are served."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock

from feldera_exporter.exposition.snapshot import Content, Snapshot
from feldera_exporter.metrics.catalogue import Catalogue, catalogue
from feldera_exporter.metrics.exposition_sections import ExpositionSections, updated_sections
from feldera_exporter.problems.evaluate import NO_PROBLEMS, InstanceWithProblems
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.telemetry import Telemetry


class Publisher:
    """Makes snapshots of the states of all instances. A snapshot is rendered only if it is requested."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._observed: dict[str, InstanceWithProblems] = {}
        self._fresh_until: dict[str, float] = {}
        self._catalogue = self._rendered = catalogue()
        self._sections = ExpositionSections()
        self._rendering = Lock()
        self.renew()

    def arrange(self, instances: Sequence[str], shown: Catalogue) -> None:
        """Set the instances, in this order, and the families for the next snapshots."""
        self._observed = {
            name: self._observed.get(name, InstanceWithProblems(Fleet(name), NO_PROBLEMS))
            for name in instances
        }
        self._catalogue = shown

    @property
    def snapshot(self) -> Snapshot:
        """The newest snapshot. An instance without a successful poll for too long is not up in it, even if its polls hang."""
        now = time.monotonic()
        outdated = [
            name
            for name, observed in self._observed.items()
            if observed.fleet.up and self._fresh_until.get(name, 0.0) < now
        ]
        for name in outdated:
            fleet, problems = self._observed[name]
            self._observed[name] = InstanceWithProblems(replace(fleet, up=False), problems)
        if outdated:
            self.renew()
        return self._snapshot

    @property
    def observed(self) -> Mapping[str, InstanceWithProblems]:
        """The newest state of every instance, by name."""
        return self._observed

    @property
    def ready(self) -> bool:
        """Whether the first poll of every instance has ended, successfully or not."""
        return all(observed.fleet.up is not None for observed in self._observed.values())

    def renew(self) -> None:
        """Make a new snapshot of the same states with the exporter's own metrics of now."""
        instances, shown = tuple(self._observed.values()), self._catalogue
        self._snapshot = Snapshot(lambda: self._render(instances, shown))

    def publish(self, observed: InstanceWithProblems, fresh_until: float) -> None:
        """Publish the new state of an instance; without another poll it counts as up until then, in monotonic seconds."""
        name = observed.fleet.instance
        self._observed[name] = observed
        # After a reload, the new watcher has not polled yet: the old watcher's last poll still counts.
        self._fresh_until[name] = max(fresh_until, self._fresh_until.get(name, fresh_until))
        self.renew()

    def _render(self, instances: Sequence[InstanceWithProblems], shown: Catalogue) -> Content:
        # Snapshots are rendered one at a time, since each one reuses the sections of the one before.
        with self._rendering:
            began = time.perf_counter()
            if shown is not self._rendered:
                # Sections of another catalogue cannot be reused.
                self._rendered, self._sections = shown, ExpositionSections()
            self._sections = updated_sections(self._sections, instances, shown)
            self._telemetry.rendered(self._sections.samples, time.perf_counter() - began)
            return Content(self._sections.sections, self._telemetry.expose, self._telemetry.measured)
