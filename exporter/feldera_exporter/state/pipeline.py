"""One pipeline, in parts that change at different times."""

from dataclasses import dataclass

from feldera_exporter.feldera.label_variants import Variants
from feldera_exporter.feldera.wire import Progress, Row
from feldera_exporter.history.history import History
from feldera_exporter.state.runner_activity import Activity


@dataclass(frozen=True, slots=True)
class StatusLimits:
    """The limits of the present statuses in seconds; infinity for no limit.

    `deployment_desired_status` is how long the desired and the actual status may differ. `unavailable` is the limit of
    Unavailable, whatever the present status is.
    """

    deployment_status: float
    deployment_desired_status: float
    program_status: float
    storage_status: float
    unavailable: float


@dataclass(frozen=True, slots=True)
class Facts:
    """The part of a pipeline that changes with its row in Feldera's list.

    Attributes:
        row: the row.
        shown: the row with values that can be labels: `other` in place of made-up ones, after very many different ones.
        tag_labels: pairs of label and value, from its tags; bounded like these.
        variants: the label values so far.
        limits: the limits of its present statuses.
        error_code: the code of the present deployment error, bounded for use as a label; None without an error.
        unknown: the dimensions whose present status this version does not know.
        storage_dated: whether it is known when the present storage status began; the row does not contain that.
    """

    row: Row
    shown: Row
    variants: Variants
    tag_labels: tuple[tuple[str, str], ...]
    limits: StatusLimits
    error_code: str | None
    unknown: tuple[str, ...]
    storage_dated: bool = True


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One pipeline.

    Attributes:
        facts: its row, limits and labels.
        progress: the values of the list that change while its statuses stay.
        history: its counters, as exported.
        activity: recent refreshes by the runner and connector errors.
    """

    facts: Facts
    progress: Progress
    history: History
    activity: Activity
