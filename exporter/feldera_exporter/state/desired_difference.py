"""Whether a pipeline's desired and actual status differ, and for how long they may."""

import math
from typing import Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, Difference, Kind
from feldera_exporter.state.limits import LimitTable

# On the way to whatever deployed status is desired. Each has a limit of its own, which an operator may have raised:
# a second problem for the same wait would defeat that.
_STARTING: Final = frozenset(row.name for row in DEPLOYMENT.rows.values() if row.starting)
# Statuses on the way to each desired one. A suspended pipeline is stopped at once (pipeline-manager
# `runner/pipeline_automata.rs`): Suspended itself is hardly ever seen.
_ON_THE_WAY: Final = {
    "Stopped": frozenset({"Stopping"}),
    "Suspended": _STARTING | {"Stopping"},
}
# Nobody desires these: the runner writes them over the desired status when it cannot ask the pipeline.
_NO_INTENT: Final = frozenset({"Unavailable", "Coordination"})
_COMPILING: Final = frozenset(row.name for row in PROGRAM.rows.values() if row.kind is Kind.TRANSIENT)


def difference(desired: str, actual: str, program: str) -> Difference | None:
    """Return how a pipeline's desired and actual status differ, None where they agree.

    They agree where they are equal, and also

    * while the actual one is on the way to the desired one and has a limit of its own: from Provisioning through
      Initializing, AwaitingApproval, Bootstrapping, Replaying and the like to Running, Paused, Standby or Suspended;
      Stopping to Stopped or Suspended;
    * while the pipeline is Stopped, to be started and still compiling ("early start"): the program's status has the limit;
    * while the desired status is Unavailable or Coordination, which is no wish: the runner sets the desired status to
      Unavailable together with the actual one (pipeline-manager `runner/pipeline_automata.rs`) and the wish is lost until
      the pipeline answers again.

    Stopped and to be started with a program that is compiled is `StartPending`: the runner should have begun. All else
    is `Drift`: two steady statuses (Paused, to be Running), a pipeline to be stopped that is not Stopping, Stopping though
    to be started, Stopped and to be started though the program failed to compile (the runner should have given the start
    up), and a status that this exporter does not know.

    Args:
        desired: the combined `deployment_desired_status`.
        actual: the combined `deployment_status`.
        program: the `program_status`.
    """
    if actual == desired:
        return None
    if actual == "Stopped":
        if program == "Success":
            return Difference.START_PENDING
        return None if program in _COMPILING else Difference.DRIFT
    if desired in _NO_INTENT or actual in _ON_THE_WAY.get(desired, _STARTING):
        return None
    return Difference.DRIFT


def drift_limit(limits: LimitTable, desired: str, actual: str, program: str) -> float:
    """Return for how many seconds the desired and the actual status may differ as they do, infinity where they agree.

    The difference begins with the latest of the desired status, the actual status and, for `StartPending`, the program's
    status: each of them may have ended an agreement.
    """
    differs = difference(desired, actual, program)
    return limits.of(differs) if differs else math.inf
