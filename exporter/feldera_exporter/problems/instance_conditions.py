"""The conditions of an instance's problems: pure functions of the instance and an instant of Feldera's clock."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.problems.earlier_lists import EarlierLists
from feldera_exporter.problems.model import Finding, Findings, Period, Undecided
from feldera_exporter.state.fleet import Fleet

_MINUTE: Final = 60 * SECOND
_DAY: Final = 24 * 60 * _MINUTE

_ALLOWED_FAILING: Final = 4
_ALLOWED_FAILING_SHARE: Final = 0.1
"""How many pipelines, and which share of all, may fail before the fleet is degraded; the larger number counts."""
_STILL_DEGRADED_SHARE: Final = 0.6
"""A degraded fleet recovers only below this share of the threshold, so that a fleet near the threshold does not page often."""

DROPPED_FOR: Final = 10 * _MINUTE
UNHEALTHY_FOR: Final = 5 * _MINUTE
UNCHECKED_FOR: Final = 30 * _MINUTE
"""Feldera checks its services every ten minutes, and reports itself as stale after three times that (`cluster_monitor.rs`)."""
UNREPORTED_FOR: Final = 15 * _MINUTE
"""How long Feldera may leave out the health of its services while it still lists its pipelines."""
UNLICENSED_FOR: Final = 60 * _MINUTE


@dataclass(frozen=True, slots=True)
class InstanceState:
    """What the conditions of an instance read.

    Attributes:
        previous_state: what the conditions need from earlier lists.
        failing: since when pipelines count as failing, by id.
        degraded: whether FleetDegraded was present before.
    """

    fleet: Fleet
    previous_state: EarlierLists
    failing: Mapping[str, Micros]
    degraded: bool


Condition = Callable[[InstanceState, Micros], Findings]


def degraded(state: InstanceState, now: Micros) -> Findings:
    """More than a tenth of all pipelines fail, and at least five."""
    allowed = max(_ALLOWED_FAILING, _ALLOWED_FAILING_SHARE * (state.fleet.size or 0))
    if state.degraded:
        recovered = _STILL_DEGRADED_SHARE * allowed
        return (Period(now, continues=True),) if len(state.failing) > recovered else ()
    if len(state.failing) <= allowed:
        return ()
    # It began when the first pipeline beyond the allowed number failed.
    return (Period(sorted(state.failing.values())[int(allowed)]),)


def inventory_dropped(state: InstanceState, _now: Micros) -> Findings:
    """For ten minutes, fewer than half of the pipelines of the last hour have been left."""
    at = state.previous_state.dropped_at
    return () if at is None else (Period(at + DROPPED_FOR),)


def unhealthy(services: Collection[str]) -> Condition:
    """Return the condition that one of these services has been unhealthy for five minutes."""

    def condition(state: InstanceState, now: Micros) -> Findings:
        platform = state.fleet.platform
        found: list[Finding] = []
        for name in services:
            service = platform.services.get(name)
            if service is None or platform.health_lost_at is not None:
                # Feldera does not report this service at present: the last result stays.
                found.append(Undecided(now + 1, name))
            elif not service.healthy:
                found.append(Period(state.previous_state.unhealthy_at[name] + UNHEALTHY_FOR, label=name))
        return tuple(found)

    return condition


def health_stale(state: InstanceState, now: Micros) -> Findings:
    """Feldera has checked no service for 30 minutes, or has reported none for 15 while it listed its pipelines."""
    platform = state.fleet.platform
    if not platform.services:
        return (Undecided(now + 1),)
    begin = max(service.checked_at for service in platform.services.values()) + UNCHECKED_FOR
    if platform.stale:
        # Feldera itself says so.
        begin = min(begin, now)
    if platform.health_lost_at is not None:
        begin = min(begin, max(platform.health_lost_at, state.previous_state.answering_at) + UNREPORTED_FOR)
    return (Period(begin, continues=True),)


def license_ends_within(days: int) -> Condition:
    """Return the condition that the license ends within this number of days, or has ended."""

    def condition(state: InstanceState, now: Micros) -> Findings:
        known = state.fleet.platform.license
        if known is None:
            return (Undecided(now + 1),)
        return () if known.expiry is None else (Period(known.expiry - days * _DAY),)

    return condition


def license_unconfirmed(state: InstanceState, now: Micros) -> Findings:
    """The license has not been confirmed for an hour."""
    if state.fleet.platform.license is None:
        return (Undecided(now + 1),)
    at = state.previous_state.unlicensed_at
    return () if at is None else (Period(at + UNLICENSED_FOR),)
