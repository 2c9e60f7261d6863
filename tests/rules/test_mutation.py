"""A rule in which anything is changed fails a scenario: thresholds, comparisons, matchers, durations, severities.

The two alerts that the product is named for are tried in every thorough run; `make mutation` tries everything.
"""

import re
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest

from feldera_exporter.rules.model import Alert
from feldera_exporter.rules.table import ALERTS
from rules.mutation import Judge, Mutant, dependants, mutants, recorded, wrapping
from rules.scenarios import BY_NAME
from tools import THOROUGH

NAMED: Final = ("FelderaPipelineStuckProvisioning", "FelderaPipelineDeploymentError")
"""The alerts that the product is named for."""

WRAPPED: Final = ("FelderaPipelineStuckProvisioning", "FelderaFleetDegraded")
"""One alert of each scope with what is around its condition, which is the same for all."""

JUDGES: Final = (
    "FelderaExporterUnreadablePipelines",
    "FelderaApiUnreachable",
    "FelderaExporterDataStale",
    "FelderaPipelineStuckProvisioning",
    "FelderaPipelineUnexpectedlyStopped",
    "FelderaPipelineCompileStuck",
    "FelderaPipelineStorageClearingStuck",
    "FelderaPipelineStartPending",
    "FelderaPipelineRunnerFrozen",
    "FelderaPipelineUnavailable",
    "FelderaPipelineDeploymentError",
)
"""Alerts that between them rest on every recording."""

EQUIVALENT: Final = (
    (
        "FelderaPipeline(DeploymentError|CrashLooping|Flapping|RuntimeFlapping|ConnectorErrors|CompileLooping)",
        "> -> >= ",
        "an extrapolated count or rate never equals the threshold",
    ),
    ("FelderaPipelineUnavailable", "> -> >= @[57]$", "as above"),
    ("FelderaExporterClockSkew", "> -> >= @(1|5|14)$", "no clock is wrong by a round number of seconds"),
    ("FelderaExporterClockSkew", "3m -> 540s ", "what is gone tells of no progress"),
    ("FelderaApiAuthFailed", "> -> >= @4$", "as above"),
    (
        "feldera:(shard_data:(heard_timestamp|blind)_seconds|pipeline_tags:info)",
        "0 -> -?1 @(2|5|7|9|11)$",
        "labels alone are read of what is raised to it",
    ),
    ("FelderaEventLogUnread", "0 -> -?1 @1$|3m -> 540s @3$", "what is compared is no older than the newest"),
    ("FelderaExporterDown", "1h -> 10800s @(6|14)$", "each of the two hours alone ends it"),
    ("FelderaClusterHealthStale", "> -> >= @10$", "an average is never nine tenths sharp"),
    ("FelderaClusterServiceUnhealthy", "5m -> 100s @8$", "what is told of is judged by what is told"),
    ("FelderaExporterCrashLooping", "> -> >= ", "changes are counted in whole numbers"),
    ("FelderaExporterDown", "< -> <= |0.5 -> 0.25 ", "targets are counted in whole numbers"),
    ("FelderaExporterDown", "1m -> ", "how often targets were counted within the hour"),
    ("FelderaApiUnreachable", "0 -> -?1 @2$", "nothing times anything is nothing"),
    ("FelderaApiUnreachable", "3m -> 540s ", "what is gone falls out with its exporter's shard"),
    (
        "FelderaPipelineInventoryDropped",
        "> -> >= @5$",
        "a count never equals a half",
    ),
    ("FelderaFleetDegraded", "3m -> 60s @22$", "it is asked for only where nothing is said yet"),
    (
        "FelderaPipeline(DeploymentError|RunnerFrozen)|FelderaFleetDegraded|feldera:.*(age|limit|present).*",
        "3m -> 540s ",
        "what is gone falls out with its replica's recording, which looks back for three minutes",
    ),
    (
        "feldera:pipeline_replica:freshest",
        "3m -> 540s @2$",
        "each of the two look-backs alone suffices, for a pipeline and its exporter vanish together",
    ),
    ("feldera:pipeline_replica:freshest", "0 -> ", "the creation time is the same on every replica"),
    ("feldera:pipeline_replica:freshest", "> -> >= ", "at five minutes sharp either is right"),
    ("feldera:exporter_shard:info", "3m -> 540s ", "what is asked for by shard is looked back at for less"),
    (
        "feldera:shard_data:heard_timestamp_seconds",
        "3m -> (60s @(0|8|20|22|24)|540s @(8|22|24))$",
        "what was heard once is remembered, whether or not the look-back still has it",
    ),
    (
        "feldera:shard_data:heard_timestamp_seconds",
        "0 -> -1 @13$",
        "a target that is gone is not 1 either way",
    ),
    (
        "feldera:shard_data:blind_seconds",
        "3m -> 540s ",
        "the age is looked back at for less than the interval",
    ),
    (
        "feldera:instance_replica:freshest",
        "3m -> 540s ",
        "without its exporter an instance is out of sight and its alerts are kept",
    ),
    ("feldera:.*:limit_seconds", "< -> <= ", "an infinite limit is never exceeded, recorded or not"),
    ("FelderaWatchdog", "1 -> ", "its value means nothing"),
)
"""Changes that no scenario can tell: patterns of rule and change, and the reason."""


def equivalent(mutant: Mutant) -> bool:
    """Tell whether a mutant is listed."""
    return any(
        re.fullmatch(rule, mutant.rule) and re.match(change, mutant.change) for rule, change, _ in EQUIVALENT
    )


def survivors(tried: Sequence[Mutant], judges: Iterable[Judge]) -> list[str]:
    """Return what all judges let pass, of the mutants that are not listed.

    Args:
        tried: the mutants.
        judges: of whom one must object.
    """
    known = tuple(judges)
    assert all(judge.sound for judge in known)

    def survives(mutant: Mutant) -> bool:
        return all(judge.survives(mutant) for judge in known)

    open_ = [mutant for mutant in tried if not equivalent(mutant)]
    with ThreadPoolExecutor(2) as pool:
        found = zip(open_, pool.map(survives, open_), strict=True)
        return [f"{mutant.rule}: {mutant.change}" for mutant, passed in found if passed]


def of(alert: Alert) -> list[Mutant]:
    """Return an alert's mutants."""
    return [*mutants(alert), *(wrapping(alert) if alert.name in WRAPPED else ())]


@pytest.mark.parametrize(
    "alert",
    [
        pytest.param(
            alert, id=alert.name, marks=() if THOROUGH and alert.name in NAMED else pytest.mark.mutation
        )
        for alert in ALERTS
    ],
)
def test_alert(alert: Alert) -> None:
    """Each change of an alert's condition fails one of its scenarios."""
    assert survivors(of(alert), [Judge(alert)]) == []


def judges_of(recording: str) -> list[Judge]:
    """Return who tries the changes of a recording."""
    resting = {alert.name for alert in dependants(recording)}
    return [Judge(BY_NAME[judge]) for judge in JUDGES if judge in resting]


by_recording = pytest.mark.parametrize("name", sorted({mutant.rule for mutant in recorded()}))


@pytest.mark.mutation
@by_recording
def test_recording(name: str) -> None:
    """Each change of a recording fails a scenario of an alert that rests on it."""
    assert survivors([mutant for mutant in recorded() if mutant.rule == name], judges_of(name)) == []


@pytest.mark.mutation
@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_listed_changes_survive(alert: Alert) -> None:
    """The list holds no change of an alert that a scenario could tell: such a one is in it by mistake."""
    judge = Judge(alert)
    assert [mutant.change for mutant in of(alert) if equivalent(mutant) and not judge.survives(mutant)] == []


def test_list_is_current() -> None:
    """Every listed change is one that is made."""
    tried = [*recorded(), *(mutant for alert in ALERTS for mutant in of(alert))]
    idle = [
        change
        for rule, change, _ in EQUIVALENT
        if not any(re.fullmatch(rule, mutant.rule) and re.match(change, mutant.change) for mutant in tried)
    ]
    assert idle == []
    assert sum(map(equivalent, tried)) < len(tried) / 8
