"""All that the demo shows at one moment, as one value, and what is new in it in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from feldera_exporter.problems.alerts import Alert
from feldera_exporter.problems.summary import PipelineSummary, Urgency


@dataclass(frozen=True, slots=True)
class View:
    """What is shown; the alerts are about no pipeline, and None while no program evaluates alerts."""

    addresses: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    lines: tuple[PipelineSummary, ...] = ()
    alerts: tuple[Alert, ...] | None = None
    notified: tuple[str, ...] = ()

    @property
    def with_problem(self) -> int:
        """How many pipelines have a problem."""
        return sum(line.level >= Urgency.WRONG for line in self.lines)


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


def _alerted(old: Sequence[Alert], new: Sequence[Alert], subject: str) -> Iterator[str]:
    for alert in new:
        if alert not in old:
            yield f"{subject}{alert.name} fires ({alert.severity})"
    for alert in old:
        if alert not in new:
            yield f"{subject}{alert.name} is over"
