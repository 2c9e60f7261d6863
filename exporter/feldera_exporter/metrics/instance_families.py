"""The families of an instance: whether its API answers, its services and license, and counters over all its pipelines."""

from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from operator import attrgetter
from typing import Any, Final

from feldera_exporter.exposition.family import Family, Sample, extra, known_instant, known_number
from feldera_exporter.exposition.text import seconds
from feldera_exporter.history.instance_totals import BOUNDS
from feldera_exporter.state.fleet import Fleet

# In the form that prometheus_client writes, for the whole exposition to have one form.
_LE: Final = (*(str(float(bound)) for bound in BOUNDS), "+Inf")
_INFO: Final = ("version", "edition", "revision", "tenant")


def _info(fleet: Fleet) -> Iterator[Sample]:
    if fleet.platform.version is not None:
        yield Sample("1", extra(*zip(_INFO, fleet.platform.labels, strict=True)))


def _service(read: Callable[[Any], Iterable[Sample]], field: str) -> Callable[[Fleet], Iterable[Sample]]:
    def samples(fleet: Fleet) -> Iterator[Sample]:
        for name, service in fleet.platform.current_services.items():
            for sample in read(getattr(service, field)):
                yield sample._replace(extra=extra(("feldera_service", name)))

    return samples


def _errors(fleet: Fleet) -> Iterator[Sample]:
    for code, count in fleet.counters.totals.errors.items():
        yield Sample(str(count), extra(("error_code", code)))


def _durations(fleet: Fleet) -> Iterator[Sample]:
    for status, durations in fleet.counters.totals.durations.items():
        label = ("status", status)
        cumulative = tuple(accumulate(durations.buckets))
        for bound, count in zip(_LE, cumulative, strict=True):
            yield Sample(str(count), extra(label, ("le", bound)), "_bucket")
        yield Sample(seconds(durations.micros), extra(label), "_sum")
        yield Sample(str(cumulative[-1]), extra(label), "_count")


FAMILIES: Final[tuple[Family[Fleet], ...]] = (
    Family(
        "feldera_up",
        "gauge",
        "Whether one of the last polls read the list of pipelines (1) or none did (0); absent until the first poll ended.",
        of=attrgetter("up"),
    ),
    Family(
        "feldera_pipelines",
        "gauge",
        "Number of pipelines of the instance, after the filters of the configuration.",
        of=attrgetter("size"),
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
        _service(known_number, "healthy"),
    ),
    Family(
        "feldera_cluster_service_checked_timestamp_seconds",
        "gauge",
        "Time of the last check of the service by Feldera's cluster monitor; if it stays, the monitor no longer runs.",
        ("feldera_service",),
        _service(known_instant, "checked_at"),
    ),
    Family(
        "feldera_cluster_service_unchanged_since_timestamp_seconds",
        "gauge",
        "Time of the last change of the service's health.",
        ("feldera_service",),
        _service(known_instant, "unchanged_since"),
    ),
    Family(
        "feldera_cluster_health_stale",
        "gauge",
        "Whether Feldera reports the health of its services as out of date (1) or not (0); absent before Feldera v0.352.",
        of=attrgetter("platform.stale"),
    ),
    Family(
        "feldera_license_valid",
        "gauge",
        "Whether the license is confirmed and has not expired (1) or not (0); absent if there is no license.",
        of=lambda fleet: fleet.platform.license and fleet.platform.license.valid,
    ),
    Family(
        "feldera_license_expiry_timestamp_seconds",
        "gauge",
        "Time when the license expires; absent if it does not expire.",
        read=known_instant,
        of=lambda fleet: fleet.platform.license and fleet.platform.license.expiry,
    ),
    Family(
        "feldera_deployment_errors",
        "counter",
        "Total number of deployment errors by error code; at most 100 codes, further ones count as `other`.",
        ("error_code",),
        _errors,
    ),
    Family(
        "feldera_status_duration_seconds",
        "histogram",
        "Duration of transient statuses by Feldera's timestamps, observed when they end.",
        ("status",),
        _durations,
    ),
    Family(
        "feldera_exporter_event_gaps",
        "counter",
        "Total number of gaps: transitions are not counted because Feldera discarded events before they were read, "
        "or their order is a guess because its clock stepped back.",
        of=attrgetter("counters.totals.gaps"),
    ),
    Family(
        "feldera_exporter_last_event_gap_timestamp_seconds",
        "gauge",
        "Time of the last event gap by Feldera's clock; absent if there was none.",
        read=known_instant,
        of=attrgetter("counters.totals.last_gap"),
    ),
    Family(
        "feldera_exporter_error_codes_folded",
        "counter",
        "Total number of errors counted under the code `other`: too many codes, or a code that is not valid as a label.",
        of=attrgetter("counters.totals.folded"),
    ),
)
