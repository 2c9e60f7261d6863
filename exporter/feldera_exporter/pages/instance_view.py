"""One instance as it is known at a moment, and how sure that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from feldera_exporter.pages import formatting
from feldera_exporter.pages.alerts import AlertDetails, alert_details
from feldera_exporter.pages.links import Links, console
from feldera_exporter.pages.outages import Outage, outage
from feldera_exporter.problems.alerts import Choices, alerts
from feldera_exporter.problems.evaluate import Problems
from feldera_exporter.state.fleet import Fleet

_SECOND: Final = 1_000_000
_OLD: Final = 60.0
"""Seconds without a new list after which data is called old even if no poll has failed."""
_STALE: Final = "Feldera's own monitor is stale: the health of its services is not known."
_NAMED: Final = 10
"""Unreadable pipelines of an instance that are named."""
_NAME: Final = 80
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class WatchedInstance:
    """One instance as it is known at a moment.

    Attributes:
        fleet: what is known.
        problems: those of the instance and its pipelines.
        now: microseconds since the epoch by Feldera's clock.
        url: its base address.
    """

    fleet: Fleet
    problems: Problems
    now: int
    url: str

    @property
    def known_at(self) -> int:
        """The instant of what is known, by Feldera's clock: of the last answer while Feldera does not answer."""
        return self.fleet.read_at if self.fleet.up is False and self.fleet.read_at else self.now


@dataclass(frozen=True, slots=True)
class PageState:
    """Every instance as it is known at one moment.

    Attributes:
        instances: in the configuration's order.
        choices: what the configuration says of alerts.
        at: this machine's time, in microseconds since the epoch.
    """

    instances: Sequence[WatchedInstance]
    choices: Choices
    at: int


@dataclass(frozen=True, slots=True)
class InstanceView:
    """What is said of an instance.

    Attributes:
        name: its name in the configuration.
        state: `waiting` for the first answer, `up` or `down`.
        size: how many pipelines it has, in words.
        age: how old what is shown is; empty while there is nothing.
        read: when it was read, as a machine reads it.
        warning: what to know before reading anything else, empty if there is nothing.
        outage: why there is no current data, None where there is.
        version: Feldera's, with its edition.
        console: the address of its web console, empty if it is none that one may follow.
        unhealthy: the services that Feldera reports as such.
        problems: those of the instance as a whole.
        stale: what Feldera's own monitor says of itself, empty while it looks.
        unreadable: the pipelines of the list that cannot be read, a few of them.
        hidden: how many more there are.
    """

    name: str
    state: str
    size: str
    age: str
    read: str
    warning: str
    outage: Outage | None
    version: str
    console: str
    unhealthy: str
    problems: tuple[AlertDetails, ...]
    stale: str
    unreadable: tuple[str, ...]
    hidden: int


def instance_view(watched: WatchedInstance, choices: Choices, links: Links) -> InstanceView:
    """Return what is said of an instance."""
    fleet, platform = watched.fleet, watched.fleet.platform
    seconds = max(0, watched.now - fleet.read_at) / _SECOND if fleet.read_at else None
    return InstanceView(
        name=fleet.instance,
        state={None: "waiting", True: "up", False: "down"}[fleet.up],
        size=_size(fleet),
        age="" if seconds is None else formatting.duration(seconds),
        read=formatting.instant(fleet.read_at) if fleet.read_at else "",
        warning=_warning(fleet, seconds),
        outage=_outage(watched, seconds, links),
        version=" ".join(filter(None, (platform.version, platform.edition)))
        + (" with a development license" if platform.license and platform.license.is_dev else ""),
        console=console(watched.url),
        unhealthy=", ".join(name for name, service in platform.heard_services.items() if not service.healthy),
        problems=tuple(
            alert_details(alert, links, watched.now, fleet.instance)
            for alert in sorted(alerts(watched.problems.present, choices))
            if not alert.pipeline
        ),
        stale=_STALE if platform.stale else "",
        unreadable=tuple(formatting.cut(name, _NAME)[0] for name in fleet.unreadable[:_NAMED]),
        hidden=max(0, len(fleet.unreadable) - _NAMED),
    )


def _size(fleet: Fleet) -> str:
    return "" if fleet.size is None else formatting.count(fleet.size, "pipeline")


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
    failure = watched.fleet.failure
    if failure is None or (watched.fleet.up and (seconds or 0) <= _OLD):
        return None
    return outage(failure, watched.fleet.instance, watched.url, links, watched.now)
