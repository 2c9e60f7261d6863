"""The scenarios of the alerts about the watching itself."""

import math
from collections.abc import Callable
from typing import Final

from rules.facts import Pipeline, fleet
from rules.scenarios import ABSENT, Firing, Scenario, down, unreachable
from rules.world import Samples, Target, View, exporter, series, telemetry

HEALTHY: Final[View] = lambda _: fleet(Pipeline())  # noqa: E731
STALE: Final = unreachable("FelderaExporterDataStale")
UNHEARD: Final = unreachable()
REFUSED: Final = unreachable("FelderaApiAuthFailed")


def _told(told: Callable[[float], Samples], instance: str = "a:10058") -> Target:
    return Target(instance, told)


def _never(now: float) -> Samples:
    """An exporter that started at 30 and has never reached its Feldera."""
    polls = {"success": 0, "unreachable": now // 60}
    told = telemetry(30, None, up=False if now > 30 else None, polls=polls)
    return told | {series("feldera_exporter_poll_interval_seconds"): 60.0}


def _refused(now: float) -> Samples:
    """An exporter whose key is refused from the 300th second to the 1800th."""
    wrong = 300 < now < 1800
    polls = {
        "success": min(now, 300) // 5 + max(now - 1800, 0) // 5,
        "unauthorized": min(max(now - 300, 0), 1500) // 5,
    }
    return telemetry(-3600, 300 if wrong else now, up=not wrong, polls=polls) | HEALTHY(now)


def _own(
    family: str, value: Callable[[float], float], down: tuple[float, float] = (math.inf, math.inf)
) -> Target:
    def scrape(now: float) -> Samples | None:
        if down[0] <= now < down[1]:
            return None
        return telemetry(-3600, now, up=True, polls={}) | {(family, ()): value(now)}

    return Target("a:10058", scrape)


def _failing(target: Target, begin: float, end: float) -> Target:
    """Return a target of which scrapes fail for a time."""
    return Target(target.instance, lambda now: None if begin <= now < end else target.scrape(now))


def _stores(name: str, severity: str = "warning") -> tuple[tuple[str, dict[str, str]], ...]:
    return ((name, {"severity": severity, "job": "feldera-exporter", "instance": "a:10058"}),)


def _away(*on: Firing) -> dict[int, tuple[Firing, ...]]:
    """Return what fires while an exporter that has something to complain of is away from 600 to 2400."""
    absent = (*on, ABSENT, STALE)
    return {
        585: on,
        885: on,
        900: absent,
        1200: (*absent, down("a:10058")),
        2385: (*absent, down("a:10058")),
        2400: (),
        2430: (),
    }


WATCHING: Final = {
    "FelderaExporterAbsent": (
        Scenario(
            "the only target is gone",
            (exporter(HEALTHY, end=300),),
            {585: (), 600: (ABSENT, STALE), 3600: (ABSENT, STALE)},
        ),
        Scenario(
            "the only target fails",
            (exporter(HEALTHY, down=[(300, 1200)]),),
            {
                585: (),
                600: (ABSENT, STALE),
                885: (ABSENT, STALE),
                900: (ABSENT, STALE, down("a:10058")),
                1200: (),
            },
        ),
        Scenario(
            "one of two targets suffices",
            (exporter(HEALTHY, down=[(300, 1200)]), exporter(HEALTHY, instance="b:10058")),
            {600: (), 885: (), 900: (down("a:10058"),), 1200: ()},
        ),
        Scenario(
            "silent while Prometheus starts, though nothing has been scraped yet",
            (exporter(HEALTHY, begin=60),),
            {0: (), 30: (), 60: (), 75: (), 300: ()},
        ),
    ),
    "FelderaExporterDown": (
        Scenario(
            "a replica fails and comes back",
            (exporter(HEALTHY), exporter(HEALTHY, instance="b:10058", down=[(300, 1500)])),
            {885: (), 900: (down("b:10058"),), 1485: (down("b:10058"),), 1500: ()},
        ),
        Scenario(
            "a replica fails and is taken away while no other one answers",
            (
                exporter(HEALTHY, down=[(300, 1500)], end=1500),
                exporter(HEALTHY, instance="b:10058", down=[(1000, 8000)]),
            ),
            {
                900: (down("a:10058"),),
                1305: (down("a:10058"), ABSENT, STALE),
                1605: (down("a:10058"), down("b:10058"), ABSENT, STALE),
                2985: (down("a:10058"), down("b:10058"), ABSENT, STALE),
                7985: (down("a:10058"), down("b:10058"), ABSENT, STALE),
                8010: (),
            },
            alone=True,  # whether another took the place of a target is asked of all
        ),
        Scenario(
            "a replica whose pod finds no place is no target, and told of for most of an hour",
            (exporter(HEALTHY), exporter(HEALTHY, instance="b:10058", end=3600)),
            {3600: (), 4185: (), 4230: (down("b:10058"),), 6600: (down("b:10058"),), 7300: ()},
        ),
        Scenario(
            "a pod that takes the place of another, which is there for a while yet",
            (exporter(HEALTHY, end=3600), exporter(HEALTHY, instance="b:10058", begin=3400)),
            dict.fromkeys((3615, 4230, 5400), ()),
            alone=True,  # whether another took the place of a target is asked of all
        ),
    ),
    "FelderaExporterCrashLooping": (
        Scenario(
            "a process that starts anew between scrapes",
            (_own("process_start_time_seconds", lambda now: float(min(now // 300, 5) * 300)),),
            {
                1185: (),
                1200: _stores("FelderaExporterCrashLooping"),
                3885: _stores("FelderaExporterCrashLooping"),
            }
            | {4230: ()},
        ),
        Scenario(
            "four starts over more than an hour, or three of them",
            (_own("process_start_time_seconds", lambda now: float(now // 1300)),),
            dict.fromkeys((3600, 4500, 5400), ()),
        ),
        Scenario(
            "a process that dies a minute after each start, and then for good",
            (exporter(HEALTHY, down=[*((at, at + 60) for at in (600, 1100, 1600, 2100)), (2400, 8000)]),),
            {
                2085: (),
                2100: _stores("FelderaExporterCrashLooping"),
                2385: _stores("FelderaExporterCrashLooping"),
                2715: (*_stores("FelderaExporterCrashLooping"), ABSENT, STALE),
                7995: (*_stores("FelderaExporterCrashLooping"), ABSENT, STALE, down("a:10058")),
                8010: (),
            },
        ),
        Scenario(
            "three short absences",
            (exporter(HEALTHY, down=[(at, at + 60) for at in (600, 900, 1200)]),),
            dict.fromkeys((1200, 1275, 1500), ()),
        ),
        Scenario(
            "short absences spread over hours",
            (exporter(HEALTHY, down=[(at, at + 60) for at in (600, 2200, 3800, 5400)]),),
            dict.fromkeys((5400, 5475, 6000), ()),
        ),
    ),
    "FelderaApiUnreachable": (
        Scenario(
            "refused credentials are another matter",
            (_told(_refused),),
            {375: (), 390: (REFUSED,), 435: (REFUSED,), 1785: (REFUSED, STALE), 1800: ()},
        ),
        Scenario(
            "fires within two minutes and ends with the first answer",
            (exporter(HEALTHY, outage=(300, 600)),),
            {345: (), 360: (), 375: (UNHEARD,), 585: (UNHEARD,), 600: ()},
        ),
        Scenario(
            "a short outage is nobody's business",
            (exporter(HEALTHY, outage=(300, 345)),),
            {315: (), 345: (), 360: (), 375: ()},
        ),
        Scenario(
            "an instance that was never reached",
            (Target("a:10058", _never, begin=30),),
            {90: (), 105: (), 120: (UNHEARD,), 330: (UNHEARD,), 345: (UNHEARD, STALE)},
        ),
        Scenario(
            "an instance that was never reached, and missed scrapes",
            (Target("a:10058", lambda now: None if 300 <= now < 390 else _never(now), begin=30),),
            {285: (UNHEARD,), 345: (UNHEARD, STALE), 375: (UNHEARD, STALE), 390: (UNHEARD, STALE)},
        ),
        Scenario(
            "one replica reaches it",
            (exporter(HEALTHY, outage=(300, 1200)), exporter(HEALTHY, instance="b:10058")),
            {375: (), 600: (), 1185: ()},
        ),
        Scenario(
            "one replica hangs and the other cannot reach it",
            (exporter(HEALTHY, outage=(300, 1200)), exporter(HEALTHY, instance="b:10058", frozen=285)),
            {360: (), 375: (UNHEARD,), 585: (UNHEARD,), 600: (UNHEARD, STALE), 1200: ()},
        ),
        Scenario(
            "the exporter restarts meanwhile",
            (exporter(HEALTHY, outage=(300, 1200), restart=600),),
            {585: (UNHEARD,), 600: (UNHEARD, STALE), 630: (UNHEARD, STALE), 660: (UNHEARD, STALE)},
        ),
        Scenario(
            "the exporter goes away meanwhile",
            (exporter(HEALTHY, outage=(300, 3000), down=[(600, 2700)]),),
            {
                585: (UNHEARD,),
                900: (UNHEARD, STALE, ABSENT),
                1200: (UNHEARD, STALE, ABSENT, down("a:10058")),
                2685: (UNHEARD, STALE, ABSENT, down("a:10058")),
                2700: (UNHEARD, STALE),
                2985: (UNHEARD, STALE),
                3000: (),
            },
        ),
    ),
    "FelderaExporterDataStale": (
        Scenario(
            "a poll loop that hangs, with nothing to be seen but its age",
            (exporter(HEALTHY, frozen=300),),
            {600: (), 615: (STALE,), 1200: (STALE,)},
        ),
        Scenario(
            "an instance that was taken out of the configuration",
            (
                _told(
                    lambda now: (
                        telemetry(-3600, now if now < 300 else None, up=None, polls={}) if now < 300 else {}
                    )
                ),
            ),
            {285: (), 600: (), 900: (), 1200: ()},
        ),
    ),
    "FelderaApiAuthFailed": (
        Scenario(
            "a key that is refused, and mended",
            (_told(_refused),),
            {
                300: (),
                375: (),
                390: (REFUSED,),
                435: (REFUSED,),
                615: (REFUSED, STALE),
                1785: (REFUSED, STALE),
                1800: (),
            },
        ),
        Scenario(
            "the exporter goes away meanwhile, which ends it before anything silences it",
            (_failing(_told(_refused), 600, 2000),),
            {600: (REFUSED,), 750: (REFUSED, STALE), 795: (STALE,), 900: (STALE, ABSENT)},
        ),
        Scenario(
            "the other replica's key is right",
            (_told(_refused), exporter(HEALTHY, instance="b:10058")),
            {375: (), 435: (), 885: ()},
        ),
    ),
    "FelderaExporterStoreErrors": (
        Scenario(
            "the disk is full",
            (_own("feldera_exporter_store_errors_total", lambda now: max(0, now - 300) // 15),),
            {300: (), 315: _stores("FelderaExporterStoreErrors"), 900: _stores("FelderaExporterStoreErrors")},
        ),
        Scenario(
            "one error is over after a quarter of an hour",
            (_own("feldera_exporter_store_errors_total", lambda now: now > 300),),
            {
                315: _stores("FelderaExporterStoreErrors"),
                1200: _stores("FelderaExporterStoreErrors"),
                1230: (),
            },
        ),
        Scenario(
            "it goes away meanwhile",
            (_own("feldera_exporter_store_errors_total", lambda now: now > 300, (600, 2400)),),
            _away(*_stores("FelderaExporterStoreErrors")),
        ),
    ),
    "FelderaExporterConfigReloadFailed": (
        Scenario(
            "a reload fails, scrapes fail, a reload succeeds",
            (_own("feldera_exporter_config_last_reload_successful", lambda now: now <= 300 or now >= 900),),
            {
                300: (),
                315: _stores("FelderaExporterConfigReloadFailed"),
                885: _stores("FelderaExporterConfigReloadFailed"),
                900: (),
            },
        ),
        Scenario(
            "it goes away meanwhile",
            (
                _own(
                    "feldera_exporter_config_last_reload_successful",
                    lambda now: now <= 300 or now >= 2400,
                    (600, 2400),
                ),
            ),
            _away(*_stores("FelderaExporterConfigReloadFailed")),
        ),
    ),
    "FelderaWatchdog": (
        Scenario("fires though there is nothing at all", (), {0: (), 15: (), 90: (), 285: (ABSENT,)}),
    ),
}
"""Scenarios by the alert that they are about."""
