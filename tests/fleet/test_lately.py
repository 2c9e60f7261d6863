"""What a pipeline did within the last hour is known without a Prometheus, at no cost while nothing happens."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from driver import CONFIGURATION, Api, Driver
from feldera_exporter.fleet.alerts import firing
from feldera_exporter.fleet.fleet import unobserved
from feldera_exporter.fleet.lately import NOTHING, Deeds, Lately, Step, noted, within
from feldera_exporter.history.history import Counts, History
from fleets import NOW, pipeline
from simulator.world import Stage

SECOND = 1_000_000
MINUTE = 60 * SECOND
QUIET = pipeline("x").history


def done(errors: int = 0, unavailable: int = 0, **counts: Any) -> History:
    """Return the history of a pipeline that has done so much."""
    return msgspec.structs.replace(
        QUIET,
        counts=Counts(**counts),
        errors=msgspec.structs.replace(QUIET.errors, count=errors),
        spent=msgspec.structs.replace(QUIET.spent, closed={"Unavailable": unavailable}),
    )


def failing(*minutes: float) -> Lately:
    """Return what is known of a pipeline that failed once at each of some minutes."""
    lately, before = NOTHING, {"x": done()}
    for count, minute in enumerate(minutes, start=1):
        after = {"x": done(errors=count)}
        lately, before = noted(lately, before, after, NOW + round(minute * MINUTE)), after
    return lately


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (done(errors=1), Deeds(errors=1)),
        (done(runtime={"Initializing": 2, "Unavailable": 3}), Deeds(initializations=2, losses=3)),
        (
            done(resources={("Provisioning", "Provisioned"): 1, ("Stopping", "Stopped"): 1}),
            Deeds(starts=1, stops=1),
        ),
        (
            done(program={("CompilingRust", "SqlCompiled"): 4, ("Pending", "CompilingSql"): 1}),
            Deeds(recompilations=4),
        ),
        (done(unavailable=9), Deeds(unavailable=9)),
    ],
)
def test_every_deed_is_noted(history: History, expected: Deeds) -> None:
    """As the difference between two histories."""
    assert noted(NOTHING, {"x": done()}, {"x": history}, NOW) == {"x": (Step(NOW, expected),)}


def test_what_was_before_the_first_look_is_not_known() -> None:
    """A pipeline that is new may have a long past, or take the id of another one."""
    assert noted(NOTHING, {}, {"x": done(errors=9)}, NOW) is NOTHING
    assert noted(NOTHING, {"x": done(errors=9)}, {"x": done(errors=1)}, NOW) is NOTHING
    both = noted(NOTHING, {"x": done()}, {"x": done(errors=1), "y": done(errors=9)}, NOW)
    assert both.keys() == {"x"}


def test_nothing_new_is_the_same_object() -> None:
    """Whether no history is another one, or those that are say nothing that counts."""
    lately = failing(0)
    histories = {"x": done()}
    assert noted(lately, histories, histories, NOW) is lately
    assert noted(lately, histories, {"x": done()}, NOW) is lately


def test_an_hour_is_kept() -> None:
    """And nothing of a pipeline that has been quiet for longer."""
    assert [step.at for step in failing(0, 30, 61)["x"]] == [NOW + 30 * MINUTE, NOW + 61 * MINUTE]
    later = NOW + 90 * MINUTE
    assert noted(failing(0), {"y": QUIET}, {"y": done(errors=1)}, later).keys() == {"y"}


def test_an_hour_has_a_bounded_number_of_steps() -> None:
    """What happens within half a minute is one step, at its last instant; none of it is lost."""
    lately = failing(*(second / 60 for second in range(0, 3600, 5)))
    assert len(lately["x"]) == 120
    assert lately["x"][0] == Step(NOW + 25 * SECOND, Deeds(errors=6))
    assert within(lately["x"], 3600, NOW + 59 * MINUTE).errors == 720


def test_what_lies_within_is_added_up() -> None:
    """Of a time only that part that lies in it: it is noted when it ends."""
    steps = (
        Step(NOW - 20 * MINUTE, Deeds(errors=1)),
        Step(NOW - 14 * MINUTE, Deeds(errors=1, unavailable=5 * MINUTE)),
        Step(NOW, Deeds(errors=2, unavailable=MINUTE)),
    )
    assert within(steps, 900, NOW) == Deeds(errors=3, unavailable=2 * MINUTE)
    assert within(steps, 3600, NOW) == Deeds(errors=4, unavailable=6 * MINUTE)
    assert within((), 3600, NOW) == Deeds()


def test_a_crash_loop_is_told() -> None:
    """From the list and the log, by the exporter alone: with the third restart in an hour, until an hour later.

    What is known stays so while Feldera does not answer, even after its pipelines are shown no longer.
    """
    stage, driver = Stage(), Driver()
    api = Api(stage.feldera)

    def poll() -> set[str]:
        stage.go(5)
        driver.poll(api.list(), stage.clock.now(), api.log)
        driver.scrape()
        fleet = driver.fleet
        (one,) = fleet.pipelines.values()
        alerts = firing(one, fleet.lately.get(one.facts.row.id, ()), {}, stage.clock.now())
        return {alert.name for alert in alerts}

    stage.run()
    assert [poll() for _ in range(4)] == [set()] * 4
    since = driver.fleet.counted_since
    stage.feldera.world.crash_loop("a", 40, 20, times=3)
    told = ["FelderaPipelineCrashLooping" in poll() for _ in range(60)]
    assert told.count(True) > 20
    assert told == sorted(told)
    driver.fleet = unobserved(driver.fleet, driver.policy, stage.clock.now() + 30 * MINUTE)
    assert not driver.fleet.pipelines
    assert "FelderaPipelineCrashLooping" in poll()
    assert driver.fleet.counted_since == since
    stage.go(3600)
    assert "FelderaPipelineCrashLooping" not in poll()


def test_a_fleet_at_rest_keeps_what_it_has() -> None:
    """The poll that finds nothing new looks at no history."""
    stage, driver = Stage(), Driver(CONFIGURATION)
    api = Api(stage.feldera)
    for _ in range(3):
        driver.poll(api.list(), stage.clock.now(), api.log)
        driver.scrape()
    lately: Lately = {}
    driver.fleet = replace(driver.fleet, lately=lately)
    driver.poll(api.list(), stage.clock.now(), api.log)
    assert driver.fleet.lately is lately
