"""The evaluation: which problems an instance and its pipelines have, after each list of pipelines.

Only pipelines to which something happened are looked at, and those for which an instant has come: a fleet at rest costs
nothing. What cannot be decided stays as it was, and while Feldera cannot be seen nothing is evaluated at all.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, NamedTuple

from feldera_exporter.differences import replaced
from feldera_exporter.problems import conditions
from feldera_exporter.problems.instance_conditions import InstanceState
from feldera_exporter.problems.model import MICROSECONDS, Finding, Problem, Subject, Undecided
from feldera_exporter.problems.previous_state import PreviousState, next_state
from feldera_exporter.problems.table import (
    INSTANCE_PROBLEMS,
    PIPELINE_PROBLEMS,
    instance_alert,
    pipeline_alert,
)
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline

ENDED_FOR: Final = 600 * MICROSECONDS
"""Microseconds for which it is said that a problem has ended."""

NEVER: Final = 1 << 62

Tags = tuple[tuple[str, str], ...]


class Occurrence(NamedTuple):
    """A problem that a pipeline or an instance has: what tells it from every other one.

    Attributes:
        problem: its name in the table.
        label: the overdue status, or the service of Feldera; empty where the problem names none.
        pipeline_id: empty if it is about the instance.
        pipeline_name: as above.
        tags: label and value of the pipeline's tag labels but `expect`.
    """

    problem: str
    label: str = ""
    pipeline_id: str = ""
    pipeline_name: str = ""
    tags: Tags = ()

    @property
    def alert(self) -> str:
        """The name of its alert."""
        name = pipeline_alert if self.pipeline_id else instance_alert
        return name(self.problem)


Occurrences = Mapping[Occurrence, int]
"""Problems with an instant each, microseconds by Feldera's clock."""

_NONE: Final[Occurrences] = MappingProxyType({})


class Ended(NamedTuple):
    """A problem that has ended; instants are microseconds by Feldera's clock.

    Attributes:
        since: when it began to count.
        at: when it ended.
    """

    since: int
    at: int


Endings = Mapping[Occurrence, Ended]
"""Problems that have ended."""

_NOTHING_ENDED: Final[Endings] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What was found of one pipeline.

    Attributes:
        present: its problems, with when each began to count.
        failing: since when it counts toward a degraded fleet; None while it does not.
        due: when it must be looked at again though nothing happens to it.
    """

    present: Occurrences
    failing: int | None
    due: int


@dataclass(frozen=True, slots=True)
class Problems:
    """The problems of one instance and of its pipelines; instants are microseconds by Feldera's clock.

    Attributes:
        present: with when each began to count.
        ended: those that ended within the last ten minutes.
        memory: what the instance's conditions remember.
        disabled: names of alerts that the configuration switches off.
        pipelines: what was evaluated last, by id.
        evaluated: what was found of those that have a problem or may have one in time, by id.
        failing: since when pipelines count toward a degraded fleet, by id.
        due: when the next pipeline must be looked at though nothing happens.
    """

    present: Occurrences = field(default_factory=lambda: _NONE)
    ended: Endings = field(default_factory=lambda: _NOTHING_ENDED)
    memory: PreviousState = field(default_factory=PreviousState)
    disabled: frozenset[str] = frozenset()
    pipelines: Mapping[str, Pipeline] = field(default_factory=lambda: MappingProxyType({}))
    evaluated: Mapping[str, Evaluated] = field(default_factory=lambda: MappingProxyType({}))
    failing: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    due: int = 0

    def of(self, pipeline_id: str) -> Occurrences:
        """Return the present problems of a pipeline."""
        found = self.evaluated.get(pipeline_id)
        return found.present if found is not None else _NONE


NO_PROBLEMS: Final = Problems()


def evaluate(before: Problems, fleet: Fleet, disabled: frozenset[str], now: int) -> Problems:
    """Return the problems after a list of pipelines was read.

    Where nothing moved, `present`, `ended` and `evaluated` are the same objects as before.

    Args:
        before: after the list before.
        fleet: as the list tells it.
        disabled: names of alerts that the configuration switches off.
        now: Feldera's time of the list, in microseconds.
    """
    memory = next_state(before.memory, fleet.size or 0, fleet.platform, now)
    evaluated = _pipelines(before, fleet, disabled, now)
    failing, due = before.failing, before.due
    if evaluated is not before.evaluated:
        failing = {key: each.failing for key, each in evaluated.items() if each.failing is not None}
        due = min((each.due for each in evaluated.values()), default=NEVER)
    found = _instance(before, InstanceState(fleet, memory, failing, _was_degraded(before)), disabled, now)
    if evaluated is before.evaluated and found == _about_instance(before.present):
        present = before.present
    else:
        present = dict(found)
        for each in evaluated.values():
            present.update(each.present)
        if present == before.present:
            present = before.present
    return replace(
        before,
        present=present,
        ended=_ended(before, present, now),
        memory=memory,
        disabled=disabled,
        pipelines=fleet.pipelines,
        evaluated=evaluated,
        failing=failing,
        due=due,
    )


def _was_degraded(before: Problems) -> bool:
    return Occurrence("FleetDegraded") in before.present


def _pipelines(before: Problems, fleet: Fleet, disabled: frozenset[str], now: int) -> Mapping[str, Evaluated]:
    """Return what was found of the pipelines; the same object where nothing moved."""
    changed: Iterable[str] | None = replaced(before.pipelines, fleet.pipelines)
    if disabled != before.disabled:
        changed = fleet.pipelines
    else:
        if changed is None:
            old = before.pipelines
            changed = [key for key, each in fleet.pipelines.items() if old.get(key) is not each]
        changed = [key for key in changed if not _only_refreshed(before, key, fleet.pipelines[key])]
    if not changed and now < before.due and fleet.pipelines is before.pipelines:
        return before.evaluated
    # What cannot be read stays as it was.
    readable = fleet.pipelines.keys() - fleet.lost.keys() if fleet.lost else fleet.pipelines.keys()
    due = [key for key, each in before.evaluated.items() if each.due <= now and key in readable]
    gone = before.evaluated.keys() - fleet.pipelines.keys() - fleet.lost.keys()
    if not changed and not due and not gone:
        return before.evaluated
    evaluated = dict(before.evaluated)
    for key in gone:
        del evaluated[key]
    for key in readable & {*changed, *due}:
        found = _pipeline(key, fleet.pipelines[key], before.of(key), disabled, now)
        if found is None:
            evaluated.pop(key, None)
        else:
            evaluated[key] = found
    return evaluated


def _only_refreshed(before: Problems, key: str, pipeline: Pipeline) -> bool:
    """Return whether nothing happened to a pipeline but that the runner looked at it, which begins no problem."""
    old = before.pipelines.get(key)
    return (
        old is not None
        and old.progress.refresh_version is not None
        and pipeline.facts is old.facts
        and pipeline.history is old.history
        and pipeline.activity.errors is old.activity.errors
        and not before.of(key)
    )


def _pipeline(
    key: str, pipeline: Pipeline, before: Occurrences, disabled: frozenset[str], now: int
) -> Evaluated | None:
    """Return what is found of a pipeline, None where there is nothing and time alone brings nothing."""
    since = {(each.problem, each.label): at for each, at in before.items()} if before else {}
    present, due = _found(PIPELINE_PROBLEMS, pipeline, since, disabled, pipeline_alert, now)
    begin, failing_due = _settled(conditions.failing(pipeline, now), None, now)
    due = min(due, failing_due)
    if not present and begin is None and due == NEVER:
        return None
    if not present:
        return Evaluated(_NONE, begin, due)
    tags = tuple(each for each in pipeline.facts.tag_labels if each[0] != "expect")
    name = pipeline.facts.row.name
    return Evaluated(
        {Occurrence(problem, label, key, name, tags): at for (problem, label), at in present.items()},
        begin,
        due,
    )


def _instance(before: Problems, state: InstanceState, disabled: frozenset[str], now: int) -> Occurrences:
    old = _about_instance(before.present)
    since = {(each.problem, each.label): at for each, at in old.items()}
    present, _ = _found(INSTANCE_PROBLEMS, state, since, disabled, instance_alert, now)
    return {Occurrence(problem, label): at for (problem, label), at in present.items()}


_Key = tuple[str, str]
"""The name of a problem, and its label."""


def _found(
    table: Mapping[str, Problem[Subject]],
    subject: Subject,
    before: Mapping[_Key, int],
    disabled: Collection[str],
    alert: Callable[[str], str],
    now: int,
) -> tuple[dict[_Key, int], int]:
    """Return the problems of a subject with when they began, and when it must be looked at again."""
    present: dict[_Key, int] = {}
    due = NEVER
    for name, row in table.items():
        findings = row.condition(subject, now)
        if not findings or (disabled and alert(name) in disabled):
            continue
        for label, about in _by_label(findings):
            begin, next_due = _settled(about, before.get((name, label)), now)
            due = min(due, next_due)
            if begin is not None:
                present[name, label] = begin
    if len(present) > 1:
        names = {name for name, _ in present}
        present = {key: at for key, at in present.items() if table[key[0]].yields_to not in names}
    return present, due


def _by_label(findings: Sequence[Finding]) -> Iterable[tuple[str, Sequence[Finding]]]:
    label = findings[0].label
    if all(each.label == label for each in findings[1:]):
        return ((label, findings),)
    labels = dict.fromkeys(each.label for each in findings)
    return [(label, [each for each in findings if each.label == label]) for label in labels]


def _settled(findings: Iterable[Finding], before: int | None, now: int) -> tuple[int | None, int]:
    """Return when what these findings say began to count, None where it does not, and when to ask again."""
    begins: list[int] = []
    due = NEVER
    for each in findings:
        if isinstance(each, Undecided):
            if before is not None and now < each.until:
                begins.append(before)
                due = min(due, each.until)
        elif each.holds(now):
            begins.append(each.begin if before is None or not each.continues else min(each.begin, before))
            due = min(due, each.end if each.end is not None else NEVER)
        elif each.begin > now:
            due = min(due, each.begin)
    return min(begins, default=None), due


def _about_instance(occurrences: Occurrences) -> Occurrences:
    return {each: at for each, at in occurrences.items() if not each.pipeline_id}


def _ended(before: Problems, present: Occurrences, now: int) -> Endings:
    """Return what ended within the last ten minutes."""
    if present is before.present and not before.ended:
        return before.ended
    ended = {
        each: ending
        for each, ending in before.ended.items()
        if each not in present and ending.at > now - ENDED_FOR
    }
    if present is not before.present:
        ended |= {each: Ended(since, now) for each, since in before.present.items() if each not in present}
    return before.ended if ended == before.ended else ended
