"""The families of an instance as a whole: whether it answers, how many pipelines it has, what it says of itself."""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from feldera_exporter.exposition.family import Family, Sample, extra
from feldera_exporter.exposition.text import seconds
from feldera_exporter.feldera.platform import License, Service
from feldera_exporter.state.fleet import Fleet


def _up(fleet: Fleet) -> Iterator[Sample]:
    if fleet.up is not None:
        yield Sample("1" if fleet.up else "0")


def _pipelines(fleet: Fleet) -> Iterator[Sample]:
    if fleet.size is not None:
        yield Sample(str(fleet.size))


def _info(fleet: Fleet) -> Iterator[Sample]:
    platform = fleet.platform
    if platform.version is not None:
        yield Sample(
            "1",
            extra(
                ("version", platform.version),
                ("edition", platform.edition),
                ("revision", platform.revision),
                ("tenant", platform.tenant),
            ),
        )


def _service(read: Callable[[Service], str | None]) -> Callable[[Fleet], Iterable[Sample]]:
    def samples(fleet: Fleet) -> Iterator[Sample]:
        for name, service in fleet.platform.heard_services.items():
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


def _instant(micros: int | None) -> str | None:
    return None if micros is None else seconds(micros)


FAMILIES: Final[tuple[Family[Fleet], ...]] = (
    Family(
        "feldera_up",
        "gauge",
        "Whether the pipeline list was read within the last polls; absent until the first poll ended.",
        (),
        _up,
    ),
    Family(
        "feldera_pipelines",
        "gauge",
        "Pipelines of the instance that the configuration includes.",
        (),
        _pipelines,
    ),
    Family(
        "feldera_info",
        "gauge",
        "What the instance says of itself: always 1.",
        ("version", "edition", "revision", "tenant"),
        _info,
    ),
    Family(
        "feldera_cluster_service_healthy",
        "gauge",
        "Whether Feldera's own monitor found the service healthy at its last check.",
        ("feldera_service",),
        _service(lambda service: "1" if service.healthy else "0"),
    ),
    Family(
        "feldera_cluster_service_checked_timestamp_seconds",
        "gauge",
        "When Feldera's own monitor last checked the service: a dead monitor shows only in the age of this.",
        ("feldera_service",),
        _service(lambda service: seconds(service.checked_at)),
    ),
    Family(
        "feldera_cluster_service_unchanged_since_timestamp_seconds",
        "gauge",
        "When the service's health last changed.",
        ("feldera_service",),
        _service(lambda service: _instant(service.unchanged_since)),
    ),
    Family(
        "feldera_cluster_health_stale",
        "gauge",
        "Feldera's own verdict that what it says of its services is too old to be true; absent before v0.352.",
        (),
        _stale,
    ),
    Family(
        "feldera_license_valid",
        "gauge",
        "Whether the license exists, is confirmed and has not expired; absent where there is none.",
        (),
        _license(lambda told: "1" if told.valid else "0"),
    ),
    Family(
        "feldera_license_expiry_timestamp_seconds",
        "gauge",
        "When the license ends; absent where it does not.",
        (),
        _license(lambda told: _instant(told.expiry)),
    ),
)
