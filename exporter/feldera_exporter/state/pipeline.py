"""One pipeline as the exporter knows it, in facets that move at different paces."""

from dataclasses import dataclass

from feldera_exporter.feldera.wire import Progress, Row
from feldera_exporter.history.history import History
from feldera_exporter.state.runner_activity import Activity


@dataclass(frozen=True, slots=True)
class StatusLimits:
    """How long the present statuses may last before the pipeline counts as stuck, in seconds, infinity for ever.

    That of `deployment_desired_status` is how long the desired and the actual status may differ. `unavailable` is that of
    being Unavailable, whether or not it is so at present.
    """

    deployment_status: float
    deployment_desired_status: float
    program_status: float
    storage_status: float
    unavailable: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What a pipeline is: moves when something happens to it.

    Attributes:
        row: what Feldera's list says of it.
        tag_labels: label and value, from its tags.
        limits: how long its present statuses may last.
        error_code: the code of the present deployment error, bounded for use as a label; None without an error.
        unknown: the dimensions whose present status this version does not know.
        storage_dated: whether it is known when the present storage status began, which the row does not tell.
    """

    row: Row
    tag_labels: tuple[tuple[str, str], ...]
    limits: StatusLimits
    error_code: str | None
    unknown: tuple[str, ...]
    storage_dated: bool = True


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline.

    Attributes:
        facts: what it is.
        progress: what moves while nothing happens to it.
        history: what was counted of it, as published.
        activity: what moved of it lately while nothing happened.
    """

    facts: Facts
    progress: Progress
    history: History
    activity: Activity
