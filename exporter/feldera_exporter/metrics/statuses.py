"""The families that say what a pipeline is: state sets, since when and for how long they may last, and what it is."""

from collections.abc import Callable, Iterable, Iterator
from operator import attrgetter
from typing import Final

from feldera_exporter.exposition.family import Family, Fixed, Sample, Subject, extra
from feldera_exporter.exposition.text import number, seconds
from feldera_exporter.feldera.vocabulary import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    DIMENSIONS,
    PROGRAM,
    STORAGE,
    Dimension,
)
from feldera_exporter.feldera.wire import micros
from feldera_exporter.fleet.pipeline import Facts

LIMITED: Final = (DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, STORAGE)
"""The dimensions whose statuses may last only so long."""

_MEANINGS: Final = {
    "deployment_status": "Deployment status, resources and runtime combined",
    "deployment_resources_status": "Status of the pipeline's resources",
    "deployment_runtime_status": "Runtime status, as the pipeline itself reports it",
    "deployment_desired_status": "Desired deployment status, resources and runtime combined",
    "deployment_resources_desired_status": "Desired status of the pipeline's resources",
    "deployment_runtime_desired_status": "Desired runtime status",
    "program_status": "Status of the program's compilation",
    "storage_status": "Status of the pipeline's storage",
}

_LIMIT_HELP: Final = (
    "How long the present status may last before the pipeline counts as stuck, +Inf for ever."
)


def since_family(dimension: Dimension, read: Callable[[Subject], Iterable[Sample]]) -> Family[Subject]:
    """Return the family that says when the present status of a dimension began."""
    return Family(
        f"feldera_pipeline_{dimension.name}_since_timestamp_seconds",
        "gauge",
        f"When the present {dimension.name} began, by Feldera's clock; absent while unknown or null.",
        (),
        read,
    )


def limit_family(dimension: Dimension, read: Callable[[Subject], Iterable[Sample]]) -> Family[Subject]:
    """Return the family that says how long the present status of a dimension may last."""
    text = _LIMIT_HELP
    if dimension is DEPLOYMENT_DESIRED:
        text = "How long the desired and the actual deployment status may differ, +Inf while they agree."
    return Family(f"feldera_pipeline_{dimension.name}_limit_seconds", "gauge", text, (), read)


def _state_set(dimension: Dimension) -> Family[Facts]:
    """Return a state set: 1 for the present status, an explicit 0 for every other known one.

    `last_over_time` needs the zeros: without them the old status would stand beside the new one.
    """
    get = attrgetter(f"row.{dimension.name}")
    zeros = tuple(Sample("0", extra(("status", status))) for status in dimension.statuses)
    known: dict[str | None, Fixed] = {None: Fixed(zeros)}
    for place, status in enumerate(dimension.statuses):
        known[status] = Fixed((*zeros[:place], Sample("1", zeros[place].extra), *zeros[place + 1 :]))

    def read(facts: Facts) -> Iterable[Sample]:
        status = get(facts)
        samples = known.get(status)
        return samples if samples is not None else (*zeros, Sample("1", extra(("status", status))))

    text = f"{_MEANINGS[dimension.name]}: 1 for the present status, 0 for every other"
    text += "; all 0 while the pipeline is not Provisioned." if dimension.nullable else "."
    return Family(f"feldera_pipeline_{dimension.name}", "gauge", text, ("status",), read)


def _beginning(dimension: Dimension) -> Callable[[Facts], int | None]:
    """Return what reads when the present status of a dimension began.

    None where it is null, or not after the epoch: so zeros are written that stand for nothing.
    """
    get = attrgetter(f"row.{dimension.name}_since")

    def read(facts: Facts) -> int | None:
        since = get(facts)
        return at if since is not None and (at := micros(since)) > 0 else None

    return read


def _since(dimension: Dimension) -> Family[Facts]:
    get = _beginning(dimension)

    def read(facts: Facts) -> Iterator[Sample]:
        since = get(facts)
        if since is not None:
            yield Sample(seconds(since))

    return since_family(dimension, read)


def _limit(dimension: Dimension) -> Family[Facts]:
    """Return the limits of a dimension; one without a beginning would be a limit of nothing."""
    get = attrgetter(f"limits.{dimension.name}")
    since = attrgetter("storage_dated") if dimension is STORAGE else _beginning(dimension)

    def read(facts: Facts) -> Iterator[Sample]:
        if since(facts):
            yield Sample(number(get(facts)))

    return limit_family(dimension, read)


def _has_error(facts: Facts) -> Iterator[Sample]:
    yield Sample("0" if facts.row.deployment_error is None else "1")


def _error_info(facts: Facts) -> Iterator[Sample]:
    if facts.error_code is not None:
        yield Sample("1", extra(("error_code", facts.error_code)))


def _info(facts: Facts) -> Iterator[Sample]:
    platform = ("platform_version", facts.row.platform_version)
    profile = ("program_profile", facts.row.program_config.profile or "")
    yield Sample("1", extra(platform, profile, *facts.tag_labels))


def _created(facts: Facts) -> Iterator[Sample]:
    yield Sample(seconds(micros(facts.row.created_at)))


def families(tag_labels: Iterable[str]) -> tuple[Family[Facts], ...]:
    """Return the families that read `Facts`; `tag_labels` are the labels that tags set on the info."""
    return (
        *map(_state_set, DIMENSIONS),
        *(_since(dimension) for dimension in DIMENSIONS if dimension is not STORAGE),
        *map(_limit, LIMITED),
        Family(
            "feldera_pipeline_deployment_has_error",
            "gauge",
            "Whether the pipeline's deployment_error is set: it stays until it is dismissed or the pipeline started.",
            (),
            _has_error,
        ),
        Family(
            "feldera_pipeline_deployment_error_info",
            "gauge",
            "The code of the deployment error: 1, only while one is set.",
            ("error_code",),
            _error_info,
        ),
        Family(
            "feldera_pipeline_info",
            "gauge",
            "What the pipeline is, with the labels that its tags set: always 1.",
            ("platform_version", "program_profile", *tag_labels),
            _info,
        ),
        Family(
            "feldera_pipeline_created_timestamp_seconds",
            "gauge",
            "When the pipeline was created.",
            (),
            _created,
        ),
    )
