"""All that the demo shows at one moment, as one value, how that grows, and what is new in it in words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from feldera_exporter.micros import Micros
from feldera_exporter.problems.alerts import PresentAlert
from feldera_exporter.problems.pipeline_summaries import PipelineSummary, Urgency, lines
from feldera_exporter.state.fleet import Fleet


@dataclass(frozen=True, slots=True)
class View:
    """What is shown; the alerts are about no pipeline, and None while no program evaluates alerts."""

    addresses: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    lines: tuple[PipelineSummary, ...] = ()
    alerts: tuple[PresentAlert, ...] | None = None
    notified: tuple[str, ...] = ()

    @property
    def with_problem(self) -> int:
        """How many pipelines have a problem."""
        return sum(line.level >= Urgency.WRONG for line in self.lines)


Show = Callable[[View], None]
"""Shows a view in place of the one before."""


class Poster:
    """Keeps the present view and shows each new one."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._view = View()

    def started(self, name: str, address: str) -> None:
        """Add the address of a program."""
        self._put(replace(self._view, addresses=(*self._view.addresses, (name, address))))

    def missing(self, name: str, text: str) -> None:
        """Add a note about a missing program."""
        self._put(replace(self._view, notes=(*self._view.notes, f"{name}: {text}")))

    def notified(self, text: str) -> None:
        """Add a notification by Alertmanager."""
        self._put(replace(self._view, notified=(*self._view.notified, text)))

    def draw(self, fleet: Fleet, alerts: Sequence[PresentAlert] | None, now: Micros) -> None:
        """Show the fleet at `now`, and the firing alerts; None if they are not known."""
        others = None if alerts is None else tuple(alert for alert in alerts if not alert.pipeline)
        self._put(replace(self._view, lines=lines(fleet.pipelines, alerts or (), now), alerts=others))

    def _put(self, view: View) -> None:
        self._view = view
        self._show(view)


def news(before: View, after: View) -> Iterator[str]:
    """Yield a line of words for everything that is new."""
    for name, address in after.addresses[len(before.addresses) :]:
        yield f"{name}: {address}"
    yield from after.notes[len(before.notes) :]
    known = {line.id: line for line in before.lines}
    for line in after.lines:
        old = known.pop(line.id, None)
        yield from _appeared(line) if old is None else _changed(old, line)
    for line in known.values():
        yield f"{line.name}: deleted"
    yield from _alerted(before.alerts or (), after.alerts or (), "")
    yield from after.notified[len(before.notified) :]


def _appeared(line: PipelineSummary) -> Iterator[str]:
    parts = (line.status, f"program {line.program}", f"storage {line.storage}", line.error_code)
    yield f"{line.name}: {', '.join(filter(None, parts))}"
    yield from _alerted((), line.alerts, f"{line.name}: ")


def _changed(old: PipelineSummary, new: PipelineSummary) -> Iterator[str]:
    if old.name != new.name:
        yield f"{old.name}: renamed to {new.name}"
    pairs = (
        ("", old.status, new.status),
        ("program ", old.program, new.program),
        ("storage ", old.storage, new.storage),
        ("error ", old.error_code or "none", new.error_code or "none"),
    )
    for what, was, is_ in pairs:
        if was != is_:
            yield f"{new.name}: {what}{was} -> {is_}"
    yield from _alerted(old.alerts, new.alerts, f"{new.name}: ")


def _alerted(old: Sequence[PresentAlert], new: Sequence[PresentAlert], subject: str) -> Iterator[str]:
    for alert in new:
        if alert not in old:
            yield f"{subject}{alert.name} fires ({alert.severity})"
    for alert in old:
        if alert not in new:
            yield f"{subject}{alert.name} is over"
