"""The edges of what Feldera tells of its services' health, and no longer tells."""

from collections.abc import Callable
from typing import Final

from rules.edge import of_instance
from rules.facts import fleet
from rules.scenarios import Firing, Scenario
from rules.world import Samples, Target, View, exporter, series

_HEALTHY: Final = "feldera_cluster_service_healthy"
_CHECKED: Final = "feldera_cluster_service_checked_timestamp_seconds"
_HOURS: Final = 6 * 3600

_ILL: Final[Firing] = (
    "FelderaClusterServiceUnhealthy",
    {**of_instance("FelderaClusterServiceUnhealthy")[1], "service": "runner", "severity": "critical"},
)
_STALE: Final[Firing] = (
    "FelderaClusterHealthStale",
    {**of_instance("FelderaClusterHealthStale")[1], "service": "runner"},
)


def _told(family: str, value: Callable[[float], float], *silent: tuple[float, float]) -> View:
    """Return a view of an instance that tells of its runner, but for spans of time."""

    def view(now: float) -> Samples:
        told: Samples = (
            {} if any(a <= now < b for a, b in silent) else {series(family, service="runner"): value(now)}
        )
        return fleet() | told

    return view


def _ill(*silent: tuple[float, float], well: float = float("inf")) -> View:
    return _told(_HEALTHY, lambda now: float(now >= well), *silent)


def _checked(*silent: tuple[float, float]) -> View:
    return _told(_CHECKED, lambda now: now, *silent)


def _forgotten(now: float) -> Samples:
    """An exporter that no longer watches the instance from 900 on."""
    told = exporter(_ill((300, 10**6))).scrape(now) or {}
    return told if now < 900 else {key: value for key, value in told.items() if not dict(key[1])}


ILL: Final = (
    Scenario(
        "Feldera no longer tells of its services",
        (exporter(_ill((1200, 10**6))),),
        {1185: (_ILL,), 1500: (_ILL,), 1600: (_ILL,), _HOURS + 1170: (_ILL,), _HOURS + 1230: ()},
    ),
    Scenario(
        "missed scrapes meanwhile",
        (exporter(_ill((300, 10**6)), down=[(1200, 1290)]),),
        dict.fromkeys(range(1185, 1320, 15), (_ILL,)),
    ),
    Scenario(
        "and tells of them again",
        (exporter(_ill((1200, 3000), well=3000)),),
        {2985: (_ILL,), 3000: ()},
    ),
    Scenario(
        "an instance that was taken out of the configuration",
        (Target("a:10058", _forgotten),),
        {885: (_ILL,), 1050: (_ILL,), 1110: (), 1245: ()},
        alone=True,  # what is forgotten is held while scrapes of any exporter are missed
    ),
)

UNTOLD: Final = (
    Scenario(
        "an outage of some minutes does not count",
        (exporter(_checked((1200, 10**6)), outage=(1200, 1680)),),
        {2115: (), 2430: (), 2535: (_STALE,)},
    ),
    Scenario(
        "scrapes that were missed a while ago",
        (exporter(_checked((1200, 10**6)), down=[(1500, 1590)]),),
        dict.fromkeys(range(2130, 2340, 15), (_STALE,)),
    ),
    Scenario(
        "Feldera no longer tells when it checked",
        (exporter(_checked((1200, 10**6))),),
        {2085: (), 2115: (_STALE,), _HOURS + 1170: (_STALE,), _HOURS + 1230: ()},
    ),
    Scenario(
        "and tells again",
        (exporter(_checked((1200, 3000))),),
        {2985: (_STALE,), 3000: ()},
    ),
    Scenario(
        "an outage of the API, after which health is asked for a little later",
        (exporter(_checked((2400, 2460)), outage=(1200, 2400)),),
        dict.fromkeys((2400, 2430, 2460), ()),
    ),
    Scenario(
        "an outage of the exporter, after which it tells a few minutes later",
        (exporter(_checked((2400, 2700)), down=[(1200, 2400)]),),
        dict.fromkeys((2400, 2430, 2580, 2685), ()),
    ),
    Scenario(
        "a poll now and then that fails changes nothing",
        (exporter(_checked((1200, 10**6)), outage=(1800, 1860)),),
        {2085: (), 2130: (_STALE,)},
    ),
)
