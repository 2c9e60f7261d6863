"""The metrics that Feldera itself exports, in both of its forms (pipeline-manager `metrics.rs`, adapters `server/metrics.rs`)."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final, NamedTuple

from feldera_exporter.simulator.api_errors import ApiError, refusal
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.pipeline import SimulatedPipeline
from feldera_exporter.simulator.runner_observation import WITHOUT_CONTROLLER
from feldera_exporter.simulator.versions import Fact

STATUSES: Final = (
    "Stopped",
    "Provisioning",
    "Unavailable",
    "Coordination",
    "Standby",
    "AwaitingApproval",
    "Initializing",
    "Bootstrapping",
    "ConcurrentBootstrapping",
    "Synchronizing",
    "Replaying",
    "Paused",
    "Running",
    "Suspended",
    "Stopping",
)
"""The combined statuses, in the order in which Feldera's own metric has them."""

Labels = dict[str, str]


class FelderaMetrics(NamedTuple):
    """A family with its samples, each as its labels and value."""

    name: str
    kind: str
    help: str
    samples: list[tuple[Labels, float]]


def pipeline_metrics(feldera: Feldera, name: str) -> list[FelderaMetrics]:
    """Return what is answered about one pipeline.

    Raises:
        ApiError: 404, no such pipeline; before v0.356 503, it is not deployed, does not answer, or has no circuit yet.
    """
    if not feldera.has(Fact.PIPELINE_STATUS):
        return _own(feldera, name)
    families = [_status([feldera.get(name)])]
    with suppress(ApiError):
        families += _own(feldera, name)
    return families


def all_metrics(feldera: Feldera) -> bytes:
    """Return what is answered about all pipelines: the text of each Running or Paused one, one after the other."""
    pipelines = feldera.pipelines()
    bodies = [as_text([_status(pipelines)])] if feldera.has(Fact.PIPELINE_STATUS) else []
    for pipeline in pipelines:
        if pipeline.row.runtime in {"Running", "Paused"}:
            # One that fails is left out.
            with suppress(ApiError):
                bodies.append(as_text(_own(feldera, pipeline.row.name)) + b"\n")
    return b"".join(bodies)


def _labels(pipeline: SimulatedPipeline) -> Labels:
    return {"pipeline": f"pipeline-{pipeline.id}", "pipeline_name": pipeline.row.name}


def _status(pipelines: Iterable[SimulatedPipeline]) -> FelderaMetrics:
    """Return the family that the manager makes of the rows."""
    return FelderaMetrics(
        "pipeline_status",
        "gauge",
        "Whether the pipeline is in the status named by the status label: 1 if it is, 0 if it is not.",
        [
            ({**_labels(pipeline), "status": status}, int(pipeline.row.status == status))
            for pipeline in pipelines
            for status in STATUSES
        ],
    )


def _own(feldera: Feldera, name: str) -> list[FelderaMetrics]:
    """Return a little of what a pipeline itself exports."""
    pipeline = feldera.get(name)
    process = feldera.reach(name, "metrics")
    if process.status in WITHOUT_CONTROLLER:
        raise refusal(process.status)
    start = pipeline.row.resources_since / 1_000_000
    errors = pipeline.connectors.errors(feldera.settle())
    return [
        FelderaMetrics(family, kind, text, [(_labels(pipeline), value)])
        for family, kind, text, value in (
            ("pipeline_start_time_seconds", "gauge", "When it started.", start),
            ("pipeline_complete", "gauge", "Whether all input was processed.", 0),
            ("input_connector_errors_transport_total", "counter", "Errors of the transports.", errors),
        )
    ]


def as_text(families: Iterable[FelderaMetrics]) -> bytes:
    """Return metrics in Prometheus's text format."""
    lines = []
    for name, kind, text, samples in families:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
        for labels, value in samples:
            pairs = ",".join(f'{label}="{each}"' for label, each in labels.items())
            lines.append(f"{name}{{{pairs}}} {value}")
    return ("\n".join(lines) + "\n").encode()


def as_json(families: Iterable[FelderaMetrics]) -> list[dict[str, Any]]:
    """Return metrics in Feldera's own JSON form."""
    return [
        {
            "key": name,
            "type": kind,
            "description": text,
            "values": [{"labels": labels, "value": value} for labels, value in samples],
        }
        for name, kind, text, samples in families
    ]
