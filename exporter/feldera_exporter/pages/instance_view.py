"""The view of an instance: its state, its problems, and how old they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from feldera_exporter.feldera.errors import (
    INTERNAL_ERROR,
    DeadlineError,
    InvalidResponseError,
    ServerError,
    TooLargeError,
    UnauthorizedError,
)
from feldera_exporter.micros import SECOND, Micros
from feldera_exporter.pages import formatting
from feldera_exporter.pages.alerts import FiringAlert, firing_alert
from feldera_exporter.pages.formatting import Moment
from feldera_exporter.pages.links import Links, console
from feldera_exporter.problems.alerts import Choices, alerts
from feldera_exporter.problems.evaluate import Problems
from feldera_exporter.state.fleet import Fleet

_OLD: Final = 60.0
"""Seconds without a new list after which data is old, even if no poll has failed."""
_STALE: Final = "Feldera's own monitor is stale: the health of its services is not known."

_CAUSES: Final = {
    UnauthorizedError.outcome: "Feldera refuses the API key",
    DeadlineError.outcome: "Feldera does not answer in time",
    ServerError.outcome: "Feldera answers with an error",
    InvalidResponseError.outcome: "The answer is not a list of pipelines",
    TooLargeError.outcome: "The answer is larger than max_response_size",
    INTERNAL_ERROR: "The exporter has a defect",
}
"""The meaning of a poll's outcome; the text of a connection error says it itself."""

_CAUSE: Final = 300
"""Characters of a cause."""


@dataclass(frozen=True, slots=True)
class WatchedInstance:
    """The state of an instance, at an instant by Feldera's clock, and its base address."""

    fleet: Fleet
    problems: Problems
    now: Micros
    url: str

    @property
    def known_at(self) -> Micros:
        """The instant of the state by Feldera's clock: that of the last answer while Feldera does not answer."""
        return self.fleet.read_at if self.fleet.up is False and self.fleet.read_at else self.now


@dataclass(frozen=True, slots=True)
class PageState:
    """The state of all instances, in the order of the configuration; the time is that of this machine."""

    instances: Sequence[WatchedInstance]
    choices: Choices
    at: Micros

    def instance(self, name: str) -> WatchedInstance | None:
        """Return the instance of this name; None where there is none."""
        return next((each for each in self.instances if each.fleet.instance == name), None)


@dataclass(frozen=True, slots=True)
class Outage:
    """Why there is no current data of an instance, since polls began to fail; `runbook` is an address."""

    cause: str
    url: str
    since: Moment
    runbook: str


@dataclass(frozen=True, slots=True)
class InstanceView:
    """An instance.

    Attributes:
        state: `waiting` for the first answer, `up` or `down`.
        size: the number of its pipelines, in words.
        read: when its pipelines were read; None where they never were.
        warning: that there is no current data; empty where there is.
        outage: why there is no current data; None where there is.
        console: the address of its web console; empty where that cannot be a link.
        stale: that Feldera's monitor is stale; empty where it is not.
        unreadable: the names of pipelines in the list that cannot be read.
    """

    name: str
    state: str
    size: str
    read: Moment | None
    warning: str
    outage: Outage | None
    version: str
    console: str
    unhealthy: str
    problems: tuple[FiringAlert, ...]
    stale: str
    unreadable: tuple[str, ...]


def instance_view(watched: WatchedInstance, choices: Choices, links: Links) -> InstanceView:
    """Return the view of an instance."""
    fleet, platform = watched.fleet, watched.fleet.platform
    seconds = max(0, watched.now - fleet.read_at) / SECOND if fleet.read_at else None
    return InstanceView(
        name=fleet.instance,
        state={None: "waiting", True: "up", False: "down"}[fleet.up],
        size="" if fleet.size is None else formatting.count(fleet.size, "pipeline"),
        read=formatting.moment(fleet.read_at, watched.now) if fleet.read_at else None,
        warning=_warning(fleet, seconds),
        outage=_outage(watched, seconds, links),
        version=" ".join(filter(None, (platform.version, platform.edition)))
        + (" with a development license" if platform.license and platform.license.is_dev else ""),
        console=console(watched.url),
        unhealthy=", ".join(
            name for name, service in platform.current_services.items() if not service.healthy
        ),
        problems=tuple(
            firing_alert(alert, links, watched.now, fleet.instance)
            for alert in sorted(alerts(watched.problems.present, choices))
            if not alert.pipeline
        ),
        stale=_STALE if platform.stale else "",
        unreadable=fleet.unreadable,
    )


def _warning(fleet: Fleet, seconds: float | None) -> str:
    if fleet.up is None:
        return "The first list of pipelines has not been read yet."
    if fleet.up is False and seconds is None:
        return "No data. Feldera has not answered since this exporter started."
    ago = formatting.duration(seconds or 0)
    if fleet.up is False or (seconds is not None and seconds > _OLD):
        return f"No current data. Last answer {ago} ago."
    return ""


def _outage(watched: WatchedInstance, seconds: float | None, links: Links) -> Outage | None:
    fleet, failure = watched.fleet, watched.fleet.failure
    if failure is None or (fleet.up and (seconds or 0) <= _OLD):
        return None
    text, cause = failure.text[:_CAUSE], _CAUSES.get(failure.outcome)
    refused = failure.outcome == UnauthorizedError.outcome
    alert = "FelderaApiAuthFailed" if refused else "FelderaApiUnreachable"
    return Outage(
        cause=f"{cause}: {text}" if cause is not None else text[:1].upper() + text[1:],
        url=watched.url,
        since=formatting.moment(failure.since, watched.now),
        runbook=links.runbook_of(alert, fleet.instance),
    )
