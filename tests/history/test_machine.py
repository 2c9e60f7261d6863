"""Invariants of a history, whatever order and portions its events come in."""

from collections import Counter
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, RUNTIME, STORAGE
from feldera_exporter.history.fold import fold
from feldera_exporter.history.log_position import has_known_event
from feldera_exporter.history.observation import Observation
from feldera_exporter.history.status_time import exact, seconds, watched
from support.history_examples import begun, identity, instant
from support.tools import example_count

_RETENTION = 40


class OnePipelineMachine(RuleBasedStateMachine):
    """Transactions of one pipeline, which commit in the order made here, and a reader that polls now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.serial = 0
        self.state = Observation(
            instant(0), identity(0), "Stopped", None, "Success", "Cleared", has_error=False
        )
        self.log = [self.state]
        self.history = begun(0, "Stopped//Success/Cleared")
        self.truth: Counter[tuple[str, Any, Any]] = Counter()
        self.errors = 0
        self.as_of = 0
        self.shown: dict[str, int] = {}
        self.runner = 0.0

    def run(self, wait: float, **changes: Any) -> None:
        """Commit the writes of one task of the runner, one after the other.

        Source: pipeline-manager `runner/pipeline_automata.rs`, which awaits each.
        """
        self.commit(min(wait, self.now - self.runner - 0.001), **changes)
        self.runner = self.now

    def commit(self, wait: float, **changes: Any) -> None:
        """Write an event whose transaction began some seconds before it got the lock."""
        self.serial += 1
        at = max(instant(self.now - wait), self.log[0].at + self.serial)
        event_id = identity(self.now, self.serial % 4096)
        after = replace(self.state, at=at, event_id=event_id, **changes)
        for field in ("resources", "runtime", "program", "storage"):
            old, new = getattr(self.state, field), getattr(after, field)
            if old != new:
                self.truth[field, old, new] += 1
        self.errors += after.has_error and not self.state.has_error
        self.state = after
        self.log.append(after)

    @rule(step=st.floats(0.002, 400))
    def pass_time(self, step: float) -> None:
        """Let time go by."""
        self.now += step

    @rule(data=st.data(), wait=st.sampled_from((0.0, 0.0, 0.5, 9.0)))
    def deploy(self, data: st.DataObject, wait: float) -> None:
        """Make one legal transition of the deployment; a Provisioned pipeline has a runtime status."""
        self.now += 0.02
        after = data.draw(
            st.sampled_from([to for old, to in RESOURCES.transitions if old == self.state.resources])
        )
        runtime = "Initializing" if after == "Provisioned" else None
        failed = after == "Stopping" and data.draw(st.booleans())
        self.run(wait, resources=after, runtime=runtime, has_error=failed or self.state.has_error)

    @rule(runtime=st.sampled_from(sorted(RUNTIME.statuses)), wait=st.sampled_from((0.0, 0.3)))
    def report(self, runtime: str, wait: float) -> None:
        """Report any runtime status, or the same one again."""
        if self.state.resources == "Provisioned":
            self.now += 0.02
            self.run(wait, runtime=runtime)

    @rule(data=st.data())
    def compile(self, data: st.DataObject) -> None:
        """Make one legal transition of the program or of the storage."""
        self.now += 0.02
        field, dimension = data.draw(st.sampled_from((("program", PROGRAM), ("storage", STORAGE))))
        old = getattr(self.state, field)
        after = data.draw(st.sampled_from([to for before, to in dimension.transitions if before == old]))
        self.commit(0, **{field: after})

    @rule()
    def dismiss(self) -> None:
        """Dismiss the error."""
        self.now += 0.02
        self.commit(0, has_error=False)

    @rule(data=st.data())
    def read(self, data: st.DataObject) -> None:
        """Read all that is retained, in any order, and publish."""
        if len(self.log) > _RETENTION:
            return
        answer = data.draw(st.permutations(self.log))
        self.history, _ = fold(self.history, answer, self.as_of)
        assert fold(self.history, answer, self.as_of) == (self.history, ())
        self.as_of = max(self.as_of, instant(self.now - 3))

    @rule()
    def purge(self) -> None:
        """Purge what was read except the last event."""
        if has_known_event(self.history.log_position, self.log[-1:]):
            self.log = self.log[-1:]

    @invariant()
    def published_time_never_falls(self) -> None:
        """Each status's published time only grows, and the exact ones add up to the time watched."""
        shown = dict(seconds(self.history.status_time, self.as_of))
        assert all(shown.get(status, 0) >= value for status, value in self.shown.items())
        assert all(value >= 0 for value in shown.values())
        self.shown = shown
        assert sum(exact(self.history.status_time, self.as_of).values()) == watched(
            self.history.status_time, self.as_of
        )

    @invariant()
    def entries_minus_exits_are_0_or_1(self) -> None:
        """A status was entered once more than it was left exactly if it holds now and did not in the first list."""
        counts, now = self.history.counts, self.history.statuses
        for field, start in (("resources", "Stopped"), ("program", "Success"), ("storage", "Cleared")):
            pairs = getattr(counts, field)
            balance: Counter[str] = Counter({start: 1})
            for (old, new), number in pairs.items():
                balance[old] -= number
                balance[new] += number
            assert {status: n for status, n in balance.items() if n} == {getattr(now, field): 1}

    @invariant()
    def all_that_was_read_is_counted(self) -> None:
        """Once everything was read, every count is the true one."""
        if not has_known_event(self.history.log_position, [self.state]):
            return
        counts = self.history.counts
        for field in ("resources", "program", "storage"):
            truth = {(old, new): n for (name, old, new), n in self.truth.items() if name == field}
            assert getattr(counts, field) == truth
        entries: Counter[str] = Counter()
        for (name, _, new), number in self.truth.items():
            if name == "runtime" and new is not None:
                entries[new] += number
        assert counts.runtime == entries
        assert self.history.errors.count == self.errors


OnePipelineMachine.TestCase.settings = settings(
    max_examples=example_count(300), stateful_step_count=30, deadline=None
)
TestOneLife = OnePipelineMachine.TestCase
