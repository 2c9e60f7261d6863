"""Shards: what one exporter knows says nothing about the pipelines of another."""

from typing import Final

from rules.edge import of_pipeline
from rules.facts import Pipeline, fleet
from rules.scenarios import Firing, Scenario, down, switched, unreachable
from rules.world import Samples, Target, View, crowd, exporter

_STUCK: Final = "FelderaPipelineStuckProvisioning"
_UNHEARD: Final = unreachable()
_STALE: Final = unreachable("FelderaExporterDataStale")


def _stuck(name: str = "etl") -> View:
    return lambda _: fleet(Pipeline(name, status="Provisioning", since=-600), listed=2)


def _pending(since: float) -> View:
    return lambda _: fleet(Pipeline(status="Provisioning", since=since))


def _left(name: str = "etl") -> Firing:
    return of_pipeline(_STUCK, status="Provisioning", pipeline=f"pipeline-{name}", pipeline_name=name)


def _well(_: float) -> Samples:
    return fleet(Pipeline("web"), listed=2)


def _both(now: float) -> Samples:
    """What the whole of it is once there is one shard less."""
    return _stuck()(now) | _well(now)


_OTHER: Final = exporter(_well, instance="b:10058", shard="0/2")
_ON: Final = (_left(),)
_LONG: Final = 300 + 3600


def _of(view: View, **more: float | tuple[float, float] | list[tuple[float, float]] | str) -> Target:
    """Return the exporter of the second shard of two."""
    return exporter(view, **({"shard": "1/2"} | more))  # type: ignore[arg-type]


def _mended(at: float) -> View:
    return switched(_stuck(), lambda _: fleet(Pipeline(), listed=2), at)


def _renewed(before: Target, after: Target) -> Target:
    """Return one target: an exporter that is stopped at 300 and answers as another one from 330."""

    def scrape(now: float) -> Samples | None:
        return before.scrape(now) if now < 300 else after.scrape(now) if now >= 330 else None

    return Target(before.instance, scrape)


SHARDS: Final = (
    Scenario(
        "a shard that alone cannot reach the API",
        (_of(_mended(_LONG), outage=(300, _LONG)), _OTHER),
        {
            285: _ON,
            360: _ON,
            375: (*_ON, _UNHEARD),
            585: (*_ON, _UNHEARD),
            600: (*_ON, _UNHEARD, _STALE),
            _LONG - 15: (*_ON, _UNHEARD, _STALE),
            _LONG: (),
        },
    ),
    Scenario(
        "a shard whose poll loop hangs",
        (_of(_mended(_LONG), frozen=300), _OTHER),
        {345: _ON, 600: _ON, 615: (*_ON, _STALE), _LONG: (*_ON, _STALE)},
    ),
    Scenario(
        "a shard whose process is gone",
        (_of(_mended(_LONG), down=[(300, _LONG)]), _OTHER),
        {
            285: _ON,
            420: _ON,
            480: _ON,
            585: _ON,
            600: (*_ON, _STALE),
            900: (*_ON, _STALE, down("a:10058")),
            _LONG - 15: (*_ON, _STALE, down("a:10058")),
            _LONG: (),
        },
    ),
    Scenario(
        "a shard whose process is gone, while scrapes of the other one are missed",
        (
            _of(_stuck(), down=[(300, 3000)]),
            exporter(_well, instance="b:10058", shard="0/2", down=[(960, 1110)]),
        ),
        {at: (*_ON, _STALE, down("a:10058")) for at in (945, 1020, 1050, 1095, 1110, 1200)},
    ),
    Scenario(
        "a shard whose pod finds no place",
        (_of(_stuck(), end=300), _OTHER, _of(_mended(2400), begin=2400, instance="c:10058")),
        {
            285: _ON,
            420: _ON,
            480: _ON,
            600: (*_ON, _STALE),
            2385: (*_ON, _STALE, down("a:10058")),
            2400: (),
        },
        alone=True,  # whether another took the place of a target is asked of all
    ),
    Scenario(
        "a shard that takes over under another name",
        (_of(_stuck(), end=300), _OTHER, _of(_stuck(), begin=345, instance="c:10058")),
        dict.fromkeys((285, 300, 330, 345, 420, 480, 495, 900, 1200), _ON),
        alone=True,  # whether another took the place of a target is asked of all
    ),
    Scenario(
        "a pipeline that a well shard holds is resolved while another shard is out of sight",
        (_of(_well, outage=(300, 10_000)), exporter(_mended(900), instance="b:10058", shard="0/2")),
        {285: _ON, 600: (*_ON, _UNHEARD, _STALE), 885: (*_ON, _UNHEARD, _STALE), 915: (_UNHEARD, _STALE)},
    ),
    Scenario(
        "and one that begins is told",
        (
            _of(_well, outage=(300, 10_000)),
            exporter(switched(_well, _stuck(), 900), instance="b:10058", shard="0/2"),
        ),
        {885: (_UNHEARD, _STALE), 900: (*_ON, _UNHEARD, _STALE)},
    ),
    Scenario(
        "a shard of two replicas, one of which is gone",
        (_of(_stuck(), outage=(300, 1500)), _of(_stuck(), instance="c:10058"), _OTHER),
        dict.fromkeys((285, 375, 600, 900, 1485, 1500), _ON),
    ),
    Scenario(
        "more shards than before, and nothing is lost",
        (
            _renewed(_of(_stuck()), exporter(lambda _: fleet(listed=2), shard="1/3")),
            _renewed(_OTHER, exporter(_well, shard="0/3")),
            exporter(_stuck(), instance="c:10058", shard="2/3", begin=330),
        ),
        dict.fromkeys((285, 300, 330, 345, 405, 480, 510, 600, 900, 1800), _ON),
    ),
    Scenario(
        "fewer shards than before",
        (
            _of(_stuck(), end=300),
            _renewed(_OTHER, exporter(_both, shard="0/1")),
        ),
        dict.fromkeys((285, 300, 330, 345, 405, 480, 510, 600, 885), _ON)
        | dict.fromkeys((930, 1800), (*_ON, down("a:10058"))),
    ),
    Scenario(
        "exporters that name no shard are replicas of one",
        (exporter(_stuck(), outage=(300, 1500)), exporter(_both, instance="b:10058")),
        dict.fromkeys((285, 375, 600, 900, 1485, 1500), _ON),
    ),
    Scenario(
        "an exporter of before that names none, beside a whole one that does",
        (exporter(_stuck(), end=600), exporter(_stuck(), instance="b:10058", shard="0/1")),
        dict.fromkeys((285, 600, 675, 780, 900, 1170), _ON),
    ),
    Scenario(
        "an instance whose exporter is no target, beside one of another instance",
        (_of(_stuck(), end=900, shard=""), crowd({"staging": _well}, "b:10058")),
        {
            885: _ON,
            1215: (*_ON, _STALE),
            3000: (*_ON, _STALE, down("a:10058")),
            22_400: (*_ON, _STALE),
            22_800: (),
        },
        alone=True,  # what is forgotten is held while scrapes of any exporter are missed
    ),
    Scenario(
        "an instance that is taken out of the configuration while a shard is out of sight",
        (
            Target("a:10058", lambda now: _disowned(now, "1/2", "a:10058")),
            Target("b:10058", lambda now: _disowned(now, "0/2", "b:10058")),
        ),
        {585: (*_ON, _UNHEARD), 750: (*_ON, _UNHEARD, _STALE), 780: ()},
        alone=True,  # what is forgotten is held while scrapes of any exporter are missed
    ),
)
"""Each through the alert that the product is named for."""


def _disowned(now: float, shard: str, instance: str) -> Samples:
    """An exporter of a shard, of which the second cannot reach the API from 300, before both forget it at 600."""
    second = shard == "1/2"
    outage = (300.0, 10_000.0) if second else None
    told = (
        exporter(_stuck() if second else _well, instance=instance, shard=shard, outage=outage).scrape(now)
        or {}
    )
    own = {key: value for key, value in told.items() if "feldera_instance" not in dict(key[1])}
    return told if now < 600 else own


ABSENT_FOR_LONG: Final = (
    Scenario(
        "no exporter for longer than any rule looks back",
        (exporter(_stuck(), down=[(600, 600 + 2 * 3600)]),),
        {
            585: _ON,
            1800: (*_ON, ("FelderaExporterAbsent", {"severity": "critical"}), _STALE, down("a:10058")),
            600 + 2 * 3600 - 15: (
                *_ON,
                ("FelderaExporterAbsent", {"severity": "critical"}),
                _STALE,
                down("a:10058"),
            ),
        },
    ),
)

INTERVALS: Final = (
    Scenario(
        "an exporter that polls each two minutes is not blind in between, nor after one failure",
        (exporter(_stuck(), interval=120),),
        dict.fromkeys((480, 585, 600, 615, 705, 720, 900), _ON),
    ),
    Scenario(
        "nor while scrapes are missed",
        (exporter(_pending(75), interval=120, down=[(615, 720)]),),
        {675: (), 690: _ON, 705: _ON, 735: _ON},
    ),
    Scenario(
        "an exporter that polls each two minutes and goes away",
        (exporter(_stuck(), interval=120, down=[(610, 1200)]),),
        {
            600: _ON,
            735: _ON,
            795: _ON,
            1185: (*_ON, ("FelderaExporterAbsent", {"severity": "critical"}), _STALE),
        },
    ),
    Scenario(
        "an exporter that polls each two minutes and fails",
        (exporter(_stuck(), interval=120, outage=(600, 1200)),),
        {
            600: _ON,
            885: _ON,
            900: _ON,
            915: (*_ON, _UNHEARD, _STALE),
            1185: (*_ON, _UNHEARD, _STALE),
            1215: _ON,
        },
    ),
)
