"""What Feldera says about a pipeline and an instance, as the samples that the exporter makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from feldera_exporter.config.values import DEFAULT_LIMITS
from feldera_exporter.feldera.vocabulary import DIMENSIONS
from feldera_exporter.fleet.drift import drift_limit
from feldera_exporter.fleet.limits import LimitTable
from rules.world import Samples, series

NEVER: Final = float("inf")
LONG_AGO: Final = -1_000_000.0

START_PENDING: Final = DEFAULT_LIMITS["StartPending"]
DRIFT: Final = DEFAULT_LIMITS["Drift"]
LIMITS: Final = {
    status: limit for status, limit in DEFAULT_LIMITS.items() if status not in {"StartPending", "Drift"}
}
"""The limits of statuses, as they are when nothing is configured."""

_TABLE: Final = LimitTable(DEFAULT_LIMITS)


@dataclass(frozen=True)
class Pipeline:
    """A pipeline at one moment; healthy and running as it stands.

    Attributes:
        name: its name; its id follows from it.
        status: the combined status, since `since`.
        own_limit: a limit of that status set by the user.
        own_desired_limit: another limit than usual for desired and actual to differ.
        desired: the combined desired status, since `desired_since`.
        program: the status of its program, since `program_since`.
        storage: the status of its storage, since `storage_since`.
        error: the code of its deployment error since `error_since`, or none.
        refresh: its refresh version, None to leave the family out.
        tags: its tag labels, None to leave the info family out.
        counters: values of counters by family, labels as `(("from", "Stopped"), …)`.
    """

    name: str = "etl"
    status: str = "Running"
    since: float = LONG_AGO
    own_limit: float | None = None
    own_desired_limit: float | None = None
    desired: str = "Running"
    desired_since: float = LONG_AGO
    program: str = "Success"
    program_since: float = LONG_AGO
    storage: str = "InUse"
    storage_since: float = LONG_AGO
    error: str = ""
    error_since: float = LONG_AGO
    refresh: float | None = None
    tags: Mapping[str, str] | None = field(default_factory=lambda: {"team": "data", "tier": "gold"})
    counters: Mapping[tuple[str, tuple[tuple[str, str], ...]], float] = field(default_factory=dict)

    @property
    def resources(self) -> str:
        """The resources status, which the combined one implies."""
        return "Provisioned" if self.status not in {"Stopped", "Provisioning", "Stopping"} else self.status

    @property
    def limit(self) -> float:
        """How long the present combined status may last."""
        return LIMITS.get(self.status, NEVER) if self.own_limit is None else self.own_limit

    @property
    def desired_limit(self) -> float:
        """How long desired and actual may differ as they do now."""
        if self.own_desired_limit is not None:
            return self.own_desired_limit
        return drift_limit(_TABLE, self.desired, self.status, self.program)


def samples(pipeline: Pipeline) -> Samples:
    """Return the samples of one pipeline; every known status is there, as 0 or 1."""
    own = {"pipeline": f"pipeline-{pipeline.name}", "pipeline_name": pipeline.name}
    given: Samples = {series("feldera_pipeline_created_timestamp_seconds", **own): LONG_AGO}
    if pipeline.tags is not None:
        given[series("feldera_pipeline_info", **own, platform_version="0.337.0", **pipeline.tags)] = 1.0
    dimensions = {
        "deployment_status": (pipeline.status, pipeline.since, pipeline.limit),
        "deployment_resources_status": (pipeline.resources, pipeline.since, None),
        "deployment_desired_status": (pipeline.desired, pipeline.desired_since, pipeline.desired_limit),
        "program_status": (pipeline.program, pipeline.program_since, LIMITS.get(pipeline.program, NEVER)),
        "storage_status": (pipeline.storage, pipeline.storage_since, LIMITS.get(pipeline.storage, NEVER)),
    }
    for dimension, (present, since, limit) in dimensions.items():
        family = f"feldera_pipeline_{dimension}"
        for status in dict.fromkeys((*_KNOWN[dimension], present)):
            given[series(family, **own, status=status)] = float(status == present)
        given[series(f"{family}_since_timestamp_seconds", **own)] = since
        if limit is not None:
            given[series(f"{family}_limit_seconds", **own)] = limit
    given[series("feldera_pipeline_deployment_has_error", **own)] = float(bool(pipeline.error))
    if pipeline.error:
        given[series("feldera_pipeline_deployment_error_info", **own, error_code=pipeline.error)] = 1.0
        given[series("feldera_pipeline_deployment_error_timestamp_seconds", **own)] = pipeline.error_since
    if pipeline.refresh is not None:
        given[series("feldera_pipeline_refresh_version", **own)] = pipeline.refresh
    for (family, labels), value in pipeline.counters.items():
        given[series(family, **own, **dict(labels))] = value
    return given


_KNOWN: Final = {dimension.name: tuple(dimension.statuses) for dimension in DIMENSIONS}


def fleet(*pipelines: Pipeline, listed: int | None = None, **instance: float) -> Samples:
    """Return the samples of an instance: its pipelines, and families of its own by name."""
    given: Samples = {series("feldera_pipelines"): float(len(pipelines) if listed is None else listed)}
    for pipeline in pipelines:
        given |= samples(pipeline)
    given |= {series(name): value for name, value in instance.items()}
    return given
