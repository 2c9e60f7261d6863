"""Evaluating only what changed or is due finds the same problems as evaluating everything."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feldera_exporter.feldera.wire import Progress
from feldera_exporter.history.recent_activity import RecentActivity
from feldera_exporter.micros import NEVER
from feldera_exporter.problems.evaluate import NO_PROBLEMS, Evaluated, Problems, evaluate
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline
from problems.examples import MICROSECOND, activity, fleet, instants, pipeline, spans
from problems.test_evaluate import looked_at
from support.history_examples import SECOND, instant
from support.tools import example_count

NAMES: Final = "abcd"
HELD: Final = frozenset({"RunnerFrozen", "ConnectorErrors"})
"""What may be held for a while, and so depends on what was said before."""

Kind = Callable[[str, float], Pipeline]
"""Returns a pipeline of a name to which something happened at a second."""


def _doing(**does: Any) -> Kind:
    """Return a kind that did something within the hour, so many seconds before that."""

    def made(name: str, at: float) -> Pipeline:
        recent: dict[str, Any] = {what: instants(*(at - ago for ago in agos)) for what, agos in does.items()}
        return pipeline(name, recent=RecentActivity(**recent))

    return made


def _being(*ages: str, **facts: Any) -> Kind:
    """Return a kind that has been something since then."""
    return lambda name, at: pipeline(name, **(facts | dict.fromkeys(ages, at)))


def _away(name: str, at: float) -> Pipeline:
    recent = RecentActivity(absences=spans((at - 700, at - 300)))
    return pipeline(name, status="Unavailable", since=at, away_since=at, recent=recent)


def _lost_before(name: str, at: float) -> Pipeline:
    return pipeline(name, recent=RecentActivity(absences=spans((at - 800, at - 500), (at - 300, at))))


def _frozen(name: str, at: float) -> Pipeline:
    return pipeline(name, progress=Progress(7), moved=activity(refreshed=at))


def _new(name: str, at: float) -> Pipeline:
    return pipeline(name, progress=Progress(7, 9999), moved=activity(since=at - 50, errors=[(at, 100)]))


def _errors(name: str, at: float) -> Pipeline:
    errors = [(at - 1200, 100), (at - 600, 100), (at, 100)]
    return pipeline(name, progress=Progress(None, 9999), moved=activity(errors=errors))


KINDS: Final[tuple[Kind, ...]] = (
    _being(),
    _being("since", status="Provisioning"),
    _being("since", status="Unavailable"),
    _being("since", status="Paused"),
    _being("since", status="Stopped"),
    _being("since", status="Stopped", desired="Stopped", tags=("expect:running",)),
    _being("program_since", program="SqlError"),
    _being("program_since", program="CompilingSql"),
    _being("storage_since", storage="Clearing"),
    _being("error_at", error="E"),
    _doing(errors=(400, 0)),
    _doing(errors=(2000, 1000, 0), stops=(5, 4, 3, 2, 1, 0)),
    _doing(stops=(3500, 4, 3, 2, 1, 0)),
    _doing(restarts=(3500, 3400, 0), losses=(7, 6, 5, 4, 3, 2, 1, 0)),
    _doing(recompilations=(2, 1, 0)),
    _away,
    _lost_before,
    _frozen,
    _new,
    _errors,
)

PAUSES: Final = st.sampled_from(
    (None, 5, None, MICROSECOND, 60, 100, 200, 300, 600, 600 - MICROSECOND, 900, 1800, 3600)
)
AGES: Final = st.sampled_from((0, -1, 5, 60, 100, 300, 600, 900, 1800, 3600))
SEEN: Final = st.tuples(st.sampled_from(KINDS), AGES)

Step = tuple[float | None, Mapping[str, tuple[Kind, float] | None], frozenset[str]]
"""A pause, None until something is due; what happened how long ago to pipelines by name, None if they are gone; the names of those not to be read."""

STEPS: Final = st.lists(
    st.tuples(
        PAUSES,
        st.dictionaries(st.sampled_from(NAMES), SEEN | st.none(), max_size=3),
        st.just(frozenset()) | st.frozensets(st.sampled_from(NAMES), max_size=2),
    ),
    min_size=3,
    max_size=10,
)


def until_due(problems: Problems, now: float) -> float:
    """Return for how many seconds no pipeline is due."""
    ahead = [each.due for each in problems.evaluated.values() if instant(now) < each.due < NEVER]
    return (min(ahead) - instant(now)) / SECOND if ahead else 1.0


def everything(before: Problems, known: Fleet, now: int) -> Problems:
    """Return the problems after a list, where every pipeline is looked at."""
    due = {key: Evaluated(each.present, each.failing, 0) for key, each in before.evaluated.items()}
    return evaluate(replace(before, pipelines={}, evaluated=due, due=0), known, frozenset(), now)


def decided(problems: Problems, known: Fleet) -> set[object]:
    """Return the problems that say the same whatever was said before, of pipelines that can be read."""
    readable = known.pipelines.keys() - known.lost.keys()
    return {each for each in problems.present if each.pipeline_id in readable and each.problem not in HELD}


@settings(max_examples=example_count(500), deadline=None)
@given(STEPS)
def test_a_part_is_enough(steps: list[Step]) -> None:
    """After each list both evaluations agree, and only changed or due pipelines are evaluated."""
    now, pipelines, problems = 0.0, dict[str, Pipeline](), NO_PROBLEMS
    lost: dict[str, int] = {}
    for pause, changes, unreadable in steps:
        now += until_due(problems, now) if pause is None else pause
        at = instant(now)
        shown = dict(pipelines)
        for name, drawn in changes.items():
            if name not in unreadable:
                shown.pop(name, None)
                if drawn is not None:
                    kind, age = drawn
                    shown[name] = kind(name, now - age)
        lost = {f"id-of-{name}": lost.get(f"id-of-{name}", at) for name in unreadable & shown.keys()}
        known = fleet(*shown.values(), size=20, lost=lost)
        due = {key for key, each in problems.evaluated.items() if each.due <= at}
        moved = {each.facts.row.id for name, each in shown.items() if pipelines.get(name) is not each}
        whole, scratch = everything(problems, known, at), evaluate(NO_PROBLEMS, known, frozenset(), at)
        with pytest.MonkeyPatch.context() as patch, looked_at(patch) as seen:
            after = evaluate(problems, known, frozenset(), at)
        assert {f"id-of-{name}" for name in seen} <= (due | moved) - lost.keys()
        assert after.present == whole.present
        assert after.ended == whole.ended
        assert after.failing == whole.failing
        assert decided(after, known) == decided(scratch, known)
        if after.present == problems.present:
            assert after.present is problems.present
        pipelines, problems = shown, after
