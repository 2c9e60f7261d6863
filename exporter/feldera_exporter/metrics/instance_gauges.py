"""The families of an instance as a whole: whether its API answers, how many pipelines it has, its services and license."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from feldera_exporter.exposition.family import Family, Sample, extra
from feldera_exporter.exposition.text import seconds
from feldera_exporter.feldera.platform import License, Service
from feldera_exporter.micros import Micros
from feldera_exporter.state.fleet import Fleet

_INFO: Final = ("version", "edition", "revision", "tenant")


def _up(fleet: Fleet) -> Iterator[Sample]:
    if fleet.up is not None:
        yield Sample("1" if fleet.up else "0")


def _pipelines(fleet: Fleet) -> Iterator[Sample]:
    if fleet.size is not None:
        yield Sample(str(fleet.size))


def _info(fleet: Fleet) -> Iterator[Sample]:
    if fleet.platform.version is not None:
        yield Sample("1", extra(*zip(_INFO, fleet.platform.labels, strict=True)))


def _service(read: Callable[[Service], str | None]) -> Callable[[Fleet], Iterable[Sample]]:
    def samples(fleet: Fleet) -> Iterator[Sample]:
        for name, service in fleet.platform.current_services.items():
            value = read(service)
            if value is not None:
                yield Sample(value, extra(("feldera_service", name)))

    return samples


def _stale(fleet: Fleet) -> Iterator[Sample]:
    if fleet.platform.stale is not None:
        yield Sample("1" if fleet.platform.stale else "0")


def _license(read: Callable[[License], str | None]) -> Callable[[Fleet], Iterable[Sample]]:
    def samples(fleet: Fleet) -> Iterator[Sample]:
        value = read(fleet.platform.license) if fleet.platform.license is not None else None
        if value is not None:
            yield Sample(value)

    return samples


def _instant(micros: Micros | None) -> str | None:
    return None if micros is None else seconds(micros)


FAMILIES: Final[tuple[Family[Fleet], ...]] = (
    Family(
        "feldera_up",
        "gauge",
        "Whether one of the last polls read the list of pipelines (1) or none did (0); absent until the first poll ended.",
        (),
        _up,
    ),
    Family(
        "feldera_pipelines",
        "gauge",
        "Number of pipelines of the instance, after the filters of the configuration.",
        (),
        _pipelines,
    ),
    Family(
        "feldera_info",
        "gauge",
        "A metric with a constant 1 value, labelled by the version, edition, revision and tenant of the Feldera instance.",
        _INFO,
        _info,
    ),
    Family(
        "feldera_cluster_service_healthy",
        "gauge",
        "Whether Feldera's cluster monitor found the service healthy at its last check (1) or not (0).",
        ("feldera_service",),
        _service(lambda service: "1" if service.healthy else "0"),
    ),
    Family(
        "feldera_cluster_service_checked_timestamp_seconds",
        "gauge",
        "Time of the last check of the service by Feldera's cluster monitor; if it stays, the monitor no longer runs.",
        ("feldera_service",),
        _service(lambda service: seconds(service.checked_at)),
    ),
    Family(
        "feldera_cluster_service_unchanged_since_timestamp_seconds",
        "gauge",
        "Time of the last change of the service's health.",
        ("feldera_service",),
        _service(lambda service: _instant(service.unchanged_since)),
    ),
    Family(
        "feldera_cluster_health_stale",
        "gauge",
        "Whether Feldera reports the health of its services as out of date (1) or not (0); absent before Feldera v0.352.",
        (),
        _stale,
    ),
    Family(
        "feldera_license_valid",
        "gauge",
        "Whether the license is confirmed and has not expired (1) or not (0); absent if there is no license.",
        (),
        _license(lambda known: "1" if known.valid else "0"),
    ),
    Family(
        "feldera_license_expiry_timestamp_seconds",
        "gauge",
        "Time when the license expires; absent if it does not expire.",
        (),
        _license(lambda known: _instant(known.expiry)),
    ),
)
