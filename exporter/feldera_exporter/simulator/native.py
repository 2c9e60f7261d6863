"""A little of the metrics that a pipeline itself exports (adapters `server/metrics.rs`)."""

from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.observation import WITHOUT_CONTROLLER
from feldera_exporter.simulator.refusals import refusal


def native_metrics(feldera: Feldera, name: str) -> bytes:
    """Return a pipeline's own metrics in the text format.

    Raises:
        ApiError: 404, no such pipeline; 503, it is not deployed, does not answer, or has no circuit yet.
    """
    pipeline = feldera.get(name)
    process = feldera.reach(name, "metrics")
    if process.status in WITHOUT_CONTROLLER:
        raise refusal(process.status)
    labels = f'pipeline="pipeline-{pipeline.id}",pipeline_name="{name}"'
    now = feldera.settle()
    started = (pipeline.row.resources_since) / 1_000_000
    families = (
        ("pipeline_start_time_seconds", "gauge", "When the pipeline started.", started),
        ("pipeline_complete", "gauge", "Whether all input was processed.", 0),
        (
            "input_connector_errors_transport_total",
            "counter",
            "Errors of the transports.",
            pipeline.connectors.errors(now),
        ),
    )
    lines = [
        line
        for family, kind, text, value in families
        for line in (f"# HELP {family} {text}", f"# TYPE {family} {kind}", f"{family}{{{labels}}} {value}")
    ]
    return ("\n".join(lines) + "\n").encode()
