"""A little of the metrics that a pipeline itself exports, in both of its forms (adapters `server/metrics.rs`)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.observation import WITHOUT_CONTROLLER
from feldera_exporter.simulator.refusals import refusal


class Native(NamedTuple):
    """A family with its only sample."""

    name: str
    kind: str
    help: str
    labels: dict[str, str]
    value: float


def native_metrics(feldera: Feldera, name: str) -> list[Native]:
    """Return a pipeline's own metrics.

    Raises:
        ApiError: 404, no such pipeline; 503, it is not deployed, does not answer, or has no circuit yet.
    """
    pipeline = feldera.get(name)
    process = feldera.reach(name, "metrics")
    if process.status in WITHOUT_CONTROLLER:
        raise refusal(process.status)
    labels = {"pipeline": f"pipeline-{pipeline.id}", "pipeline_name": name}
    errors = pipeline.connectors.errors(feldera.settle())
    families = (
        (
            "pipeline_start_time_seconds",
            "gauge",
            "When it started.",
            pipeline.row.resources_since / 1_000_000,
        ),
        ("pipeline_complete", "gauge", "Whether all input was processed.", 0),
        ("input_connector_errors_transport_total", "counter", "Errors of the transports.", errors),
    )
    return [Native(*family[:3], labels, family[3]) for family in families]


def as_text(families: Iterable[Native]) -> bytes:
    """Return metrics in Prometheus's text format."""
    lines = []
    for name, kind, text, labels, value in families:
        pairs = ",".join(f'{label}="{each}"' for label, each in labels.items())
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", f"{name}{{{pairs}}} {value}"]
    return ("\n".join(lines) + "\n").encode()


def as_json(families: Iterable[Native]) -> list[dict[str, Any]]:
    """Return metrics in Feldera's own JSON form."""
    return [
        {"key": name, "type": kind, "description": text, "values": [{"labels": labels, "value": value}]}
        for name, kind, text, labels, value in families
    ]
