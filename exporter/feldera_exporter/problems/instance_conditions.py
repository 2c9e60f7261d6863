"""The conditions of an instance's problems: pure functions of the instance and an instant of Feldera's clock.

All instants are microseconds.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.statuses import SERVICES
from feldera_exporter.problems.model import MICROSECONDS, Finding, Period, Undecided
from feldera_exporter.problems.previous_state import PreviousState
from feldera_exporter.state.fleet import Fleet

Findings = tuple[Finding, ...]

_NOTHING: Final[Findings] = ()

_MINUTE: Final = 60 * MICROSECONDS
_DAY: Final = 24 * 60 * _MINUTE

_FEW: Final = 4
_FAILING_SHARE: Final = 0.1
_STILL_DEGRADED: Final = 0.6
"""A degraded fleet ends when fewer than six tenths of what began it fail: one that comes and goes must not page each time."""

DROPPED_FOR: Final = 10 * _MINUTE
UNHEALTHY_FOR: Final = 5 * _MINUTE
UNCHECKED_FOR: Final = 30 * _MINUTE
"""Feldera checks its services every ten minutes and calls itself stale after three times that (`cluster_monitor.rs`)."""
UNHEARD_FOR: Final = 15 * _MINUTE
UNLICENSED_FOR: Final = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What the conditions of an instance read.

    Attributes:
        fleet: the instance as it is known.
        memory: how it was.
        failing: by id, since when pipelines count as failing.
        degraded: whether it counted as degraded before.
    """

    fleet: Fleet
    memory: PreviousState
    failing: Mapping[str, int]
    degraded: bool


def degraded(state: InstanceState, now: int) -> Findings:
    """More than a tenth of all pipelines fail, and at least five."""
    most = max(_FEW, _FAILING_SHARE * (state.fleet.size or 0))
    if state.degraded:
        fewer = _STILL_DEGRADED * most
        return (Period(now, continues=True),) if len(state.failing) > fewer else _NOTHING
    if len(state.failing) <= most:
        return _NOTHING
    return (Period(sorted(state.failing.values())[int(most)]),)


def inventory_dropped(state: InstanceState, _now: int) -> Findings:
    """Less than half of the pipelines of the last hour are left, for ten minutes."""
    at = state.memory.dropped_at
    return _NOTHING if at is None else (Period(at + DROPPED_FOR),)


def unhealthy(services: Collection[str]) -> Callable[[InstanceState, int], Findings]:
    """Return the condition that one of these services has been unhealthy for five minutes."""

    def condition(state: InstanceState, now: int) -> Findings:
        platform = state.fleet.platform
        found: list[Finding] = []
        for name in services:
            service = platform.services.get(name)
            if service is None or platform.health_lost_at is not None:
                # What Feldera no longer tells of stays as it was.
                found.append(Undecided(now + 1, name))
            elif not service.healthy:
                found.append(Period(state.memory.unhealthy_at[name] + UNHEALTHY_FOR, label=name))
        return tuple(found)

    return condition


def health_stale(state: InstanceState, now: int) -> Findings:
    """Feldera no longer checks its services, or no longer tells of them though it lists its pipelines."""
    platform = state.fleet.platform
    if not platform.services:
        return tuple(Undecided(now + 1, name) for name in SERVICES)
    found: list[Finding] = []
    for name, service in platform.services.items():
        begin = service.checked_at + UNCHECKED_FOR
        if platform.stale:
            # Feldera's own verdict, by its own clock.
            begin = min(begin, now)
        if platform.health_lost_at is not None:
            begin = min(begin, max(platform.health_lost_at, state.memory.answering_at) + UNHEARD_FOR)
        found.append(Period(begin, label=name, continues=True))
    return tuple(found)


def license_ends_within(days: int) -> Callable[[InstanceState, int], Findings]:
    """Return the condition that the license ends within some days, or has ended."""

    def condition(state: InstanceState, now: int) -> Findings:
        known = state.fleet.platform.license
        if known is None:
            return (Undecided(now + 1),)
        return _NOTHING if known.expiry is None else (Period(known.expiry - days * _DAY),)

    return condition


def license_unconfirmed(state: InstanceState, now: int) -> Findings:
    """The license has not been confirmed for an hour."""
    if state.fleet.platform.license is None:
        return (Undecided(now + 1),)
    at = state.memory.unlicensed_at
    return _NOTHING if at is None else (Period(at + UNLICENSED_FOR),)
