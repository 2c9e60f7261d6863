"""How the alerts about an instance come about: its fleet, services, license, and what the exporter counts of it."""

from collections.abc import Callable
from typing import Any, Final

from rules.facts import Pipeline, fleet
from rules.scenarios import ONSET, Case, Firing
from rules.world import INSTANCE, Samples, View, series

DAY: Final = 86_400


def _failed(count: int) -> tuple[Firing, ...]:
    common = {"severity": "warning", "feldera_instance": INSTANCE, "team": "data", "tier": "gold"}
    names = (f"p{n}" for n in range(count))
    return tuple(
        ("FelderaPipelineDeploymentError", common | {"pipeline": f"pipeline-{name}", "pipeline_name": name})
        for name in names
    )


def _failing(now: float) -> Samples:
    ill = 5 if now > ONSET else 4
    facts: dict[str, Any] = {
        "status": "Stopped",
        "desired": "Stopped",
        "error": "RunnerCheckError",
        "error_since": ONSET - 300,
    }
    return fleet(*(Pipeline(f"p{n}", **facts) for n in range(ill)), listed=40)


def _recovered(_: float) -> Samples:
    return fleet(*(Pipeline(f"p{n}") for n in range(5)), listed=40)


def _service(service: str, *, ill: bool) -> View:
    family = "feldera_cluster_service_healthy"
    return lambda now: fleet() | {series(family, service=service): float(not ill or now <= ONSET - 300)}


def _checked(at: Callable[[float], float]) -> View:
    family = "feldera_cluster_service_checked_timestamp_seconds"
    return lambda now: fleet() | {series(family, service="api"): at(now)}


def _own(name: str, value: Callable[[float], float], **labels: str) -> View:
    return lambda now: fleet() | {series(name, **labels): value(now)}


def _once(family: str, name: str, **labels: str) -> Case:
    bad = _own(family, lambda now: float(now > ONSET), **labels)
    return Case(name, bad, _own(family, lambda _: 0, **labels), labels, known_before=False, lasts=3600)


def _expiring(name: str, days: int, severity: str, *others: Firing) -> Case:
    family = "feldera_license_expiry_timestamp_seconds"
    bad = _own(family, lambda _: ONSET + days * DAY)
    return Case(name, bad, _own(family, lambda _: 400 * DAY), severity=severity, before=others, also=others)


def _skewed(by: float) -> Case:
    family = "feldera_exporter_api_clock_skew_seconds"
    bad = _own(family, lambda now: by if now > 150 else 0)
    good = _own(family, lambda _: 0)
    name = "FelderaExporterClockSkew"
    return Case(name, bad, good, known_before=False, lasts=330, variant="ahead" if by > 0 else "behind")


_SOON: Final[Firing] = ("FelderaLicenseExpiring", {"severity": "warning", "feldera_instance": INSTANCE})

PLATFORM: Final = (
    Case(
        "FelderaFleetDegraded", _failing, _recovered, before=_failed(4), also=_failed(5), known_before=False
    ),
    Case(
        "FelderaPipelineInventoryDropped",
        lambda now: fleet(listed=9 if now > ONSET else 20),
        lambda _: fleet(listed=20),
        known_before=False,
    ),
    *(
        Case(
            "FelderaClusterServiceUnhealthy",
            _service(service, ill=True),
            _service(service, ill=False),
            {"service": service},
            severity,
            variant=service,
            remembered=True,
        )
        for service, severity in (("runner", "critical"), ("compiler", "warning"))
    ),
    Case(
        "FelderaClusterHealthStale",
        _checked(lambda _: ONSET - 1800),
        _checked(lambda now: now),
        {"service": "api"},
    ),
    _expiring("FelderaLicenseExpiring", 14, "warning"),
    _expiring("FelderaLicenseExpiryImminent", 3, "critical", _SOON),
    Case(
        "FelderaLicenseUnconfirmed",
        _own("feldera_license_valid", lambda now: float(now <= ONSET)),
        _own("feldera_license_valid", lambda _: 1),
        known_before=False,
    ),
    _once(
        "feldera_exporter_unknown_status_total", "FelderaExporterUnknownStatus", dimension="program_status"
    ),
    _once("feldera_exporter_event_gaps_total", "FelderaExporterEventGap"),
    Case(
        "FelderaEventLogUnread",
        _own("feldera_exporter_event_backlog", lambda now: float(now > ONSET)),
        _own("feldera_exporter_event_backlog", lambda _: 0),
        known_before=False,
    ),
    Case(
        "FelderaExporterUnreadablePipelines",
        _own("feldera_exporter_unreadable_pipelines", lambda now: float(now > ONSET - 300)),
        _own("feldera_exporter_unreadable_pipelines", lambda _: 0),
    ),
    _skewed(61),
    _skewed(-61),
)
