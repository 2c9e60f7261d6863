"""The order in which the events of one pipeline were committed, as far as their ids, times and content show it.

A transaction holds the row's lock while it makes an event's id; `recorded_at` is when it began, which may be seconds before it
got the lock. So the order is that of the ids. But ids come from the clocks of several processes: in short stretches where they
may mislead, all orders are compared, and the one of the lowest cost is taken.

Example: an edit waits for the lock, while the compiler, whose clock is 5 ms ahead, writes an event. Before, the program was at
CompilingSql.

    id      recorded_at  program
    12.006  12.003       SqlCompiled  the compiler's event, committed first
    12.004  12.000       Pending      the edit

By id, the program goes from CompilingSql to Pending to SqlCompiled; no state machine allows the last step, which costs
`IMPOSSIBLE`. The other order costs two times `CHANGE_OF_PROGRAM`, and `CLOSE_IDS` for ids in the wrong order.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import msgspec

from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, STORAGE
from feldera_exporter.history.observation import Observation
from feldera_exporter.micros import Micros

State = tuple[str | bool | None, ...]
"""Program, resources, storage and runtime status, has_error; of an event also the desired statuses."""

# Any number of one cost within a stretch is less than the next higher one.
CLOSE_IDS: Final = 1
"""The ids of two transactions are in the wrong order, but within what the clocks may differ."""
CHANGE_OF_PROGRAM: Final = 100 * CLOSE_IDS
"""The program's status changes: an edit and the compiler may send it back and forth within an instant."""
IDS: Final = 100 * CHANGE_OF_PROGRAM
"""The ids of two transactions are in the wrong order."""
CHANGE: Final = 100 * IDS
"""Another status changes."""
FAR_IDS: Final = 100 * CHANGE
"""The ids of two transactions are in the wrong order by more than clocks ever differ."""
IMPOSSIBLE: Final = 100 * FAR_IDS
"""A step that no state machine allows, or that no single process makes."""

_CLOCKS: Final = 10
"""Milliseconds by which the clocks of two processes may differ under NTP."""

_NEVER: Final = 1_000
"""Milliseconds by which the clocks of two processes never differ."""

_LONGEST: Final = 7
"""Transactions of the longest stretch that is searched."""

_AROUND: Final = 3
"""Transactions before an impossible step, and as many after it, that are searched together."""

_MOST: Final = 20
"""Stretches of one log that are searched: more than a right log has, and 20 ms of CPU at most."""

_UUID7: Final = re.compile("([0-9a-f]{8})-([0-9a-f]{4})-7", re.IGNORECASE)

_DIMENSIONS: Final = tuple(
    (frozenset(each.transitions), each.statuses) for each in (PROGRAM, RESOURCES, STORAGE)
)


class Transaction(msgspec.Struct, frozen=True, gc=False):
    """The events of one transaction: they share `recorded_at`, and became visible together.

    Attributes:
        events: by id.
        at: when it began, in microseconds, by the database's clock.
        made: the millisecond in which its first id was made, by the clock of its process, or in which it began if that
            is later or the id is no UUIDv7: that clock is behind the database's.
    """

    events: tuple[Observation, ...]
    at: Micros
    made: int

    @property
    def first(self) -> Observation:
        """The first event."""
        return self.events[0]

    @property
    def last(self) -> Observation:
        """The last event: what holds after it."""
        return self.events[-1]


def ordered(observations: Sequence[Observation], state: State | None) -> tuple[list[Observation], bool]:
    """Return events as they were committed, and whether their order is a guess.

    It is a guess where a stretch is too long to be searched, or a step remains that no state machine allows.

    Args:
        observations: events, in any order.
        state: the statuses before the first of them, None where unknown.
    """
    log = _by_id(observations)
    guessed = False
    for number, (start, end) in enumerate(_stretches(log, state)):
        if number < _MOST and end - start <= _LONGEST:
            _put_in_order(log, start, end, state)
        else:
            guessed = True
    guessed |= any(_illegal(_before(log, index, state), _state(each.first)) for index, each in enumerate(log))
    return [event for transaction in log for event in transaction.events], guessed


def _by_id(observations: Iterable[Observation]) -> list[Transaction]:
    """Return the transactions of some events in the order of their ids: in that in which they got the row's lock."""
    events_at: defaultdict[int, list[Observation]] = defaultdict(list)
    for event in sorted(observations, key=lambda event: event.event_id or ""):
        events_at[event.at].append(event)
    log = [Transaction(tuple(events), at, _made(events[0])) for at, events in events_at.items()]
    return sorted(log, key=lambda transaction: (transaction.made, transaction.first.event_id or ""))


def _made(event: Observation) -> Micros:
    uuid = _UUID7.match(event.event_id or "")
    began = event.at // 1000
    return max(began, int(uuid[1] + uuid[2], 16)) if uuid else began


def state_of(observation: Observation) -> State:
    """Return the statuses that a history has too."""
    return _state(observation)[:5]


def _state(observation: Observation) -> State:
    return (
        observation.program,
        observation.resources,
        observation.storage,
        observation.runtime,
        observation.has_error,
        observation.resources_desired,
        observation.runtime_desired,
    )


def _before(log: Sequence[Transaction], index: int, state: State | None) -> State | None:
    return _state(log[index - 1].last) if index else state


def _stretches(log: Sequence[Transaction], state: State | None) -> Iterator[tuple[int, int]]:
    """Yield where the order of a log, at first that of the ids, may be wrong: the start and the end of each stretch.

    First, where the times of neighbours say the opposite of their ids; ids that are further apart than clocks ever differ
    are right. Then, what lies around a step that is still impossible.
    """
    start = 0
    for end in range(1, len(log) + 1):
        if end < len(log) and log[end].at < log[end - 1].at and log[end].made - log[end - 1].made <= _NEVER:
            continue
        if end - start > 1:
            yield start, end
        start = end
    end = 0
    for index in range(len(log)):
        if index >= end and _cost(_before(log, index, state), _state(log[index].first)) >= IMPOSSIBLE:
            end = min(index + _AROUND, len(log))
            yield max(0, index - _AROUND), end


def _put_in_order(log: list[Transaction], start: int, end: int, state: State | None) -> None:
    """Put a stretch of a log in its cheapest order; of several, in the one that is the nearest to the order by id.

    The cheapest way to begin with some transactions and to end with one of them is found from the ways that are shorter
    by one (Held and Karp).
    """
    stretch = log[start:end]
    following = _state(log[end].first) if end < len(log) else None
    first, last = [_state(each.first) for each in stretch], [_state(each.last) for each in stretch]
    enter = [_cost(_before(log, start, state), each) for each in first]
    steps = [[_cost(one, other) for other in first] for one in last]
    overtaking = [
        [_cost_of_ids(one, other) for one in stretch[:index]] for index, other in enumerate(stretch)
    ]
    ways: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {(0, -1): (0, ())}
    for _ in stretch:
        longer: dict[tuple[int, int], tuple[int, tuple[int, ...]]] = {}
        for (done, at), (cost, path) in ways.items():
            for index in range(len(stretch)):
                if done >> index & 1:
                    continue
                way = (
                    cost
                    + (steps[at][index] if path else enter[index])
                    + sum(each for other, each in enumerate(overtaking[index]) if not done >> other & 1),
                    (*path, index),
                )
                key = done | 1 << index, index
                longer[key] = min(longer.get(key, way), way)
        ways = longer
    _, path = min((cost + _cost(last[at], following), path) for (_, at), (cost, path) in ways.items())
    log[start:end] = [stretch[index] for index in path]


def _cost_of_ids(one: Transaction, other: Transaction) -> int:
    """Return what it costs that a transaction follows another one though its id is the older one."""
    apart = other.made - one.made
    if apart > _NEVER:
        return FAR_IDS
    return IDS if apart > _CLOCKS else CLOSE_IDS


def _cost(old: State | None, new: State | None) -> int:
    """Return the cost of a step between two transactions.

    The compiler changes nothing but the program, and the storage status changes alone (pipeline-manager
    `db/operations/pipeline.rs`). What is not known of the state before the log is not compared.
    """
    if old is None or new is None or old == new:
        return 0
    changes = sum(a != b for a, b in zip(old[1:], new[1:], strict=False))
    program, storage = old[0] != new[0], old[2] != new[2]
    impossible = _illegal(old, new) + (changes > 0 if program else storage and changes > 1)
    return IMPOSSIBLE * impossible + CHANGE * changes + CHANGE_OF_PROGRAM * program


def _illegal(old: State | None, new: State) -> int:
    """Return how many transitions between known statuses no state machine allows."""
    return sum(
        before != after and (before, after) not in legal and before in known and after in known
        for before, after, (legal, known) in zip(old or (), new, _DIMENSIONS, strict=False)
    )
