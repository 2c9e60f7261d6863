"""The order in which events of one pipeline were committed, as far as ids, times and their content can tell."""

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from typing import Final

from feldera_exporter.feldera.statuses import PROGRAM, RESOURCES, STORAGE
from feldera_exporter.history.clock_difference import apart
from feldera_exporter.history.observation import Observation
from feldera_exporter.history.transactions import Transaction, by_id, by_time

State = tuple[str | bool | None, ...]
"""Program, resources, storage, runtime status, has_error; of an event the desired statuses too."""

_LEGAL: Final = tuple(frozenset(dimension.transitions) for dimension in (PROGRAM, RESOURCES, STORAGE))

_NEIGHBOURS: Final = 3
"""How many transactions on either side of a broken transition may belong to its other side."""

_CLOCKS: Final = 10
"""How many milliseconds the clocks of processes that NTP keeps may differ, where the log does not tell how many they do:
ids made closer together tell nothing."""

_CERTAIN: Final = 1_000
"""How many milliseconds they never differ: ids made further apart tell the order, unless that makes no sense at all."""

_BREADTH: Final = 32
"""How many beginnings of an order are pursued at once."""

_EFFORT: Final = 2_000
"""How many steps the searches of one log may weigh, as the cube of each stretch's length: a few milliseconds' worth."""

_Cost = tuple[int, int, int, int, int, int]
"""Steps that nobody can make; ids that object beyond doubt; statuses changed, but the program's; other ids, then
program changes, then times that object."""


class _Effort:
    """What the searches of one log may still cost.

    Attributes:
        exhausted: whether a stretch was too long to search, so that its order is a guess.
    """

    def __init__(self) -> None:
        self._left = _EFFORT
        self.exhausted = False

    def allows(self, size: int) -> bool:
        """Take what the search of a stretch costs, and tell whether there was so much left."""
        cost = size**3
        if cost > self._left:
            self.exhausted = True
            return False
        self._left -= cost
        return True


def ordered(
    observations: Sequence[Observation], state: State | None, answer: Sequence[Observation] = ()
) -> tuple[list[Observation], bool]:
    """Return observations as they were committed, and whether their order is a guess.

    The writer holds the row's lock when it makes `event_id`, so the id tells the order; `recorded_at` is only the
    transaction's start. But ids come from the clocks of several processes. So what id and time agree on holds, and
    where they disagree the id decides, unless that breaks Feldera's state machines or lets statuses go back and forth:
    every event says all statuses as its transaction found and left them. Ids that are closer together than the clocks
    say nothing. Where what they agree on breaks a state machine, a transaction waited for the lock and its process's
    clock is behind: then the content alone decides. A stretch that is too long to search stays in the order of its ids,
    which is a guess.

    Args:
        observations: events, in any order.
        state: the statuses before the first of them, None where unknown.
        answer: the whole log that they are from, which tells more of the clocks; their own where it is empty.
    """
    timely = by_time(observations)
    log = sorted(timely, key=by_id)
    effort = _Effort()
    # Nearly always nothing is in doubt, and then the clocks are nobody's business.
    if any(end - start > 1 for start, end in _disagreements(log, timely, _CLOCKS)):
        told = apart(sorted(by_time(answer or observations), key=by_id))
        log = _judged(log, timely, state, _CLOCKS if told is None else told, effort)
    _correct(log, state, effort)
    return [event for commit in log for event in commit.events], effort.exhausted


def _judged(
    log: Sequence[Transaction],
    timely: Sequence[Transaction],
    state: State | None,
    clocks: int,
    effort: _Effort,
) -> list[Transaction]:
    """Return transactions, given in the order of their ids and in that of their times, in the likeliest order."""
    judged: list[Transaction] = []
    for start, end in _disagreements(log, timely, clocks):
        stretch = log[start:end]
        if end - start > 1 and effort.allows(end - start):
            before = _full(judged[-1].last) if judged else state
            stretch = _likeliest(before, stretch, log[end : end + 1], clocks, trusting=True)
        judged += stretch
    return judged


def state_of(observation: Observation) -> State:
    """Return the statuses that a history has too."""
    return (
        observation.program,
        observation.resources,
        observation.storage,
        observation.runtime,
        observation.has_error,
    )


def _full(observation: Observation) -> State:
    return *state_of(observation), observation.resources_desired, observation.runtime_desired


def _uncertain(one: Transaction, other: Transaction, clocks: int) -> bool:
    """Tell whether ids say nothing: the lock went from one to the other within what the clocks may differ."""
    return abs(one.made - other.made) <= clocks < max(one.lead, other.lead)


def _disagreements(
    log: Sequence[Transaction], timely: Sequence[Transaction], clocks: int
) -> Iterator[tuple[int, int]]:
    """Cut two orders of the same transactions into the shortest stretches that certainly hold the same ones."""
    start = 0
    unmatched: set[int] = set()
    for index, (one, other) in enumerate(zip(log, timely, strict=True)):
        unmatched ^= {one.at}
        unmatched ^= {other.at}
        following = log[index + 1 : index + 2]
        if not unmatched and not (following and _uncertain(one, following[0], clocks)):
            yield start, index + 1
            start = index + 1


def _correct(log: list[Transaction], state: State | None, effort: _Effort) -> None:
    """Put transactions in another order around each transition that no state machine allows."""
    for index, commit in enumerate(log):
        before = _full(log[index - 1].last) if index else state
        if _step(before, _full(commit.first))[0]:
            start, end = max(0, index - _NEIGHBOURS), index + _NEIGHBOURS
            if not effort.allows(len(log[start:end])):
                return
            before = _full(log[start - 1].last) if start else state
            log[start:end] = _likeliest(before, log[start:end], log[end : end + 1], _CLOCKS, trusting=False)


def _likeliest(
    before: State | None,
    stretch: Sequence[Transaction],
    after: Sequence[Transaction],
    clocks: int,
    *,
    trusting: bool,
) -> list[Transaction]:
    """Return the order that costs least, of those that keep what id and time agree on if both are trusted.

    A search from the front that keeps the cheapest beginnings; `after` is what certainly follows.
    """
    log = sorted(stretch, key=lambda commit: (commit.made, commit.at))
    times = [commit.made for commit in log]
    first, last = [_full(commit.first) for commit in log], [_full(commit.last) for commit in log]
    earlier = [
        sum(
            1 << j
            for j, other in enumerate(log[:i])
            if trusting
            and other.at < commit.at
            and times[j] < times[i]
            and not _uncertain(other, commit, clocks)
        )
        for i, commit in enumerate(log)
    ]
    beginnings: list[tuple[_Cost, tuple[int, ...], int]] = [((0,) * 6, (), 0)]
    for _ in log:
        longer: dict[tuple[int, int], tuple[_Cost, tuple[int, ...], int]] = {}
        for cost, path, done in beginnings:
            reached = last[path[-1]] if path else before
            for i, state in enumerate(first):
                if done >> i & 1 or earlier[i] & ~done:
                    continue
                skipped = [j for j in range(i) if not done >> j & 1]
                ids = [times[i] - times[j] for j in skipped]
                candidate = _plus(cost, _step(reached, state), ids, clocks), (*path, i), done | 1 << i
                place = i, candidate[2]
                longer[place] = min(longer.get(place, candidate), candidate)
        beginnings = nsmallest(_BREADTH, longer.values())
    following = _full(after[0].first) if after else None
    ends = [(_plus(cost, _step(last[path[-1]], following), (), clocks), path) for cost, path, _ in beginnings]
    return [log[i] for i in min(ends)[1]]


def _plus(cost: _Cost, step: tuple[int, int, int], ids: Sequence[int], clocks: int) -> _Cost:
    """Return the cost of a further step, which goes ahead of transactions whose ids are so many milliseconds older."""
    wrong, changes, program = step
    return (
        cost[0] + wrong,
        cost[1] + sum(older > _CERTAIN for older in ids),
        cost[2] + changes,
        cost[3] + sum(older > clocks for older in ids),
        cost[4] + program,
        cost[5] + len(ids),
    )


def _step(old: State | None, new: State | None) -> tuple[int, int, int]:
    """Return how wrong a step is, how many statuses it changes, and whether it is the program's.

    Wrong is what no state machine allows, and what no one writer does: the compiler changes nothing but the program,
    and the storage status changes alone (pipeline-manager `db/operations/pipeline.rs`). The program counts by itself:
    an edit does send one back and forth within an instant. What is not known of the state before the log is not
    compared.
    """
    if old is None or new is None:
        return 0, 0, 0
    wrong = sum(a != b and (a, b) not in legal for a, b, legal in zip(old, new, _LEGAL, strict=False))
    changes = sum(a != b for a, b in zip(old[1:], new[1:], strict=False))
    program, storage = old[0] != new[0], old[2] != new[2]
    wrong += changes > 0 if program else storage and changes > 1
    return wrong, changes, program
