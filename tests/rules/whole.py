"""Scenarios with every family of a real exposition in them, so that no alert fires which a trimmed one could not raise."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Final

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import INSTANT
from rules.real import Sight, remembered
from rules.scenarios import ABSENT, BY_NAME, Firing, Scenario, down, unreachable
from rules.world import INSTANCE, STEP, View, exporter

STUCK, FAILED, RETAGGED, OVER = 30, 900, 1500, 2400
"""The seconds at which a pipeline gets stuck in Provisioning, another one fails, both get other tags, both are well."""

END: Final = 3600

ONSET: Final = 645
"""When the stuck one has outlasted its limit of ten minutes, after the ten seconds that compiling takes."""

OUTAGE: Final = (1200, 2100)
"""When nothing is heard; the tags change in the middle of it."""

LATER: Final = 930
"""When the failed one's error has been seen."""


def incidents(feldera: Feldera) -> None:
    """Let a fleet live for which everything is shown: pipelines in good order beside two in trouble."""
    for name in ("orders", "payments", "paused", "stopped", "patient", "failing"):
        feldera.create(name, ("team:data", "tier:gold"), plan=INSTANT)
    for name in ("orders", "payments", "paused", "stopped", "failing"):
        feldera.start(name)
    feldera.world.connector_errors("orders", 3)
    feldera.later(60, feldera.pause, "paused")
    feldera.later(60, lambda: feldera.stop("stopped", force=True))
    feldera.later(STUCK, _stick, feldera)
    feldera.later(FAILED, feldera.world.crash, "failing")
    for name in ("patient", "failing"):
        feldera.later(
            RETAGGED, lambda name=name: feldera.patch_metadata(name, tags=("team:core", "tier:gold"))
        )
    feldera.later(OVER, lambda: feldera.replan("patient", provisioning=0.0))
    feldera.later(OVER, feldera.start, "failing")


def _stick(feldera: Feldera) -> None:
    feldera.edit(
        "patient",
        plan=replace(INSTANT, provisioning=None),
        runtime_config={"provisioning_timeout_secs": 10**6},
    )
    feldera.start("patient")


def _recorded() -> View:
    """Return what an exporter sees of it, at any second that is one of a scrape."""
    sight = remembered(Sight(incidents))
    for now in range(0, END + STEP, STEP):
        sight(now)
    return sight


class _Told:
    """What fires about the two pipelines while they have a team.

    Args:
        view: knows their ids.
    """

    def __init__(self, view: View) -> None:
        samples = view(STUCK)
        rows = (
            dict(labels) for name, labels in samples if name == "feldera_pipeline_created_timestamp_seconds"
        )
        self._ids = {row["pipeline_name"]: row["pipeline"] for row in rows}

    def _of(self, alert: str, name: str, team: str, **more: str) -> Firing:
        own = {"feldera_instance": INSTANCE, "pipeline": self._ids[name], "pipeline_name": name}
        return alert, {"severity": BY_NAME[alert].severity, **own, "team": team, "tier": "gold", **more}

    def stuck(self, team: str = "data") -> tuple[Firing, ...]:
        """Return what fires once the one is stuck."""
        return (self._of("FelderaPipelineStuckProvisioning", "patient", team, status="Provisioning"),)

    def both(self, team: str = "data") -> tuple[Firing, ...]:
        """Return what fires once the other has failed as well."""
        return *self.stuck(team), self._of("FelderaPipelineDeploymentError", "failing", team)


def _usual(told: _Told) -> Mapping[int, tuple[Firing, ...]]:
    return {
        300: (),
        ONSET - 30: (),
        ONSET: told.stuck(),
        FAILED: told.stuck(),
        LATER: told.both(),
        RETAGGED - 15: told.both(),
        **{RETAGGED + after: told.both("core") for after in (15, 30, 300)},
        OVER - 15: told.both("core"),
        OVER + 45: (),
        END: (),
    }


Expected = Mapping[int, tuple[Firing, ...]]


def _through(told: _Told, begin: int, end: int, *more: tuple[int, Firing]) -> Expected:
    """Return what is expected where nothing is heard from begin to end: what fired before, and more after some seconds.

    Nobody cares when exactly the latter begins, so the minute before it is left out.
    """
    kept = {
        at: (*told.both(), *(alert for after, alert in more if at >= begin + after))
        for at in range(begin, end, STEP)
        if not any(after - 60 <= at - begin < after for after, _ in more)
    }
    return {at: firing for at, firing in _usual(told).items() if not begin <= at <= end} | kept


def whole() -> tuple[Scenario, ...]:
    """Return the same incidents, whatever befalls those who watch."""
    view = _recorded()
    told = _Told(view)
    usual = _usual(told)
    one, other = partial(exporter, view), partial(exporter, view, instance="b:10058")
    api = ((75, unreachable()), (300, unreachable("FelderaExporterDataStale")))
    scraping = ((300, ABSENT), (300, unreachable("FelderaExporterDataStale")), (600, down("a:10058")))
    begin, end = OUTAGE
    return (
        Scenario("nothing", (one(),), usual),
        Scenario(
            "missed scrapes",
            (one(down=[(ONSET - 60, ONSET + 30), (RETAGGED - 30, RETAGGED + 30)]),),
            {at: firing for at, firing in usual.items() if not RETAGGED <= at <= RETAGGED + 30},
        ),
        Scenario("an outage of Feldera's API", (one(outage=OUTAGE),), _through(told, begin, end, *api)),
        Scenario("an outage of the exporter", (one(down=[OUTAGE]),), _through(told, begin, end, *scraping)),
        Scenario(
            "a restart of the exporter", (exporter(Sight(incidents, restart=begin), restart=begin),), usual
        ),
        Scenario("a replica frozen while all is well", (one(), other(frozen=450)), usual),
        Scenario("a replica frozen while both are in trouble", (one(), other(frozen=begin)), usual),
        Scenario("another pod", (one(end=begin), other(begin=begin + 30)), usual),
    )
