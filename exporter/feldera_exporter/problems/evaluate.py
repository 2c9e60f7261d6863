"""The evaluation of problems, once after each list of pipelines.

Only pipelines that changed are evaluated, and those whose next instant of change (`due`) has come. A fleet at rest costs
nothing. An undecided condition keeps its last result. While Feldera's API cannot be reached, nothing is evaluated.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import Any, Final, NamedTuple

from feldera_exporter.differences import changed_keys
from feldera_exporter.micros import NEVER, SECOND, Micros
from feldera_exporter.problems import conditions
from feldera_exporter.problems.earlier_lists import EarlierLists, next_state
from feldera_exporter.problems.instance_conditions import InstanceState
from feldera_exporter.problems.model import Finding, Problem, Subject, Undecided
from feldera_exporter.problems.table import (
    BY_ALERT,
    INSTANCE_PROBLEMS,
    PIPELINE_PROBLEMS,
    instance_alert,
    pipeline_alert,
)
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline

ENDED_FOR: Final = 600 * SECOND
"""How long an ended problem is still exported, with the value 0."""

MOST_ENDED: Final = 20_000
"""Ended problems that are kept at most: a server may rename its pipelines at each poll."""

Tags = tuple[tuple[str, str], ...]


class Occurrence(NamedTuple):
    """The identity of a problem that a pipeline or an instance has.

    Attributes:
        problem: its name in the table.
        label: the overdue status, or the service of Feldera; empty where the problem names none.
        pipeline_id: the UUID; empty for a problem of the instance.
        pipeline_name: empty for a problem of the instance.
        tags: the pipeline's tag labels that have a value, sorted and without `expect`, as pairs of label and value.
    """

    problem: str
    label: str = ""
    pipeline_id: str = ""
    pipeline_name: str = ""
    tags: Tags = ()

    @property
    def row(self) -> Problem[Any]:
        """The row of the table."""
        return BY_ALERT[self.alert]

    @property
    def alert(self) -> str:
        """The name of the problem's alert."""
        name = pipeline_alert if self.pipeline_id else instance_alert
        return name(self.problem)


Occurrences = Mapping[Occurrence, Micros]
"""Problems with when each began to count."""


class Ended(NamedTuple):
    """When a problem began to count (`since`), and when it ended (`at`)."""

    since: Micros
    at: Micros


Endings = Mapping[Occurrence, Ended]
"""Problems that have ended, with when."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The evaluation of one pipeline.

    Attributes:
        present: its problems, with when each began to count.
        failing: since when it counts toward FleetDegraded; None while it does not.
        due: when it must be evaluated again even if it does not change.
    """

    present: Occurrences
    failing: Micros | None
    due: Micros


_DUE: Final = attrgetter("due")


@dataclass(frozen=True, slots=True)
class Problems:
    """The problems of one instance and of its pipelines.

    Attributes:
        present: the present problems, with when each began to count.
        ended: the problems that ended within the last ten minutes.
        previous_state: what the instance's conditions need from earlier lists.
        disabled: the names of the alerts that the configuration disables.
        evaluated: the evaluations of pipelines that have a problem, or will have one as time passes, by id.
        failing: since when pipelines count toward FleetDegraded, by id.
        due: when the next pipeline must be evaluated even if nothing changes.
    """

    present: Occurrences = field(default_factory=dict)
    ended: Endings = field(default_factory=dict)
    previous_state: EarlierLists = field(default_factory=EarlierLists)
    disabled: frozenset[str] = frozenset()
    pipelines: Mapping[str, Pipeline] = field(default_factory=dict)
    evaluated: Mapping[str, Evaluated] = field(default_factory=dict)
    failing: Mapping[str, Micros] = field(default_factory=dict)
    due: Micros = 0

    def of(self, pipeline_id: str) -> Occurrences:
        """Return the present problems of a pipeline."""
        found = self.evaluated.get(pipeline_id)
        return found.present if found is not None else {}


NO_PROBLEMS: Final = Problems()


class InstanceWithProblems(NamedTuple):
    """One instance as metrics, pages and alerts show it: its fleet and its problems, both after the same poll."""

    fleet: Fleet
    problems: Problems


def evaluate(before: Problems, fleet: Fleet, disabled: frozenset[str], now: Micros) -> Problems:
    """Return the problems after a list of pipelines was read.

    Where nothing changed, `present`, `ended` and `evaluated` are the same objects as before.
    """
    previous_state = next_state(before.previous_state, fleet.size or 0, fleet.platform, now)
    evaluated = _pipelines(before, fleet, disabled, now)
    failing, due = before.failing, before.due
    if evaluated is not before.evaluated:
        failing = {
            pipeline_id: pipeline.failing
            for pipeline_id, pipeline in evaluated.items()
            if pipeline.failing is not None
        }
        due = min(map(_DUE, evaluated.values()), default=NEVER)
    was_degraded = Occurrence("FleetDegraded") in before.present
    found = _instance(before, InstanceState(fleet, previous_state, failing, was_degraded), disabled, now)
    if evaluated is before.evaluated and found == _about_instance(before.present):
        present = before.present
    else:
        present = dict(found)
        for pipeline in evaluated.values():
            if pipeline.present:
                present.update(pipeline.present)
        if present == before.present:
            present = before.present
    return replace(
        before,
        present=present,
        ended=_ended(before, present, now),
        previous_state=previous_state,
        disabled=disabled,
        pipelines=fleet.pipelines,
        evaluated=evaluated,
        failing=failing,
        due=due,
    )


def _pipelines(
    before: Problems, fleet: Fleet, disabled: frozenset[str], now: Micros
) -> Mapping[str, Evaluated]:
    """Return the evaluations by pipeline id; the same object as before where nothing changed."""
    changed, due = set(fleet.pipelines), set[str]()
    if disabled == before.disabled:
        if fleet.pipelines is before.pipelines and now < before.due:
            return before.evaluated
        # Most lists are of the same pipelines, of which few changed.
        ids = changed_keys(before.pipelines, fleet.pipelines)
        changed = {
            pipeline_id
            for pipeline_id in (fleet.pipelines if ids is None else ids)
            if not _is_unaffected(before, pipeline_id, fleet.pipelines[pipeline_id])
        }
    if now >= before.due:
        due = {pipeline_id for pipeline_id, pipeline in before.evaluated.items() if pipeline.due <= now}
    # A pipeline whose list element cannot be read keeps its last evaluation.
    outdated = ((changed | due) & fleet.pipelines.keys()) - fleet.lost.keys()
    gone = before.evaluated.keys() - fleet.pipelines.keys() - fleet.lost.keys()
    if not outdated and not gone:
        return before.evaluated
    evaluated = dict(before.evaluated)
    for pipeline_id in gone:
        del evaluated[pipeline_id]
    for pipeline_id in outdated:
        found = _pipeline(pipeline_id, fleet.pipelines[pipeline_id], before.of(pipeline_id), disabled, now)
        if found is None:
            evaluated.pop(pipeline_id, None)
        else:
            evaluated[pipeline_id] = found
    return evaluated


def _is_unaffected(before: Problems, pipeline_id: str, pipeline: Pipeline) -> bool:
    """Return whether no problem can begin or end: nothing changed, or the runner refreshed a pipeline without problems."""
    old = before.pipelines.get(pipeline_id)
    return old is pipeline or (
        old is not None
        and old.progress.refresh_version is not None
        and pipeline.facts is old.facts
        and pipeline.history is old.history
        and pipeline.activity.errors is old.activity.errors
        and not before.of(pipeline_id)
    )


def _pipeline(
    pipeline_id: str, pipeline: Pipeline, before: Occurrences, disabled: frozenset[str], now: Micros
) -> Evaluated | None:
    """Return the evaluation of a pipeline; None where it has no problem and time alone begins none."""
    present, due = _evaluated_table(
        PIPELINE_PROBLEMS, pipeline, _begins(before), disabled, pipeline_alert, now
    )
    failing, failing_due = _evaluated_findings(conditions.failing(pipeline, now), None, now)
    due = min(due, failing_due)
    if not present and failing is None and due == NEVER:
        return None
    # An empty label is none, and labels have no order: a configured label without a value makes no other series.
    tags = tuple(sorted(pair for pair in pipeline.facts.tag_labels if pair[0] != "expect" and pair[1]))
    name = pipeline.facts.row.name
    occurrences = {
        Occurrence(problem, label, pipeline_id, name, tags): begin
        for (problem, label), begin in present.items()
    }
    return Evaluated(occurrences, failing, due)


def _instance(before: Problems, state: InstanceState, disabled: frozenset[str], now: Micros) -> Occurrences:
    begins = _begins(_about_instance(before.present))
    present, _ = _evaluated_table(INSTANCE_PROBLEMS, state, begins, disabled, instance_alert, now)
    return {Occurrence(problem, label): begin for (problem, label), begin in present.items()}


_ProblemLabel = tuple[str, str]
"""The name of a problem, and its label."""


def _begins(occurrences: Occurrences) -> Mapping[_ProblemLabel, Micros]:
    return {(occurrence.problem, occurrence.label): begin for occurrence, begin in occurrences.items()}


def _evaluated_table(
    table: Mapping[str, Problem[Subject]],
    subject: Subject,
    before: Mapping[_ProblemLabel, Micros],
    disabled: Collection[str],
    alert: Callable[[str], str],
    now: Micros,
) -> tuple[dict[_ProblemLabel, Micros], Micros]:
    """Return the problems of a subject with when each began, and when the subject must be evaluated again."""
    present: dict[_ProblemLabel, Micros] = {}
    due = NEVER
    for name, row in table.items():
        findings = row.condition(subject, now)
        if not findings or (disabled and alert(name) in disabled):
            continue
        for label in dict.fromkeys(finding.label for finding in findings):
            labelled = [finding for finding in findings if finding.label == label]
            begin, next_due = _evaluated_findings(labelled, before.get((name, label)), now)
            due = min(due, next_due)
            if begin is not None:
                present[name, label] = begin
    if len(present) > 1:
        names = {name for name, _ in present}
        present = {
            (name, label): begin
            for (name, label), begin in present.items()
            if table[name].yields_to not in names
        }
    return present, due


def _evaluated_findings(
    findings: Iterable[Finding], before: Micros | None, now: Micros
) -> tuple[Micros | None, Micros]:
    """Return when a problem with these findings of one label began (None where it is not present), and when to evaluate again.

    `before` is when it began, if it was present before.
    """
    begins: list[Micros] = []
    due = NEVER
    for finding in findings:
        if isinstance(finding, Undecided):
            if before is not None and now < finding.until:
                begins.append(before)
                due = min(due, finding.until)
        elif finding.holds(now):
            continued = before if finding.continues else None
            begins.append(finding.begin if continued is None else min(finding.begin, continued))
            due = min(due, finding.end if finding.end is not None else NEVER)
        elif finding.begin > now:
            due = min(due, finding.begin)
    return min(begins, default=None), due


def _about_instance(occurrences: Occurrences) -> Occurrences:
    return {occurrence: begin for occurrence, begin in occurrences.items() if not occurrence.pipeline_id}


def _ended(before: Problems, present: Occurrences, now: Micros) -> Endings:
    """Return the problems that ended within the last ten minutes; the same object where they are the same."""
    if present is before.present and not before.ended:
        return before.ended
    ended = {occurrence: ending for occurrence, ending in before.ended.items() if ending.at > now - ENDED_FOR}
    if present is not before.present:
        ended |= {
            occurrence: Ended(since, now)
            for occurrence, since in before.present.items()
            if occurrence not in present
        }
        ended = {occurrence: ending for occurrence, ending in ended.items() if occurrence not in present}
    if len(ended) > MOST_ENDED:
        ended = dict(list(ended.items())[-MOST_ENDED:])
    return before.ended if ended == before.ended else ended
