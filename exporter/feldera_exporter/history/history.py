"""The history: everything that was counted of one pipeline, as one frozen value."""

from collections.abc import Mapping

import msgspec

from feldera_exporter.feldera.statuses import Pair, combine
from feldera_exporter.history.log_position import LogPosition
from feldera_exporter.history.recent_activity import NOTHING, RecentActivity
from feldera_exporter.history.status_time import StatusTime
from feldera_exporter.micros import Micros


class Statuses(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """The present statuses; the fields are those of an observation."""

    resources: str
    runtime: str | None
    program: str
    storage: str

    @property
    def combined(self) -> str:
        """The combined `deployment_status`."""
        return combined(self.resources, self.runtime)


class Since(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """When each present status began, by Feldera's clock; None where unknown or null."""

    resources: Micros | None
    runtime: Micros | None
    program: Micros | None
    storage: Micros | None


class Counts(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Transitions by (from, to), for the runtime status entries by status; what never happened is not kept."""

    resources: Mapping[Pair, int] = {}
    program: Mapping[Pair, int] = {}
    storage: Mapping[Pair, int] = {}
    runtime: Mapping[str, int] = {}


class Errors(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Deployment errors.

    Attributes:
        count: how many appeared since the watch began.
        present: whether one is set now.
        code: the present one's `error_code`; None while there is none or its code is unknown.
        at: when the present one appeared, by Feldera's clock.
    """

    count: int = 0
    present: bool = False
    code: str | None = None
    at: Micros | None = None


class History(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """Everything counted of one pipeline since its watch began.

    Attributes:
        statuses: what holds now, as far as the log was folded.
        since: when that began.
        counts: the transitions.
        status_time: the time by combined status.
        errors: the deployment errors.
        log_position: up to where the log is folded.
        gaps: how often events were missed, or their order was a guess.
        row_digest: the digest of the row with which the log last agreed (`row_digest`); empty while it did not.
        row_instants: the instants of that row, or of the one that the watch began with (`observation.instants`).
        appeared: the instant of the list that the pipeline was first in, by Feldera's clock.
        recent: what it did within the last hour.
    """

    statuses: Statuses
    since: Since
    counts: Counts
    status_time: StatusTime
    errors: Errors
    log_position: LogPosition
    gaps: int = 0
    row_digest: bytes = b""
    row_instants: tuple[Micros, ...] = ()
    appeared: int = 0
    recent: RecentActivity = NOTHING


def combined(resources: str, runtime: str | None) -> str:
    """Return the combined status; `Provisioned` where Feldera reports no runtime status with it, which it never does."""
    return combine(resources, runtime) or resources
