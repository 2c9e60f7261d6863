"""A mutable copy of a history, to which a fold adds observations."""

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

import msgspec

from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, RUNTIME, STORAGE, TIMED, Dimension, Pair
from feldera_exporter.history import bounded_labels, status_time
from feldera_exporter.history.effects import Effect, ErrorAppeared, Gap, StatusEnded
from feldera_exporter.history.history import Counts, Errors, History, Since, Statuses, combined
from feldera_exporter.history.observation import Observation
from feldera_exporter.history.recent_activity import added, with_absence
from feldera_exporter.micros import Micros

_PAIRED: Final = (("resources", RESOURCES), ("program", PROGRAM), ("storage", STORAGE))


class HistoryBuilder:
    """The mutable copy of one history within one fold; `effects` grows as observations are added.

    Args:
        history: the history.
    """

    def __init__(self, history: History) -> None:
        self.effects: list[Effect] = []
        self._history = history
        self._now: dict[str, Any] = msgspec.structs.asdict(history.statuses)
        self._since: dict[str, int | None] = msgspec.structs.asdict(history.since)
        self._pairs: dict[str, dict[Pair, int]] = {f: dict(getattr(history.counts, f)) for f, _ in _PAIRED}
        self._entries = dict(history.counts.runtime)
        self._spent = history.status_time
        self._errors = history.errors
        self._gaps = history.gaps
        self._recent = history.recent

    def add(self, observation: Observation) -> None:
        """Count what differs between the present statuses and the observed ones; equal neighbours count nothing."""
        at = observation.at
        self._add_activity(observation)
        for field, dimension in _PAIRED:
            old, new = self._now[field], getattr(observation, field)
            if old != new:
                pairs = self._pairs[field]
                pair = _pair(old, new, dimension, pairs)
                pairs[pair] = pairs.get(pair, 0) + 1
                self._end_status(field, at)
                self._now[field], self._since[field] = new, at
        runtime = observation.runtime
        if runtime != self._now["runtime"]:
            self._end_status("runtime", at)
            self._now["runtime"], self._since["runtime"] = runtime, None if runtime is None else at
            if runtime is not None:
                entered = bounded_labels.label(runtime, RUNTIME.statuses, self._entries)
                self._entries[entered] = self._entries.get(entered, 0) + 1
        self._spent = status_time.enter(self._spent, combined(observation.resources, runtime), at)
        self._update_error(observation)

    def skip_gap(self, observation: Observation, until: Micros) -> None:
        """Go on from an observation after a gap, which is counted elsewhere: what happened in between is not guessed.

        When a timed status began is then unknown, so its duration will not be observed. An error that is set now and
        was not before did appear, so it counts.

        Args:
            observation: the oldest retained event, or the row.
            until: up to when nothing was missed, by Feldera's clock.
        """
        for field, old in self._now.items():
            new = self._now[field] = getattr(observation, field)
            if new is None or new in TIMED:
                self._since[field] = None
            elif new != old:
                self._since[field] = observation.at
        status = combined(observation.resources, observation.runtime)
        self._spent = status_time.skip(self._spent, status, until, observation.at)
        self._update_error(observation)

    def count_gap(self, at: Micros) -> None:
        """Count a gap at an instant: events up to it were missed, or are in a wrong order."""
        self._gaps += 1
        self.effects.append(Gap(at))

    def finished(self) -> History:
        """Return the history with all that was added; its position in the log and its row digest are as before."""
        return msgspec.structs.replace(
            self._history,
            statuses=Statuses(**self._now),
            since=Since(**self._since),
            counts=Counts(runtime=self._entries, **self._pairs),
            status_time=self._spent,
            errors=self._errors,
            gaps=self._gaps,
            recent=self._recent,
        )

    def _add_activity(self, observation: Observation) -> None:
        """Add what problems count."""
        recent, at = self._recent, observation.at
        old, new = self._now, observation
        changes: dict[str, object] = {}
        if (old["resources"], new.resources) == ("Stopping", "Stopped"):
            changes["stops"] = added(recent.stops, at)
        if (old["program"], new.program) == ("CompilingRust", "SqlCompiled"):
            changes["recompilations"] = added(recent.recompilations, at)
        if new.runtime != old["runtime"]:
            if new.runtime == "Unavailable":
                changes["losses"] = added(recent.losses, at)
            elif new.runtime == "Initializing" and old["resources"] == new.resources:
                changes["restarts"] = added(recent.restarts, at)
        if self._spent.status == "Unavailable" != combined(new.resources, new.runtime):
            changes["absences"] = with_absence(recent.absences, self._spent.since, at)
        if changes:
            self._recent = msgspec.structs.replace(recent, **changes)

    def _end_status(self, field: str, at: Micros) -> None:
        status, since = self._now[field], self._since[field]
        if status in TIMED and since is not None:
            self.effects.append(StatusEnded(status, max(0, at - since)))

    def _update_error(self, observation: Observation) -> None:
        errors = self._errors
        if not observation.has_error:
            self._errors = Errors(count=errors.count)
        elif not errors.present:
            self._errors = Errors(
                errors.count + 1, present=True, code=observation.error_code, at=observation.at
            )
            errors_of_the_hour = added(self._recent.errors, observation.at)
            self._recent = msgspec.structs.replace(self._recent, errors=errors_of_the_hour)
            self.effects.append(ErrorAppeared(observation.event_id, observation.error_code))
        elif observation.error_code is not None:
            self._errors = msgspec.structs.replace(errors, code=observation.error_code)


def _pair(old: str, new: str, dimension: Dimension, pairs: Iterable[Pair]) -> Pair:
    """Return the labels of a transition."""
    if old in dimension.statuses and new in dimension.statuses:
        return old, new
    named = set(chain.from_iterable(pairs))
    left = bounded_labels.label(old, dimension.statuses, named)
    return left, bounded_labels.label(new, dimension.statuses, named | {left})
