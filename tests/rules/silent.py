"""What must never fire: what users do on purpose, and what is over in time."""

from typing import Final

from feldera_exporter.feldera.vocabulary import DEPLOYMENT
from rules.facts import LIMITS, Pipeline, fleet
from rules.scenarios import Scenario, switched
from rules.world import STEP, Samples, View, crowd


def _steady(status: str, desired: str, **facts: str) -> View:
    known = fleet(Pipeline(status=status, desired=desired, **facts))  # type: ignore[arg-type]
    return lambda _: known


def _deleted(now: float) -> Samples:
    """Half of a fleet of nine is deleted; that is too few to be told from tidying up."""
    return fleet(*(Pipeline(f"p{n}") for n in range(9 if now < 600 else 3)))


def _connector_burst(now: float) -> Samples:
    """A batch of bad records: many errors, and then no more."""
    count = min(max(now - 600, 0), 600)
    return fleet(Pipeline(counters={("feldera_pipeline_connector_errors_total", ()): count}))


def _restarted(now: float) -> Samples:
    """A user edits and starts a pipeline five times an hour: five errors, each dismissed, would be another matter."""
    starts = now // 720
    labels = (("from", "Provisioning"), ("to", "Provisioned"))
    counters = {
        ("feldera_pipeline_deployment_resources_status_transitions_total", labels): starts,
        ("feldera_pipeline_deployment_runtime_status_transitions_total", (("to", "Initializing"),)): starts,
        ("feldera_pipeline_deployment_status_seconds_total", (("status", "Unavailable"),)): 0.0,
    }
    return fleet(Pipeline(counters=counters))


def _short(status: str) -> View:
    """A pipeline that passes through a status in just its limit, again and again."""
    limit = LIMITS[status]

    def view(now: float) -> Samples:
        began = now - now % (limit + STEP)
        through = now - began < limit
        return fleet(
            Pipeline(status=status if through else "Running", since=began + (0 if through else limit))
        )

    return view


FINE: Final = {
    "stopped by a user": _steady("Stopped", "Stopped"),
    "paused by a user": _steady("Paused", "Paused"),
    "running as it should": _steady("Running", "Running"),
    "a standby": _steady("Standby", "Standby"),
    "stopped for editing, with a program that compiles": _steady("Stopped", "Stopped", program="Success"),
    "stopped and cleared": _steady("Stopped", "Stopped", storage="Cleared"),
    "started early, before its program was compiled": switched(
        lambda _: fleet(Pipeline(status="Stopped", program="CompilingRust", program_since=-900)),
        lambda _: fleet(Pipeline(status="Running", since=900, program="Success", program_since=885)),
        900,
    ),
    "a few pipelines deleted": _deleted,
    "a burst of bad records": _connector_burst,
    "started by users five times an hour": _restarted,
    **{
        f"{status} for no longer than its limit": _short(status)
        for status in DEPLOYMENT.statuses
        if LIMITS.get(status, 3600) <= 1200 and status != "Unavailable"
    },
}
"""What must be silent, by what it is."""

SILENT: Final = Scenario("silent for an hour", (crowd(FINE),), dict.fromkeys(range(0, 3601, 300), ()))
"""All of it at once, each an instance of its own."""
