"""Whether and how a pipeline's desired and actual status differ."""

from typing import Final

from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, Difference, Kind

# Statuses on the way to any deployed status. Each has its own limit, so a difference during them is no second problem.
_STARTING: Final = frozenset(row.name for row in DEPLOYMENT.rows.values() if row.starting)
# Statuses on the way to each desired status. The runner stops a suspended pipeline at once (pipeline-manager
# `runner/pipeline_automata.rs`), so Suspended itself is seldom seen.
_ON_THE_WAY: Final = {
    "Stopped": frozenset({"Stopping"}),
    "Suspended": _STARTING | {"Stopping"},
}
# Not desired by a user: the runner writes these as the desired status when it cannot reach the pipeline.
_NO_INTENT: Final = frozenset({"Unavailable", "Coordination"})
_COMPILING: Final = frozenset(row.name for row in PROGRAM.rows.values() if row.kind is Kind.TRANSIENT)


def difference(desired: str, actual: str, program: str) -> Difference | None:
    """Return how a pipeline's desired and actual status differ, None where they agree.

    They agree where they are equal, and also

    * while the actual status leads to the desired one and has its own limit: Provisioning, Initializing,
      AwaitingApproval, Bootstrapping, Replaying and the like lead to Running, Paused, Standby or Suspended; Stopping leads
      to Stopped or Suspended;
    * while the pipeline is Stopped, a deployed status is desired, and the program is still compiling ("early start"): the
      program's status has the limit;
    * while the desired status is Unavailable or Coordination. Users do not desire these: the runner sets the desired
      status together with the actual one (pipeline-manager `runner/pipeline_automata.rs`).

    `StartPending` is: Stopped, a deployed status is desired, and the program is compiled. Everything else is `Drift`: two
    steady statuses (Paused, desired Running); desired Stopped and not Stopping; Stopping while a deployed status is desired;
    Stopped with a program that failed to compile (the runner should have given up the start); and a status that this
    exporter does not know.

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
