"""The families that count over all pipelines of an instance: errors by code, durations of statuses, gaps in the event log."""

from collections.abc import Iterator
from itertools import accumulate
from operator import attrgetter
from typing import Final

from feldera_exporter.exposition.family import Family, Sample, extra, known_instant
from feldera_exporter.exposition.text import seconds
from feldera_exporter.history.instance_totals import BOUNDS
from feldera_exporter.state.fleet import Fleet

# In the form that prometheus_client writes, for the whole exposition to have one form.
_LE: Final = (*(str(float(bound)) for bound in BOUNDS), "+Inf")


def _errors(fleet: Fleet) -> Iterator[Sample]:
    for code, count in fleet.totals.errors.items():
        yield Sample(str(count), extra(("error_code", code)))


def _durations(fleet: Fleet) -> Iterator[Sample]:
    for status, durations in fleet.totals.durations.items():
        label = ("status", status)
        cumulative = tuple(accumulate(durations.buckets))
        for bound, count in zip(_LE, cumulative, strict=True):
            yield Sample(str(count), extra(label, ("le", bound)), "_bucket")
        yield Sample(seconds(durations.micros), extra(label), "_sum")
        yield Sample(str(cumulative[-1]), extra(label), "_count")


FAMILIES: Final[tuple[Family[Fleet], ...]] = (
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
        of=attrgetter("totals.gaps"),
    ),
    Family(
        "feldera_exporter_last_event_gap_timestamp_seconds",
        "gauge",
        "Time of the last event gap by Feldera's clock; absent if there was none.",
        read=known_instant,
        of=attrgetter("totals.last_gap"),
    ),
    Family(
        "feldera_exporter_error_codes_folded",
        "counter",
        "Total number of errors counted under the code `other`: too many codes, or a code that is not valid as a label.",
        of=attrgetter("totals.folded"),
    ),
)
