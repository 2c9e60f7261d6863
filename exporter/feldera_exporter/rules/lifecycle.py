"""The alerts about a status that lasts too long, or that is not the one asked for."""

from typing import Final

from feldera_exporter.rules import texts
from feldera_exporter.rules.model import Alert, Pace, Scope
from feldera_exporter.rules.promql import ON_PIPELINE, TAGS, TOLERANCE, age, highest, overdue

_P: Final = Scope.PIPELINE
_DESIRED: Final = "deployment_desired_status"

_STOPPED: Final = 'status="Stopped"'
_UNAVAILABLE: Final = 'status="Unavailable"'
_SUCCESS: Final = 'status="Success"'

IMPOSSIBLE: Final = "Suspended|Coordination"
WITH_OWN_ALERT: Final = (
    "Provisioning|Stopping|Initializing|Unavailable|AwaitingApproval|Bootstrapping|ConcurrentBootstrapping"
    f"|Replaying|Synchronizing|{IMPOSSIBLE}"
)
"""Combined statuses that have an alert of their own when they last too long."""


def _stuck(name: str, statuses: str, severity: str, summary: str, more: str) -> Alert:
    matcher = f'status=~"{statuses}"' if "|" in statuses else f'status="{statuses}"'
    return Alert(
        name,
        _P,
        overdue("deployment_status", matcher),
        severity,
        summary,
        f"{texts.PIPELINE} has been {texts.STATUS}{texts.FOR}, longer than its limit. {more}",
        by=("status",),
        aged=True,
    )


_UNAVAILABLE_TIME: Final = (
    'increase(feldera_pipeline_deployment_status_seconds_total{status="Unavailable"}[15m])'
)


def _differs(matcher: str) -> str:
    """Return the ages of statuses that differ from the desired ones for too long.

    The exporter decides what differs: the limit is finite exactly while the two do, and says for how long they may. The
    difference is as old as the younger of the two.
    """
    return (
        f"({overdue('deployment_status', matcher, _DESIRED)})\n"
        f"and {ON_PIPELINE} ({overdue(_DESIRED, '', _DESIRED)})"
    )


LIFECYCLE: Final = (
    _stuck(
        "FelderaPipelineStuckProvisioning",
        "Provisioning",
        "critical",
        "A pipeline does not get its resources.",
        "The runner itself should have given up by now: look at the runner, then at the cluster's capacity.",
    ),
    _stuck(
        "FelderaPipelineStuckStopping",
        "Stopping",
        "warning",
        "A pipeline does not stop.",
        "The runner tries again for ever; the reason is in deployment_resources_status_details.",
    ),
    _stuck(
        "FelderaPipelineStuckInitializing",
        "Initializing",
        "warning",
        "A pipeline does not finish its initialization.",
        "Often a connector waits for something that does not answer, or a large checkpoint is being fetched.",
    ),
    Alert(
        "FelderaPipelineUnavailable",
        _P,
        f"{overdue('deployment_status', _UNAVAILABLE)}\n"
        f"or {ON_PIPELINE} {highest(_P, f'{_UNAVAILABLE_TIME} > 450', ('status',))}\n"
        f"  > {ON_PIPELINE} group_left () (1.1 * {TOLERANCE})",
        "critical",
        "A deployed pipeline does not answer.",
        f"{texts.PIPELINE} has been Unavailable{texts.FOR}, at a stretch or most of the last 15 minutes. It processes nothing.",
        by=("status",),
    ),
    _stuck(
        "FelderaPipelineAwaitingApproval",
        "AwaitingApproval",
        "warning",
        "A changed pipeline waits for somebody's approval.",
        "It processes nothing until somebody approves the changes or stops it.",
    ),
    _stuck(
        "FelderaPipelineBootstrappingLong",
        "Bootstrapping|ConcurrentBootstrapping",
        "warning",
        "A pipeline has been bootstrapping for very long.",
        "That may be legitimate for much data: look for progress before doing anything.",
    ),
    _stuck(
        "FelderaPipelineReplayingLong",
        "Replaying",
        "warning",
        "A pipeline has been replaying its journal for very long.",
        "Look for progress before doing anything.",
    ),
    _stuck(
        "FelderaPipelineStuckSynchronizing",
        "Synchronizing",
        "warning",
        "A pipeline does not finish the switch to its new version.",
        "Its inputs are paused meanwhile.",
    ),
    _stuck(
        "FelderaPipelineImpossibleState",
        IMPOSSIBLE,
        "warning",
        "A pipeline stays in a status that should last moments.",
        "Feldera should never show this status for so long: a defect of Feldera's or of its runner.",
    ),
    Alert(
        "FelderaPipelineStuck",
        _P,
        overdue("deployment_status", f'status!~"{WITH_OWN_ALERT}"'),
        "warning",
        "A pipeline has outlasted the limit of its status.",
        f"{texts.PIPELINE} has been {texts.STATUS}{texts.FOR}, longer than the limit configured for that status.",
        by=("status",),
        aged=True,
    ),
    Alert(
        "FelderaPipelineStartPending",
        _P,
        f"{_differs(_STOPPED)}\nand {ON_PIPELINE} ({overdue('program_status', _SUCCESS, _DESIRED)})",
        "warning",
        "A pipeline was started and nothing happens.",
        f"{texts.PIPELINE} is compiled and is meant to be started, but the runner leaves it Stopped"
        f"{texts.FOR}.",
        by=("status",),
        aged=True,
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineDesiredDrift",
        _P,
        # What is Stopped with a program that is compiled is the alert above, of which each row has another limit.
        f"{_differs('')}\n"
        f"unless {ON_PIPELINE} (\n"
        f"  {age('deployment_status')}{{{_STOPPED}}} and {ON_PIPELINE} {age('program_status')}{{{_SUCCESS}}}\n"
        ")",
        "warning",
        "A pipeline is not in the status that was asked for.",
        f"{texts.PIPELINE} has been {texts.STATUS}{texts.FOR}, while another status is desired.",
        by=("status",),
        aged=True,
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineUnexpectedlyStopped",
        _P,
        f'{age("deployment_status")}{{{_STOPPED}}} > 600\nand {ON_PIPELINE} {TAGS}{{expect="running"}}',
        "critical",
        "A pipeline that is expected to run is stopped.",
        f"{texts.PIPELINE} carries the tag that it should always run, and has been Stopped{texts.FOR}.",
        by=("status",),
        aged=True,
    ),
)
