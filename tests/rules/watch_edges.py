"""The edges of conditions about the watching itself."""

from collections.abc import Callable
from typing import Final

from rules.edge import of_instance, of_pipeline
from rules.facts import Pipeline, fleet
from rules.scenarios import ABSENT, Firing, Scenario, down, unreachable
from rules.world import Samples, Target, View, exporter, series, telemetry

_UNHEARD: Final = unreachable()
_STALE: Final = unreachable("FelderaExporterDataStale")
_REFUSED: Final = unreachable("FelderaApiAuthFailed")


def _refusing(refusals: Callable[[float], float], *, polled: bool = False) -> Target:
    """Return an exporter whose polls fail from the 151st second, some refused; or still succeed now and then."""

    def scrape(now: float) -> Samples:
        counts = {"success": min(now, 150) // 5, "unauthorized": refusals(now)}
        return telemetry(-3600, now if polled else min(now, 150), up=polled or now <= 150, polls=counts)

    return Target("a:10058", scrape)


REFUSALS: Final = (
    Scenario(
        "one refusal is none",
        (_refusing(lambda now: float(now > 300)),),
        {225: (), 240: (_UNHEARD,), 315: (_UNHEARD,), 420: (_UNHEARD,)},
    ),
    Scenario(
        "two refusals within five minutes",
        (_refusing(lambda now: float(now > 200) + (now > 400)),),
        {
            390: (_UNHEARD,),
            405: (_REFUSED,),
            420: (_REFUSED,),
            495: (_REFUSED, _STALE),
            750: (_UNHEARD, _STALE),
        },
    ),
    Scenario(
        "refusals between successes are nobody's business",
        (_refusing(lambda now: now // 60, polled=True),),
        {300: (), 600: ()},
    ),
)


def _healthy(_: float) -> Samples:
    return fleet(Pipeline())


def _forgotten(now: float) -> Samples:
    """An exporter whose Feldera is out of reach from 300 and taken out of its configuration at 900."""
    told = exporter(_healthy, outage=(300, 10_000)).scrape(now) or {}
    return told if now < 900 else {key: value for key, value in told.items() if not dict(key[1])}


UNREACHABLE: Final = (
    Scenario(
        "missed scrapes while it begins",
        (exporter(_healthy, outage=(300, 1200), down=[(310, 400)]),),
        {360: (), 375: (_UNHEARD,), 390: (_UNHEARD,), 405: (_UNHEARD,)},
    ),
    Scenario(
        "missed scrapes meanwhile",
        (exporter(_healthy, outage=(300, 1200), down=[(500, 590)]),),
        dict.fromkeys((495, 555, 570, 585), (_UNHEARD,)),
    ),
    Scenario(
        "taken out of the configuration meanwhile",
        (Target("a:10058", _forgotten),),
        {885: (_UNHEARD, _STALE), 1050: (_UNHEARD, _STALE), 1110: (), 1500: ()},
    ),
)


def _added(now: float, *, fails: bool) -> Samples:
    """An exporter that has run for long and is told of another instance by a reload at 590, of which it hears at 615."""
    told = telemetry(
        -360_000, now if now >= 615 else None, up=None if now < 615 and not fails else now >= 615, polls={}
    )
    reloaded = {
        ("feldera_exporter_config_last_reload_success_timestamp_seconds", ()): 590.0
        if now >= 590
        else -360_000.0
    }
    return (
        told if now >= 590 else {key: value for key, value in told.items() if not dict(key[1])}
    ) | reloaded


STALE: Final = (
    *(
        Scenario(
            f"an instance that is added by a reload, {how}",
            (Target("a:10058", lambda now, fails=fails: _added(now, fails=fails)),),  # type: ignore[misc]
            dict.fromkeys((585, 600, 615, 630), ()),
        )
        for how, fails in (("seen before its first poll", False), ("whose first poll fails", True))
    ),
    Scenario(
        "missed scrapes meanwhile",
        (exporter(_healthy, frozen=300, down=[(700, 790)]),),
        dict.fromkeys((690, 750, 765, 780), (_STALE,)),
    ),
)


def _skewed(now: float) -> Samples:
    return fleet() | {series("feldera_exporter_api_clock_skew_seconds"): 61.0 if now > 900 else 0.0}


SKEW: Final = (
    Scenario(
        "a skew that is new counts within minutes",
        (exporter(_skewed),),
        {1155: (), 1275: (of_instance("FelderaExporterClockSkew"),)},
    ),
)


_SKEW: Final = of_instance("FelderaExporterClockSkew")
_STUCK: Final = of_pipeline("FelderaPipelineStuckProvisioning", status="Provisioning")
_BOUND: Final[View] = lambda _: fleet(Pipeline(status="Provisioning", since=0))  # noqa: E731

BEHIND: Final = (
    *(
        Scenario(
            f"an exporter's clock that is {behind:g} s behind hides no pipeline",
            (exporter(_BOUND, behind=behind, outage=(1200, 1800)),),
            {
                # One scrape tells of no progress yet.
                0: () if behind <= 300 else (_STALE,),
                60: (_SKEW,),
                600: (_SKEW,),
                615: (_SKEW, _STUCK),
                1185: (_SKEW, _STUCK),
                1290: (_SKEW, _STUCK, _UNHEARD, *([_STALE] if behind >= 300 else [])),
                1485: (_SKEW, _STUCK, _UNHEARD, *([_STALE] if behind >= 100 else [])),
                1785: (_SKEW, _STUCK, _UNHEARD, _STALE),
                1815: (_SKEW, _STUCK),
            },
        )
        for behind in (100.0, 400.0)
    ),
    Scenario(
        "nor does one that polls each minute",
        (exporter(_BOUND, behind=200, interval=60),),
        dict.fromkeys(range(615, 690, 15), (_SKEW, _STUCK)),
    ),
)


def _set(behind: float) -> Target:
    """Return an exporter whose clock is set wrong at 900."""
    right, wrong = exporter(_healthy), exporter(_healthy, behind=behind)
    return Target("a:10058", lambda now: (right if now < 900 else wrong).scrape(now))


CLOCKS: Final = (
    *BEHIND,
    *(
        Scenario(f"a clock that is set wrong by {behind} s", (_set(behind),), {1440: (), 1515: (_SKEW,)})
        for behind in (60, -60)
    ),
    Scenario(
        "an exporter that polls each five minutes with a wrong clock, and missed scrapes",
        (exporter(_healthy, behind=360, interval=300, down=[(1200, 1275)]),),
        dict.fromkeys(range(615, 1515, 15), (_SKEW,)),
    ),
    Scenario(
        "an exporter's clock that is ahead",
        (exporter(_healthy, behind=-45),),
        {15: (_SKEW,), 600: (_SKEW,)},
    ),
    Scenario(
        "clocks that differ by less than half a minute, or by what lies between two polls",
        (exporter(_healthy, behind=25), exporter(_healthy, instance="b:10058", interval=120)),
        {60: (), 600: (), 1200: ()},
    ),
    Scenario(
        "a clock that is ahead by less than half a minute",
        (exporter(_healthy, behind=-25),),
        {60: (), 600: ()},
    ),
    Scenario(
        "an exporter that has not heard for long is not one whose clock is wrong",
        (exporter(_healthy, outage=(300, 3600)),),
        dict.fromkeys(range(630, 1200, 15), (_UNHEARD, _STALE)) | {3615: ()},
    ),
    Scenario(
        "a clock that is wrong while its exporter goes away",
        (exporter(_healthy, behind=40, down=[(300, 3600)]),),
        {285: (_SKEW,), 3000: (_SKEW, _STALE, ABSENT, down("a:10058")), 3615: (_SKEW,)},
    ),
)


def _unread(now: float) -> Samples:
    """Logs that cannot be read from 300 to 1500, and again from 1515."""
    return fleet() | {series("feldera_exporter_event_backlog"): 3.0 * (now >= 300 and now != 1500)}


def _read(_: float) -> Samples:
    return fleet() | {series("feldera_exporter_event_backlog"): 0.0}


_UNREAD: Final = of_instance("FelderaEventLogUnread")

UNREAD: Final = (
    Scenario(
        "each shard reads the logs of its own pipelines, and one of its replicas suffices not to be stale",
        (
            exporter(_unread, shard="0/2"),
            exporter(_read, shard="0/2", instance="b:10058", frozen=150),
            exporter(_read, shard="1/2", instance="c:10058"),
        ),
        {1185: (), 1215: (_UNREAD,), 1485: (_UNREAD,), 1500: (), 2400: (), 2430: (_UNREAD,)},
    ),
    Scenario(
        "missed scrapes meanwhile", (exporter(_unread, down=[(700, 760)]),), {1185: (), 1215: (_UNREAD,)}
    ),
)


def _refused_reload(now: float) -> Samples | None:
    if 600 <= now < 690:
        return None
    told = telemetry(-3600, now, up=True, polls={})
    return told | {("feldera_exporter_config_last_reload_successful", ()): 0.0}


_RELOAD: Final[Firing] = (
    "FelderaExporterConfigReloadFailed",
    {"severity": "warning", "job": "feldera-exporter", "instance": "a:10058"},
)

RELOAD: Final = (
    Scenario(
        "missed scrapes, and a target that goes",
        (Target("a:10058", _refused_reload, end=900), exporter(_healthy, instance="b:10058")),
        dict.fromkeys((585, 660, 675, 690, 1065), (_RELOAD,)) | {1095: ()},
    ),
    Scenario(
        "missed scrapes, and a target that goes, though it was the only one",
        (Target("a:10058", _refused_reload, end=900),),
        dict.fromkeys((585, 660, 675, 690, 1095), (_RELOAD,)) | {1290: (_RELOAD, ABSENT, _STALE)},
    ),
)
