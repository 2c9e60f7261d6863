"""The evaluation: beginnings, ended problems, undecided conditions, and which pipelines are evaluated."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import msgspec
import pytest

from feldera_exporter.feldera.platform import Platform
from feldera_exporter.feldera.wire import Progress
from feldera_exporter.history.recent_activity import RecentActivity
from feldera_exporter.problems import evaluate as room
from feldera_exporter.problems.evaluate import ENDED_FOR, Ended, Occurrence, Problems, evaluate
from feldera_exporter.problems.serialization import decoded, encoded, same
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline
from problems.examples import HOUR, MICROSECOND, activity, after, fleet, instants, names, pipeline
from support.history_examples import SECOND, instant

TAGS = ("team:data", "tier:1", "expect:running")
STUCK = pipeline(status="Provisioning", since=0, tags=TAGS)
WELL = pipeline(tags=TAGS)
OCCURRENCE = Occurrence(
    "StuckProvisioning", "Provisioning", "id-of-etl", "etl", (("team", "data"), ("tier", "1"))
)


def then(before: Problems, *lists: tuple[float, Fleet], disabled: Iterable[str] = ()) -> Problems:
    """Return the problems after further lists at seconds."""
    for second, known in lists:
        before = evaluate(before, known, frozenset(disabled), instant(second))
    return before


def test_a_problem_has_its_pipelines_labels() -> None:
    """An occurrence has the pipeline's name and its tag labels without `expect`."""
    problems = after((600, fleet(STUCK)))
    assert problems.present == {OCCURRENCE: instant(600)}
    assert OCCURRENCE.alert == "FelderaPipelineStuckProvisioning"
    assert Occurrence("FleetDegraded").alert == "FelderaFleetDegraded"
    assert problems.of("id-of-etl") == problems.present
    assert problems.of("another") == {}


def test_an_ended_problem_is_kept_for_ten_minutes() -> None:
    """An ended problem is kept for ten minutes from the list without it, not a microsecond longer."""
    over = after((600, fleet(STUCK)), (700, fleet(WELL)))
    assert (over.present, over.ended) == ({}, {OCCURRENCE: Ended(instant(600), instant(700))})
    assert ENDED_FOR == 600 * SECOND
    assert then(over, (1300 - MICROSECOND, fleet(WELL))).ended == over.ended
    assert then(over, (1300, fleet(WELL))).ended == {}


def test_what_begins_again_has_not_ended() -> None:
    """A problem that begins again has a new beginning and is no longer an ended one."""
    again = pipeline(status="Provisioning", since=800, tags=TAGS)
    problems = after((600, fleet(STUCK)), (700, fleet(WELL)), (1400, fleet(again)))
    assert problems.present == {OCCURRENCE: instant(1400)}
    assert problems.ended == {}


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (
            pipeline("new", identity="id-of-etl", status="Provisioning", since=0, tags=TAGS),
            OCCURRENCE._replace(pipeline_name="new"),
        ),
        (
            pipeline(status="Provisioning", since=0, tags=("team:core",)),
            OCCURRENCE._replace(tags=(("team", "core"),)),
        ),
    ],
    ids=["name", "tags"],
)
def test_under_another_name_or_with_other_tags_it_is_the_same_problem(
    other: Pipeline, expected: Occurrence
) -> None:
    """It keeps its beginning; under its old labels it has ended."""
    problems = after((600, fleet(STUCK)), (700, fleet(other)))
    assert problems.present == {expected: instant(600)}
    assert problems.ended == {OCCURRENCE: Ended(instant(600), instant(700))}
    assert then(problems, (1300, fleet(other))).ended == {}


@pytest.mark.parametrize(
    "tags",
    [
        (("cost", ""), ("team", "data"), ("tier", "")),
        (("tier", ""), ("team", "data")),
        (("team", "data"),),
    ],
)
def test_a_tag_label_without_a_value_makes_no_other_series(tags: tuple[tuple[str, str], ...]) -> None:
    """After a reload with other tag labels, no ended problem hides the present one: to Prometheus they are the same."""
    stuck = pipeline(status="Provisioning", since=0, tags=("team:data",))
    other = replace(stuck, facts=replace(stuck.facts, tag_labels=tags))
    problems = after((600, fleet(stuck)), (700, fleet(other)))
    assert list(problems.present.values()) == [instant(600)]
    assert [occurrence.tags for occurrence in problems.present] == [(("team", "data"),)]
    assert problems.ended == {}
    # Also where it ended before the reload and begins again after it.
    again = replace(other, facts=pipeline(status="Provisioning", since=200, tags=("team:data",)).facts)
    again = replace(again, facts=replace(again.facts, tag_labels=tags))
    problems = after((600, fleet(stuck)), (700, fleet(WELL)), (801, fleet(again)))
    assert (len(problems.present), problems.ended) == (1, {})


def test_a_beginning_that_only_memory_knows_survives_a_rename() -> None:
    """A problem keeps its earlier beginning across a rename."""

    def failed(name: str, *errors: float) -> Pipeline:
        return pipeline(name, identity="id", recent=RecentActivity(errors=instants(*errors)))

    problems = after((60, fleet(failed("a", 10, 60))), (700, fleet(failed("b", 10, 60, 650, 700))))
    assert list(problems.present.values()) == [instant(60), instant(650)]
    assert names(problems) == ["CrashLooping", "DeploymentError"]


def test_a_deleted_pipelines_problems_have_ended() -> None:
    """A new pipeline of the same name has its own problems."""
    other = pipeline(identity="other", status="Provisioning", since=100, tags=TAGS)
    problems = after((600, fleet(STUCK)), (700, fleet(other)))
    assert problems.present == {OCCURRENCE._replace(pipeline_id="other"): instant(700)}
    assert problems.ended == {OCCURRENCE: Ended(instant(600), instant(700))}


def test_each_status_has_its_own_problem() -> None:
    """Under another status the same problem has a new beginning."""
    running, paused = (
        pipeline(status=status, since=0, desired="Stopped") for status in ("Running", "Paused")
    )
    problems = after((1800, fleet(running)), (1900, fleet(paused)))
    assert {(each.label, at) for each, at in problems.present.items()} == {("Paused", instant(1800))}
    assert {each.label for each in problems.ended} == {"Running"}


def test_what_yields_to_a_graver_one_has_ended() -> None:
    """Of one pipeline, only the more severe problem is present."""
    stops = instants(*range(6))
    flapping = pipeline(recent=RecentActivity(stops=stops))
    crashing = pipeline(recent=RecentActivity(stops=stops, restarts=instants(3, 4, 50)))
    problems = after((10, fleet(flapping)), (60, fleet(crashing)))
    assert names(problems) == ["CrashLooping"]
    assert {each.problem for each in problems.ended} == {"Flapping"}


def test_a_disabled_problem_has_ended() -> None:
    """It ends at once, although nothing changes; enabled again, it has its former beginning."""
    known = fleet(STUCK)
    on = after((600, known))
    off = then(on, (605, known), disabled=["FelderaPipelineStuckProvisioning"])
    assert (off.present, off.ended) == ({}, {OCCURRENCE: Ended(instant(600), instant(605))})
    again = then(off, (610, known))
    assert (again.present, again.ended) == ({OCCURRENCE: instant(600)}, {})
    unknown = after((0, fleet(platform=Platform())), (600, known), disabled=frozenset({OCCURRENCE.alert}))
    assert unknown.present == {}


@pytest.mark.parametrize("shown", [True, False])
def test_what_cannot_be_read_stays_as_it_was(*, shown: bool) -> None:
    """Nothing begins and nothing ends while the pipeline cannot be read."""
    soon = pipeline("soon", status="Provisioning", since=100)
    over = pipeline("over", recent=RecentActivity(errors=instants(100, 550)))
    readable = fleet(STUCK, soon, over)
    lost = {each.facts.row.id: instant(601) for each in (STUCK, soon, over)}
    hidden = fleet(*(readable.pipelines.values() if shown else ()), lost=lost)
    before = after((600, readable))
    assert names(before) == ["DeploymentError", "StuckProvisioning"]
    held = then(before, (605, hidden), (HOUR, hidden), (2 * HOUR, hidden))
    assert (held.present, held.ended) == (before.present, {})
    assert names(then(held, (2 * HOUR + 5, readable))) == ["StuckProvisioning"] * 2
    assert names(then(held, (2 * HOUR + 5, fleet()))) == []


def test_what_cannot_be_read_fails_as_before() -> None:
    """Pipelines that cannot be read count for a degraded fleet as before."""
    failed = [pipeline(f"p{n}", error="E", error_at=0) for n in range(5)]
    lost = {each.facts.row.id: instant(60) for each in failed}
    problems = after((0, fleet(*failed, size=20)), (2 * HOUR, fleet(lost=lost, size=20)))
    assert "FleetDegraded" in names(problems)


@contextmanager
def looked_at(patch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Yield a list that gets the names of the evaluated pipelines."""
    seen: list[str] = []
    real = room._pipeline

    def counting(key: str, subject: Pipeline, *rest: object) -> object:
        seen.append(subject.facts.row.name)
        return real(key, subject, *rest)  # type: ignore[arg-type]

    with patch.context() as patched:
        patched.setattr(room, "_pipeline", counting)
        yield seen


def test_a_fleet_at_rest_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a change no pipeline is evaluated, and the result has the same objects."""
    known = fleet(STUCK, *(pipeline(f"p{n}") for n in range(20)))
    before = after((601, known))
    with looked_at(monkeypatch) as seen:
        rest = then(before, (606, known), (10 * HOUR, known))
    assert seen == []
    assert rest.present is before.present
    assert rest.ended is before.ended
    assert rest.evaluated is before.evaluated


def test_only_changed_or_due_pipelines_are_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A status that reaches its limit is evaluated although the pipeline does not change."""
    others = [pipeline(f"p{n}") for n in range(5)]
    soon = pipeline("soon", status="Provisioning", since=0)
    with looked_at(monkeypatch) as seen:
        before = after((10, fleet(STUCK, soon, *others)))
        assert sorted(seen) == ["etl", "p0", "p1", "p2", "p3", "p4", "soon"]
        seen.clear()
        before = then(before, (20, fleet(WELL, soon, *others)))
        assert seen == ["etl"]
        seen.clear()
        before = then(before, (599, fleet(WELL, soon, *others)), (600, fleet(WELL, soon, *others)))
        assert seen == ["soon"]
        seen.clear()
        then(before, (605, fleet(WELL, soon, *others[1:], pipeline("born"))))
        assert seen == ["born"]


def test_a_pipeline_that_was_only_refreshed_is_not_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is evaluated when the next refresh is due, or at its first refresh."""
    unrefreshed = pipeline(moved=activity(refreshed=0))
    first = replace(unrefreshed, progress=Progress(7))
    again = replace(unrefreshed, progress=Progress(8), activity=activity(refreshed=300))
    with looked_at(monkeypatch) as seen:
        before = after((0, fleet(unrefreshed)), (5, fleet(first)))
        assert len(seen) == 2
        before = then(before, (300, fleet(again)))
        assert len(seen) == 2
        before = then(before, (900, fleet(again)), (1200 - MICROSECOND, fleet(again)))
        assert names(before) == []
        assert len(seen) == 3
    assert names(then(before, (1200, fleet(again)))) == ["RunnerFrozen"]


def test_stored_problems_are_read_back() -> None:
    """Stored problems are read back after a restart; each pipeline with a problem is evaluated again."""
    failed = [pipeline(f"p{n}", error="E", error_at=1) for n in range(5)]
    problems = after(
        (600, fleet(STUCK)),
        (700, fleet(STUCK, *failed[:1])),
        (710, fleet(*failed, STUCK)),
        (715, fleet(*failed[1:], STUCK)),
    )
    assert {"FleetDegraded", "StuckProvisioning"} < set(names(problems))
    assert problems.ended
    kept = decoded(encoded(problems))
    assert (kept.present, kept.ended, kept.previous_state) == (
        problems.present,
        problems.ended,
        problems.previous_state,
    )
    assert then(kept, (720, fleet(*failed[1:], STUCK))).present == problems.present
    assert names(then(kept, (720, fleet(WELL)))) == []
    assert decoded(None) == Problems()
    with pytest.raises(msgspec.DecodeError):
        decoded(b"something else")


def test_stored_problems_of_another_version_are_left_out() -> None:
    """A problem that this version does not know is left out, present or ended; the others stay."""
    known, other = after((600, fleet(STUCK))), Occurrence("StuckSomewhere", "Somewhere", "id", "etl")
    ending = Ended(instant(1), instant(2))
    stored = encoded(replace(known, present={**known.present, other: instant(1)}, ended={other: ending}))
    assert decoded(stored).present == known.present
    assert decoded(stored).ended == {}


def test_unchanged_problems_are_not_stored_again() -> None:
    """The time of the last list alone causes no write."""
    first = after((600, fleet(STUCK)))
    rest = then(first, (605, fleet(STUCK)))
    assert rest.previous_state != first.previous_state
    assert same(first, rest)
    assert not same(first, then(rest, (610, fleet(WELL))))
    assert not same(first, then(rest, (610, fleet(STUCK, WELL, size=2))))


FROZEN = pipeline("frozen", progress=Progress(refresh_version=7), moved=activity(refreshed=0))
SEEN_NOW = pipeline("frozen", progress=Progress(refresh_version=7), moved=activity(since=1000))
FAILING = pipeline(
    "failing",
    progress=Progress(connector_errors=9999),
    moved=activity(errors=[(-300, 99), (300, 99), (900, 99)]),
)
BURST = pipeline(
    "failing", progress=Progress(connector_errors=9999), moved=activity(since=1000, errors=[(1500, 99)])
)
QUIET = pipeline("failing", progress=Progress(connector_errors=9999), moved=activity(since=1000))
BEGAN = {"RunnerFrozen": instant(900), "ConnectorErrors": instant(900)}


def since(problems: Problems) -> dict[str, int]:
    """Return since when each problem counts, by its name."""
    return {each.problem: at for each, at in problems.present.items()}


def test_what_takes_time_to_be_known_is_held_after_a_restart() -> None:
    """After a restart, undecided problems stay, with their beginning, until they are decided."""
    before = decoded(encoded(after((900, fleet(FROZEN, FAILING)))))
    assert since(before) == BEGAN
    held = then(before, (1000, fleet(SEEN_NOW, QUIET)), (1500, fleet(SEEN_NOW, BURST)))
    assert since(held) == BEGAN
    later = then(held, (1900, fleet(SEEN_NOW, BURST)))
    assert since(later) == BEGAN
    moving = pipeline(
        "frozen", progress=Progress(refresh_version=8), moved=activity(since=1000, refreshed=1950)
    )
    assert since(then(later, (1950, fleet(moving, BURST)))) == {"ConnectorErrors": instant(900)}
    assert since(then(later, (2100 - MICROSECOND, fleet(SEEN_NOW, BURST)))) == BEGAN
    assert since(then(later, (2100, fleet(SEEN_NOW, BURST)))) == {"RunnerFrozen": instant(900)}


def test_it_ends_where_nothing_more_is_seen() -> None:
    """Ten minutes without an error decide that the problem has ended."""
    before = decoded(encoded(after((900, fleet(FROZEN, FAILING)))))
    known = fleet(SEEN_NOW, QUIET)
    assert since(then(before, (1000, known), (1600 - MICROSECOND, known))) == BEGAN
    assert since(then(before, (1000, known), (1600, known))) == {"RunnerFrozen": instant(900)}


def test_nothing_is_invented_after_a_restart() -> None:
    """After a restart, an undecided problem that was not present does not begin."""
    begun = after((1000, fleet(SEEN_NOW, QUIET)), (1500, fleet(SEEN_NOW, BURST)))
    assert since(then(begun, (1900 - MICROSECOND, fleet(SEEN_NOW, BURST)))) == {}
    assert since(then(begun, (1900, fleet(SEEN_NOW, BURST)))) == {"RunnerFrozen": instant(1900)}
