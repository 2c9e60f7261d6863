"""Examples of problems of an instance: its fleet, its services, its license."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from feldera_exporter.feldera.platform import License, Platform, Service
from feldera_exporter.feldera.statuses import SERVICES
from feldera_exporter.state.pipeline import Pipeline
from problems.examples import DAY, HOUR, MICROSECOND, Example, begins, fleet, pipeline
from support.history_examples import instant


def _many(count: int, **facts: Any) -> tuple[Pipeline, ...]:
    return tuple(pipeline(f"p{number}", **facts) for number in range(count))


def _failed(count: int, at: float = 0) -> tuple[Pipeline, ...]:
    """Return pipelines that failed one after another, the last of them at a second."""
    return tuple(
        pipeline(
            f"p{number}", status="Stopped", desired="Stopped", error="E", error_at=at - (count - 1 - number)
        )
        for number in range(count)
    )


def _degraded(
    what: str, pipelines: tuple[Pipeline, ...], size: int, at: float = 0, *, present: bool
) -> Example:
    lists = ((at, fleet(*pipelines, size=size)),)
    return Example("FleetDegraded", what, lists, {"": 0} if present else {})


_SHRINKING: Final = tuple(
    (60.0 * (6 - count), fleet(*_failed(count), size=20)) for count in (5, 4, 3, 2, 3, 4)
)
"""Five failing pipelines of twenty, then fewer each minute, then more again."""

FLEETS: Final[tuple[Example, ...]] = (
    Example("FleetDegraded", "five errors, with the fifth", ((60, fleet(*_failed(5), size=40)),), {"": 0}),
    Example(
        "FleetDegraded",
        "five errors whose times are still to come: the database's clock is ahead",
        tuple((at, fleet(*_failed(5, at=DAY), size=40)) for at in (100, 105)),
        {"": 100},
    ),
    *(
        Example(
            "FleetDegraded",
            what,
            tuple((at, fleet(*_failed(5), size=40)) for at in times),
            {"": 0} if present else {},
        )
        for what, times, present in (
            ("errors of the last hour", (HOUR - 4 - MICROSECOND,), True),
            ("an error of an hour ago", (HOUR - 4,), False),
            ("three errors of the last hour, and it is said so", (0, HOUR - 2 - MICROSECOND), True),
            ("two errors of the last hour", (0, HOUR - 2), False),
        )
    ),
    *(
        each
        for status, limit in (
            ("Provisioning", 600),
            ("Initializing", 1200),
            ("Stopping", 900),
            ("Unavailable", 120),
        )
        for each in begins(
            "FleetDegraded",
            f"{status} for too long",
            limit,
            fleet(*_many(5, status=status, since=0, desired="Running"), size=40),
        )
    ),
    _degraded(
        "too long in another status", _many(9, status="AwaitingApproval", since=-DAY), 40, present=False
    ),
    _degraded(
        "its own limit",
        _many(5, status="Provisioning", since=-60, limits={"Provisioning": 60}),
        40,
        present=True,
    ),
    _degraded(
        "no limit",
        _many(5, status="Provisioning", since=-DAY, limits={"Provisioning": float("inf")}),
        40,
        present=False,
    ),
    _degraded("four are few", _failed(4), 20, present=False),
    _degraded("a tenth", _failed(5), 50, present=False),
    _degraded("more than a tenth", _failed(5), 49, present=True),
    _degraded("few of many", _failed(5), 80, present=False),
    _degraded("many of many", _failed(9), 80, present=True),
    *(
        Example("FleetDegraded", what, _SHRINKING[:lists], {"": 0} if present else {})
        for what, lists, present in (
            ("four of them still fail", 2, True),
            ("three of them still fail", 3, True),
            ("two of them still fail", 4, False),
            ("three fail again", 5, False),
            ("four fail again", 6, False),
        )
    ),
    *(
        Example(
            "FleetDegraded",
            f"{count} of 1000 still fail, which began with 101",
            ((0, fleet(*_failed(101), size=1000)), (60, fleet(*_failed(count), size=1000))),
            {"": 0} if present else {},
        )
        for count, present in ((61, True), (60, False))
    ),
)


def _sizes(what: str, *sizes: tuple[float, int], since: float | None = None) -> Example:
    lists = tuple((at, fleet(size=size)) for at, size in sizes)
    return Example("PipelineInventoryDropped", what, lists, {} if since is None else {"": since})


INVENTORY: Final[tuple[Example, ...]] = (
    *begins(
        "PipelineInventoryDropped",
        "less than half for ten minutes",
        600,
        fleet(size=9),
        earlier=((-60, fleet(size=20)), (0, fleet(size=9))),
    ),
    _sizes("half", (-60, 20), (0, 10), (600, 10)),
    _sizes("of ten", (-60, 10), (0, 4), (600, 4), since=600),
    _sizes("of nine", (-60, 9), (0, 4), (600, 4)),
    _sizes("fewer and fewer", (-60, 20), (0, 9), (300, 5), (600, 0), since=600),
    _sizes("and they are back", (-60, 20), (0, 9), (600, 9), (601, 10)),
    _sizes("and gone again", (-60, 20), (0, 9), (300, 12), (301, 9), (900.9, 9)),
    _sizes(
        "back for a minute, and gone again within the hour",
        *((-60, 20), (0, 9), (600, 20), (660, 9), (HOUR + 300, 9)),
        since=1260,
    ),
    _sizes("of what there was within the hour", (-60, 20), (0, 9), (HOUR - MICROSECOND, 9), since=600),
    _sizes("of what there was an hour ago", (-60, 20), (0, 9), (HOUR, 9)),
    _sizes(
        "an hour is counted from the last list with so many",
        (-60, 20),
        (1800, 20),
        (1860, 9),
        (HOUR + 1800, 9),
        since=2460,
    ),
    _sizes(
        "of what there was before the clock stepped back",
        *((24 * HOUR, 20), (0, 20), (60, 9), (HOUR + 60 - MICROSECOND, 9)),
        since=660,
    ),
    _sizes("an hour after the clock stepped back", (24 * HOUR, 20), (0, 20), (60, 9), (HOUR + 60, 9)),
)


def _reported(
    *,
    healthy: bool = False,
    since: float | None = 0,
    checked: float = 0,
    lost: float | None = None,
    stale: bool | None = None,
    names: tuple[str, ...] = ("runner",),
) -> Platform:
    """Return an instance that reported its services."""
    service = Service(healthy, instant(checked), None if since is None else instant(since))
    lost_at = None if lost is None else instant(lost)
    services = MappingProxyType(dict.fromkeys(names, service))
    return Platform(services=services, stale=stale, health_lost_at=lost_at)


def _check(at: float) -> Service:
    return Service(healthy=True, checked_at=instant(at), unchanged_since=None)


def _service(
    problem: str, what: str, *reports: tuple[float, Platform], present: Mapping[str, float] | None = None
) -> Example:
    return Example(problem, what, tuple((at, fleet(platform=each)) for at, each in reports), present or {})


_ILL: Final = "ClusterServiceUnhealthy"
_WELL: Final = _reported(healthy=True)

SERVICE_EXAMPLES: Final[tuple[Example, ...]] = (
    *(
        each
        for problem, name in ((_ILL, "api"), (_ILL, "runner"), ("CompilerUnhealthy", "compiler"))
        for each in begins(
            problem, f"the {name} for five minutes", 300, fleet(platform=_reported(names=(name,))), name
        )
    ),
    *begins(_ILL, "Feldera reports no beginning", 300, fleet(platform=_reported(since=None)), "runner"),
    _service(
        _ILL,
        "an old Feldera calls each check a change",
        *((at, _reported(since=at, checked=at)) for at in (0, 100, 200, 300)),
        present={"runner": 300},
    ),
    _service(_ILL, "it is well again", (300, _reported()), (360, _WELL)),
    _service(_ILL, "and ill again", (0, _reported()), (60, _WELL), (300, _reported(since=90, checked=300))),
    _service(
        _ILL,
        "Feldera no longer reports it",
        (300, _reported()),
        (HOUR, _reported(lost=600)),
        present={"runner": 300},
    ),
    _service(
        _ILL,
        "nor of that service",
        (300, _reported()),
        (HOUR, _reported(names=("api",), healthy=True)),
        present={"runner": 300},
    ),
    _service(
        _ILL,
        "after a restart there is no report yet",
        (300, _reported()),
        (301, Platform()),
        present={"runner": 300},
    ),
    _service(_ILL, "the last report is recent", (299, _reported()), (HOUR, _reported(lost=300))),
    _service(_ILL, "there is never a report", (DAY, Platform())),
)

_STALE: Final = "ClusterHealthStale"


def _reports(*seconds: float, checked: float = 0, lost: float = 0) -> tuple[tuple[float, Platform], ...]:
    """Return the reports at these seconds; from `lost` on Feldera reports no services."""
    return tuple((at, _reported(healthy=True, checked=checked, lost=lost)) for at in seconds)


_EACH_MINUTE: Final = tuple(float(at) for at in range(-600, 900, 60))

STALENESS: Final[tuple[Example, ...]] = (
    *begins(_STALE, "not checked for half an hour", 1800, fleet(platform=_reported(healthy=True))),
    _service(_STALE, "Feldera says so", (60, _reported(stale=True)), present={"": 60}),
    _service(
        _STALE,
        "since it said so first",
        *((at, _reported(stale=True)) for at in (60, 120, 1900)),
        present={"": 60},
    ),
    _service(_STALE, "it says so late", (1900, _reported(stale=True)), present={"": 1800}),
    _service(_STALE, "it says the contrary", (60, _reported(stale=False))),
    _service(
        _STALE,
        "it no longer says so",
        (60, _reported(stale=True)),
        (120, _reported(stale=False, checked=100)),
    ),
    *begins(
        _STALE,
        "not reported for a quarter of an hour, though pipelines are listed",
        900,
        fleet(platform=_reported(healthy=True, lost=0)),
        earlier=tuple((at, fleet(platform=each)) for at, each in _reports(*_EACH_MINUTE)),
    ),
    _service(
        _STALE,
        "lists that come again only now",
        *_reports(-1000, 780, checked=700),
        *_reports(840, 900, checked=700),
    ),
    _service(
        _STALE,
        "and have come for a quarter of an hour",
        *_reports(-1000, *range(780, 1681, 60), checked=700),
        present={"": 1680},
    ),
    _service(
        _STALE,
        "a list that was missed",
        *_reports(*_EACH_MINUTE[:-1], 900),
        present={"": 900},
    ),
    _service(
        _STALE, "more than two minutes without a list", *_reports(*_EACH_MINUTE[:-1], 900 + MICROSECOND)
    ),
    _service(
        _STALE,
        "a check that has come",
        *_reports(*_EACH_MINUTE, 900),
        (960, _reported(healthy=True, checked=950)),
    ),
    _service(
        _STALE,
        "after a restart there is no report yet",
        (1800, _WELL),
        (1801, Platform()),
        present={"": 1800},
    ),
    _service(_STALE, "there is never a report", (DAY, Platform())),
    _service(
        _STALE,
        "the newest check counts",
        (
            1800,
            Platform(
                services=MappingProxyType({"api": _check(0), "compiler": _check(60), "runner": _check(30)})
            ),
        ),
    ),
    _service(_STALE, "once for all services", (1800, _reported(names=SERVICES)), present={"": 1800}),
)


def _licensed(*, valid: bool = True, expiry: float | None = None) -> Platform:
    return Platform(license=License(valid=valid, expiry=None if expiry is None else instant(expiry)))


_SOON: Final = fleet(platform=_licensed(expiry=20 * DAY))
_CONFIRMED, _UNCONFIRMED = fleet(platform=_licensed()), fleet(platform=_licensed(valid=False))
_UNKNOWN: Final = fleet()

_EXPIRY: Final = "LicenseExpiryImminent"
_OPEN: Final = "LicenseUnconfirmed"

LICENSES: Final[tuple[Example, ...]] = (
    *begins("LicenseExpiring", "two weeks", 6 * DAY, _SOON),
    Example("LicenseExpiring", "until it is critical", ((17 * DAY - MICROSECOND, _SOON),), {"": 6 * DAY}),
    Example("LicenseExpiring", "the more severe problem is gone, so this one appears", ((17 * DAY, _SOON),)),
    Example("LicenseExpiring", "one without an end", ((DAY, _CONFIRMED),)),
    *begins(_EXPIRY, "three days", 17 * DAY, _SOON),
    Example(_EXPIRY, "over", ((21 * DAY, _SOON),), {"": 17 * DAY}),
    Example(
        _EXPIRY,
        "after a restart it is not known yet",
        ((17 * DAY, _SOON), (18 * DAY, _UNKNOWN)),
        {"": 17 * DAY},
    ),
    Example(_EXPIRY, "renewed", ((17 * DAY, _SOON), (18 * DAY, _CONFIRMED))),
    *begins(_OPEN, "an hour", HOUR, _UNCONFIRMED, earlier=((0, _UNCONFIRMED),)),
    Example(
        _OPEN,
        "confirmed meanwhile",
        ((0, _UNCONFIRMED), (60, _CONFIRMED), (120, _UNCONFIRMED), (HOUR, _UNCONFIRMED)),
    ),
    Example(
        _OPEN,
        "after a restart it is not known yet",
        ((0, _UNCONFIRMED), (HOUR, _UNCONFIRMED), (HOUR + 5, _UNKNOWN), (HOUR + 10, _UNCONFIRMED)),
        {"": HOUR},
    ),
    Example(
        _OPEN,
        "not known yet after a restart",
        ((0, _UNCONFIRMED), (HOUR, _UNCONFIRMED), (HOUR + 5, _UNKNOWN)),
        {"": HOUR},
    ),
    Example(_OPEN, "never known", ((0, _UNKNOWN), (DAY, _UNKNOWN))),
    Example(_OPEN, "confirmed", ((0, _UNCONFIRMED), (HOUR, _UNCONFIRMED), (HOUR + 5, _CONFIRMED))),
)

INSTANCES: Final = (*FLEETS, *INVENTORY, *SERVICE_EXAMPLES, *STALENESS, *LICENSES)
