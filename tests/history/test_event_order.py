"""The order in which events were committed."""

from random import Random

import pytest

from feldera_exporter.history import event_order
from feldera_exporter.history.event_order import State, Transaction, ordered, state_of
from feldera_exporter.history.observation import Observation
from support.history_examples import seen


def shown(*log: Observation) -> list[str]:
    """Return the order found as the statuses in it."""
    found = ordered(log, state_of(seen(0, "Stopped")))[0]
    return ["/".join(filter(None, (each.resources, each.runtime, each.program))) for each in found]


def test_ids_give_the_order() -> None:
    """A transaction that waited for the lock has an earlier instant and a later id."""
    late = seen(3, "Provisioned/Paused", made=6)
    assert shown(late, seen(4, "Provisioned/Running"), seen(2, "Provisioned/Initializing")) == [
        "Provisioned/Initializing/Success",
        "Provisioned/Running/Success",
        "Provisioned/Paused/Success",
    ]


def test_times_give_the_order_where_ids_break_the_state_machine() -> None:
    """A clock that is ahead makes ids that are too great."""
    ahead = seen(2, "Provisioning", made=30)
    assert shown(ahead, seen(4, "Provisioned/Initializing")) == [
        "Provisioning/Success",
        "Provisioned/Initializing/Success",
    ]


def test_a_clock_that_is_behind_is_not_believed() -> None:
    """An id older than its transaction's beginning is not used."""
    behind = seen(4, "Provisioned/Paused", made=1)
    assert shown(seen(2, "Provisioned/Running"), behind)[-1] == "Provisioned/Paused/Success"


def test_one_wrong_clock_does_not_spoil_the_rest() -> None:
    """Each stretch is searched separately: lock waits in one, a wrong clock in another."""
    log = [
        seen(1, "Provisioning", made=1),
        seen(3, "Provisioned/Initializing", made=3),
        seen(2.5, "Provisioned/Running", made=4),
        seen(10, "Stopping", made=19),
        seen(12, "Stopped", made=12),
    ]
    assert ordered(log[::-1], state_of(seen(0, "Stopped")))[0] == log


def test_events_of_one_transaction_stay_together() -> None:
    """Events of one transaction stay together, whatever ids others made in between."""
    pair = seen(2, "Stopped", made=3), seen(2, "Provisioning", made=3.002)
    other = seen(1, "Stopped", made=3.001)
    found = ordered((*pair, other), None)[0]
    assert found.index(pair[1]) == found.index(pair[0]) + 1
    assert found[0] == other


def test_ids_of_one_millisecond_have_no_order() -> None:
    """Ids of one millisecond have no order; the program's state machine gives it."""
    start = seen(3, "Stopped//CompilingSql", serial=2), seen(3.0001, "Stopped//SqlCompiled", serial=1)
    assert shown(seen(1, "Stopped//Pending"), *start)[1:] == ["Stopped/CompilingSql", "Stopped/SqlCompiled"]


def test_the_example() -> None:
    """The compiler's clock is ahead by 5 ms, so that the edit that waited for it seems to come first."""
    compiled = seen(12.003, "Stopped//SqlCompiled", made=12.006)
    edited = seen(12.000, "Stopped//Pending", made=12.004)
    state = state_of(seen(0, "Stopped//CompilingSql"))
    assert ordered([edited, compiled], state) == ([compiled, edited], False)


def test_ids_that_agree_with_the_times_are_right() -> None:
    """Ids and times that agree are used, even if another order would change fewer statuses."""
    log = [
        seen(5, "Provisioned/Running"),
        seen(6, "Provisioned/Unavailable", made=7),
        seen(7.006, "Provisioned/Running"),
        seen(9, "Provisioned/Unavailable"),
    ]
    assert ordered(log[::-1], state_of(log[0])) == (log, False)


def test_a_step_that_stays_impossible_is_a_guess() -> None:
    """An impossible transition makes the order a guess; one between unknown statuses does not."""
    log = [seen(1, "Provisioned/Running"), seen(20, "Stopped")]
    assert ordered(log, None) == (log, True)
    assert ordered([seen(1, "Resting"), seen(20, "Stopped")], None)[1] is False


def test_content_alone_decides_where_id_and_time_break_a_state_machine() -> None:
    """Statuses decide where id and time are wrong: a transaction of a slow clock that waited."""
    log = [
        seen(2, "Stopped//Success/Cleared"),
        seen(2.8, "Stopped//Success/Cleared"),
        seen(2.2, "Stopped", made=1.9),
        seen(2.2, "Provisioning", made=1.9, serial=1),
        seen(4, "Provisioning"),
    ]
    assert ordered(log, state_of(seen(0, "Stopped//Success/Cleared")))[0] == log


def test_ids_that_are_no_uuids_leave_the_time() -> None:
    """Of ids of another form only the time counts."""
    first, second = seen(1, "Stopped"), seen(2, "Provisioning")
    odd = [
        Observation(each.at, name, each.resources, None, "Success", "InUse", False)
        for each, name in ((first, "z"), (second, "a"))
    ]
    assert ordered(odd[::-1], None)[0] == odd


def contradictory(number: int) -> dict[str, list[Observation]]:
    """Return long logs whose ids and times contradict each other, by what is wrong with them."""
    cycle = ("Stopped", "Provisioning", "Provisioned/Running", "Stopping")
    random = Random(1)
    return {
        "descending ids": [seen(i, cycle[i % 4], made=2000 - i) for i in range(number)],
        "ids in any order": [
            seen(i, random.choice(cycle), made=i + random.randrange(2000)) for i in range(number)
        ],
        "statuses in any order": [seen(i, random.choice(cycle)) for i in range(number)],
        "ids of one millisecond": [
            seen(i / 1000, random.choice(cycle), made=3000, serial=i) for i in range(number)
        ],
        "one clock half an hour ahead": [
            seen(i, cycle[i % 4], made=i + 1800 * (i % 2)) for i in range(number)
        ],
    }


@pytest.mark.parametrize("wrong", contradictory(1))
def test_the_search_is_bounded(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a full log that contradicts itself few short stretches are searched, and no event is lost."""
    sizes: list[int] = []
    search = event_order._put_in_order

    def counted(log: list[Transaction], start: int, end: int, state: State | None) -> None:
        sizes.append(end - start)
        search(log, start, end, state)

    monkeypatch.setattr(event_order, "_put_in_order", counted)
    log = contradictory(720)[wrong]
    found, guessed = ordered(log, state_of(seen(0, "Stopped")))
    assert guessed
    assert sorted(found, key=id) == sorted(log, key=id)
    assert len(sizes) <= event_order._MOST
    assert max(sizes, default=0) <= event_order._LONGEST
