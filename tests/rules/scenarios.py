"""Scenarios: a world over time and the alerts that must fire at some instants, no more and no fewer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from feldera_exporter.rules.model import Alert, Scope
from feldera_exporter.rules.promql import EXPORTER_SHARD, TAGS
from feldera_exporter.rules.table import ALERTS
from rules.facts import fleet
from rules.world import INSTANCE, STEP, Samples, Target, View, exporter, series

ONSET: Final = 300
"""The second at which the boundary of each case lies: the condition is false at it and true after it."""

OUTAGE: Final = 960
"""How long the outages of the scenarios last."""

BY_NAME: Final = {alert.name: alert for alert in ALERTS}

Firing = tuple[str, Mapping[str, str]]
"""The name and the labels, without the name's, of a firing alert."""


@dataclass(frozen=True)
class Scenario:
    """One test.

    Attributes:
        name: what it shows.
        targets: the world.
        expected: what fires at which second; the watchdog comes by itself.
        alone: whether exporters of other instances would change it.
    """

    name: str
    targets: tuple[Target, ...]
    expected: Mapping[int, tuple[Firing, ...]]
    alone: bool = False


@dataclass(frozen=True)
class Case:
    """How one alert comes about.

    Attributes:
        name: the alert's.
        bad: what an exporter sees of a Feldera in which the condition begins to hold right after `ONSET`.
        good: what it sees of one where all is well.
        labels: the labels expected beyond severity, instance, pipeline and tags.
        severity: the one expected, if it is not the table's.
        known_before: whether the state is seen before the onset, so that missed scrapes at it do not matter.
        lasts: seconds for which the alert may fire on after all is well again, as counters' windows do.
        pod_matters: whether a new pod under another name interrupts the evidence.
        info_matters: whether the alert rests on the tags.
        onset: the second at which its boundary lies.
        variant: what tells it from other cases of the alert.
        brief: whether its boundary suffices, since another case of the alert goes through everything.
        earlier: what a replica that froze before the onset shows, `good` if None.
        before: other alerts that fire before it.
        also: other alerts that fire with it.
        remembered: whether it outlasts its family.
    """

    name: str
    bad: View
    good: View
    labels: Mapping[str, str] = field(default_factory=dict)
    severity: str = ""
    known_before: bool = True
    lasts: int = 0
    pod_matters: bool = False
    info_matters: bool = False
    onset: int = ONSET
    variant: str = ""
    brief: bool = False
    earlier: View | None = None
    before: tuple[Firing, ...] = ()
    also: tuple[Firing, ...] = ()
    remembered: bool = False

    @property
    def alert(self) -> Alert:
        """The table's row."""
        return BY_NAME[self.name]

    def firing(self, tags: Mapping[str, str] | None = None) -> tuple[Firing, ...]:
        """Return what fires while the case does, with other tags if given."""
        labels = {"severity": self.severity or self.alert.severity, **self.labels}
        if "feldera_instance" in self.alert.labels:
            labels["feldera_instance"] = INSTANCE
        if self.alert.scope is Scope.PIPELINE:
            labels |= {"pipeline": "pipeline-etl", "pipeline_name": "etl"}
            labels |= {"team": "data", "tier": "gold"} if tags is None else tags
        return (self.name, labels), *self.also


def unreachable(labels: str = "FelderaApiUnreachable") -> Firing:
    """Return an alert about the instance."""
    return labels, {"severity": "critical", "feldera_instance": INSTANCE}


ABSENT: Final[Firing] = ("FelderaExporterAbsent", {"severity": "critical"})


def down(instance: str) -> Firing:
    """Return the alert about one exporter's target."""
    return "FelderaExporterDown", {"severity": "warning", "job": "feldera-exporter", "instance": instance}


def killed(at: float) -> tuple[Target, ...]:
    """Return what a Prometheus recorded last that was killed: with other tags, and of other shards and replicas."""
    own = series(TAGS, pipeline="pipeline-etl", pipeline_name="gone", team="gone", tier="critical")
    shard = (EXPORTER_SHARD, (("shard", "1/3"), ("shards", "3")))
    return tuple(
        Target(instance, lambda _: {own: 1.0, shard: 1.0}, at, at + STEP, recorded=True)
        for instance in ("a:10058", "b:10058")
    )


def switched(before: View, after: View, at: float) -> View:
    """Return a view that changes at a time."""
    return lambda now: before(now) if now < at else after(now)


def without(view: View, *families: str) -> View:
    """Return a view in which families are missing."""
    return lambda now: {key: value for key, value in view(now).items() if key[0] not in families}


def retagged(view: View, at: float, **tags: str) -> View:
    """Return a view in which the pipeline has other tags from a time on."""

    def change(now: float) -> Samples:
        given = view(now)
        if now < at:
            return given
        return {
            (name, tuple((dict(labels) | tags).items()))
            if name == "feldera_pipeline_info"
            else (name, labels): value
            for (name, labels), value in given.items()
        }

    return change


def standard(case: Case) -> Iterator[Scenario]:
    """Yield what every alert about pipelines or an instance must stand."""
    suffix = f" ({case.variant})" if case.variant else ""
    for scenario in _all(case):
        yield replace(scenario, name=scenario.name + suffix)


def _all(case: Case) -> Iterator[Scenario]:
    delay = {"": 0, "2m": 120, "10m": 600, "15m": 900, "1h": 3600}[case.alert.for_]
    fires = case.onset + STEP + delay
    after = fires + 60
    on, off = case.firing(), case.before
    one = (exporter(case.bad),)

    held = 1900 if case.lasts >= 3600 else 180
    yield Scenario(
        "silent at the boundary, firing after it", one, {fires - STEP: off, fires: on, fires + held: on}
    )
    if case.brief:
        return
    if case.known_before:
        gap = exporter(case.bad, down=[(case.onset - 30, case.onset + 30)])
        yield Scenario(
            "missed scrapes at the boundary", (gap,), {fires - STEP: off, fires: on, fires + 60: on}
        )
    gap = exporter(case.bad, down=[(after, after + 60)])
    yield Scenario("missed scrapes while firing", (gap,), {after + at: on for at in (0, 15, 45, 60, 75)})
    restarted = exporter(case.bad, restart=after)
    yield Scenario("the exporter restarts", (restarted,), {after + at: on for at in (0, 30, 45, 60, 75, 120)})
    if not case.pod_matters:
        pods = (exporter(case.bad, end=after), exporter(case.bad, instance="b:10058", begin=after + 30))
        yield Scenario("another pod takes over", pods, {after + at: on for at in (0, 15, 30, 45, 120, 240)})
    late = {fires - STEP: off, fires: on, fires + 180: on}
    frozen = exporter(case.earlier or case.good, instance="b:10058", frozen=case.onset - 120)
    yield Scenario("a replica frozen while all was well hides nothing", (exporter(case.bad), frozen), late)
    over = after + 2 * STEP + case.lasts
    ended = switched(case.bad, case.good, after)
    yield Scenario("resolved when it is over", (exporter(ended),), {after - STEP: on, over: ()})
    if not case.lasts:
        frozen = exporter(case.bad, instance="b:10058", frozen=after)
        well = switched(case.bad, case.good, after + STEP)
        stays = {after - STEP: on, over: (), over + 180: (), over + 420: ()}
        yield Scenario("a replica frozen in a bad state raises nothing", (exporter(well), frozen), stays)
    left = (exporter(case.bad), *killed(at=case.onset - 2 * STEP))
    yield Scenario("Prometheus was killed a moment ago", left, late)
    if case.alert.kept:
        yield from _outages(case, after)
    if case.alert.scope is Scope.INSTANCE and not case.lasts and not case.remembered:
        bare = exporter(switched(case.bad, lambda _: {}, after))
        yield Scenario("forgotten when its family is gone", (bare,), {after - STEP: on, after + 330: ()})
    if case.alert.scope is Scope.PIPELINE:
        yield from _pipelines(case, after)


def _outages(case: Case, start: int) -> Iterator[Scenario]:
    end = start + OUTAGE
    on = case.firing()
    over: dict[int, tuple[Firing, ...]] = {} if case.lasts else {end + STEP: ()}
    view = switched(case.bad, case.good, end)
    unheard, stale = unreachable(), unreachable("FelderaExporterDataStale")
    yield Scenario(
        "an outage of the API does not resolve it",
        (exporter(view, outage=(start, end)),),
        {
            start + 45: on,
            start + 120: (*on, unheard),
            **{start + t: (*on, unheard, stale) for t in (330, 495, 900, OUTAGE - STEP)},
            **over,
        },
    )
    yield Scenario(
        "an outage of the exporter does not resolve it",
        (exporter(view, down=[(start, end)]),),
        {
            start + 60: on,
            start + 330: (*on, ABSENT, stale),
            **{start + t: (*on, ABSENT, stale, down("a:10058")) for t in (900, OUTAGE - STEP)},
            **over,
        },
    )
    if case.alert.scope is Scope.PIPELINE:
        yield Scenario(
            "an outage of its shard alone does not resolve it",
            (
                exporter(view, outage=(start, end), shard="1/2"),
                exporter(lambda _: fleet(listed=1), instance="b:10058", shard="0/2"),
            ),
            {
                start + 45: on,
                start + 120: (*on, unheard),
                **{start + t: (*on, unheard, stale) for t in (330, 495, 900, OUTAGE - STEP)},
                **over,
            },
        )
    if not case.lasts:
        again = switched(case.bad, case.good, start)
        short = (start + 2 * STEP, start + 600)
        yield Scenario(
            "what ended just before an outage stays ended",
            (exporter(again, outage=short),),
            {
                start - STEP: on,
                start + STEP: (),
                start + 90: (),
                start + 105: (unheard,),
                start + 165: (unheard,),
            },
        )


def _pipelines(case: Case, start: int) -> Iterator[Scenario]:
    on = case.firing()
    bare = exporter(without(case.bad, "feldera_pipeline_info", "feldera_pipeline_deployment_error_info"))
    if not case.info_matters:
        expected = {case.onset: case.before, start: case.firing({})}
        yield Scenario("the optional families are missing", (bare,), expected)
    changed = exporter(retagged(case.bad, start, team="core", tier="gold"))
    other = case.firing({"team": "core", "tier": "gold"})
    yield Scenario(
        "a change of tags moves it, and never makes two of it",
        (changed,),
        {start - STEP: on, **{start + at: other for at in (0, 15, 60, 180, 300)}},
    )
    gone = exporter(switched(case.bad, lambda _: {}, start))
    yield Scenario("a deleted pipeline is forgotten", (gone,), {start - STEP: on, start + 210: ()})


def worst(case: Case) -> Case:
    """Return the case with a pipeline of tier `critical`."""
    tags = {"team": "data", "tier": "critical"}
    return replace(case, bad=retagged(case.bad, -1, **tags), severity="critical")
