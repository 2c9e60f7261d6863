"""The families of a pipeline's present state: statuses, when each began, how long it may last, the error, the info labels."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from operator import attrgetter
from typing import Any, Final

from feldera_exporter.exposition.family import Family, Sample, Subject, extra, known_instant
from feldera_exporter.exposition.text import seconds
from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    DIMENSIONS,
    PROGRAM,
    STORAGE,
    Dimension,
)
from feldera_exporter.feldera.wire import Progress
from feldera_exporter.micros import from_datetime
from feldera_exporter.state.pipeline import Facts

LIMITED: Final = (DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, STORAGE)
"""The dimensions whose statuses have limits."""

_MEANINGS: Final = {
    "deployment_status": "Deployment status, combined from resources and runtime status",
    "deployment_resources_status": "Status of the pipeline's resources",
    "deployment_runtime_status": "Runtime status, as the pipeline itself reports it",
    "deployment_desired_status": "Desired deployment status, combined from resources and runtime status",
    "deployment_resources_desired_status": "Desired status of the pipeline's resources",
    "deployment_runtime_desired_status": "Desired runtime status",
    "program_status": "Status of the program's compilation",
    "storage_status": "Status of the pipeline's storage",
}


def since_family(
    dimension: Dimension, read: Callable[[Any], Iterable[Sample]], of: Callable[[Subject], Any]
) -> Family[Subject]:
    """Return the family that says when the present status of a dimension began."""
    return Family(
        f"feldera_pipeline_{dimension.name}_since_timestamp_seconds",
        "gauge",
        f"Time when the present {dimension.name} began, by Feldera's clock; absent while it is null or the time is unknown.",
        read=read,
        of=of,
    )


def _state_set(dimension: Dimension) -> Family[Facts]:
    """Return the family of a dimension's status: 1 for the present status, an explicit 0 for every other known one.

    `last_over_time` needs the zeros: without them it would return the old status beside the new one.
    """
    known = {
        present: tuple(
            Sample(str(int(each == present)), extra(("status", each))) for each in dimension.statuses
        )
        for present in (None, *dimension.statuses)
    }

    def read(status: str | None) -> Iterable[Sample]:
        samples = known.get(status)
        return samples if samples is not None else (*known[None], Sample("1", extra(("status", str(status)))))

    text = f"{_MEANINGS[dimension.name]}: 1 for the present status, 0 for every other status"
    text += "; all 0 while the pipeline is not Provisioned." if dimension.nullable else "."
    return Family(
        f"feldera_pipeline_{dimension.name}",
        "gauge",
        text,
        ("status",),
        read,
        attrgetter(f"shown.{dimension.name}"),
    )


def _since(dimension: Dimension) -> Family[Facts]:
    return since_family(dimension, _beginning, attrgetter(f"row.{dimension.name}_since"))


def _beginning(instant: datetime | None) -> Iterable[Sample]:
    return () if instant is None else known_instant(from_datetime(instant))


def _limit(dimension: Dimension) -> Family[Facts]:
    """Return the family of a dimension's limits; a sample exists exactly where the status has a known beginning."""
    limit: Callable[[Facts], float] = attrgetter(f"limits.{dimension.name}")
    since: Callable[[Facts], datetime | None] = attrgetter(f"row.{dimension.name}_since")

    def read(facts: Facts) -> float | None:
        if dimension is STORAGE:
            return limit(facts) if facts.storage_dated else None
        instant = since(facts)
        return limit(facts) if instant is not None and from_datetime(instant) > 0 else None

    text = (
        "How long the present status may last before the pipeline counts as stuck; +Inf if there is no limit."
    )
    if dimension is DEPLOYMENT_DESIRED:
        text = (
            "How long the desired and the actual deployment status may differ; "
            "+Inf while they agree or the pipeline is on the way to the desired one."
        )
    return Family(
        f"feldera_pipeline_{dimension.name}_limit_seconds",
        "gauge",
        text,
        of=read,
    )


def _created(instant: datetime) -> Iterator[Sample]:
    yield Sample(seconds(from_datetime(instant)))


def _error_info(code: str | None) -> Iterator[Sample]:
    if code is not None:
        yield Sample("1", extra(("error_code", code)))


def _info(facts: Facts) -> Iterator[Sample]:
    platform = ("platform_version", facts.shown.platform_version)
    profile = ("program_profile", facts.shown.profile)
    yield Sample("1", extra(platform, profile, *facts.tag_labels))


def families(tag_labels: Iterable[str]) -> tuple[Family[Facts], ...]:
    """Return the families that read `Facts`; `tag_labels` are the info's labels that are taken from tags."""
    return (
        *map(_state_set, DIMENSIONS),
        *(_since(dimension) for dimension in DIMENSIONS if dimension is not STORAGE),
        *map(_limit, LIMITED),
        Family(
            "feldera_pipeline_deployment_has_error",
            "gauge",
            "Whether the pipeline's deployment_error is set (1) or not (0); it stays until it is dismissed or the next start.",
            of=lambda facts: facts.row.deployment_error is not None,
        ),
        Family(
            "feldera_pipeline_deployment_error_info",
            "gauge",
            "A metric with a constant 1 value, labelled by the code of the deployment error; only while one is set.",
            ("error_code",),
            _error_info,
            attrgetter("error_code"),
        ),
        Family(
            "feldera_pipeline_info",
            "gauge",
            "A metric with a constant 1 value, labelled by the pipeline's platform version, program profile and tags.",
            ("platform_version", "program_profile", *tag_labels),
            _info,
        ),
        Family(
            "feldera_pipeline_created_timestamp_seconds",
            "gauge",
            "Time when the pipeline was created.",
            read=_created,
            of=attrgetter("row.created_at"),
        ),
    )


PROGRESS_FAMILIES: Final[tuple[Family[Progress], ...]] = (
    Family(
        "feldera_pipeline_connector_errors",
        "counter",
        "Total number of errors of all connectors since the pipeline started; absent if Feldera does not report it.",
        of=attrgetter("connector_errors"),
    ),
    Family(
        "feldera_pipeline_refresh_version",
        "gauge",
        "Feldera's refresh version; the runner increases that of a Provisioned pipeline about every ten minutes.",
        of=attrgetter("refresh_version"),
    ),
)
"""What changes while a pipeline's statuses stay: connector errors and the runner's refreshes."""
