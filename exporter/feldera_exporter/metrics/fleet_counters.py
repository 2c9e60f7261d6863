"""The families of what an instance's pipelines did together: errors by code, durations, gaps of the log."""

from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from feldera_exporter.exposition.family import Family, Sample, extra
from feldera_exporter.exposition.text import number, seconds
from feldera_exporter.history.instance_totals import BOUNDS
from feldera_exporter.state.fleet import Fleet

# As prometheus_client writes them, so that one exposition has one form.
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


def _gaps(fleet: Fleet) -> Iterator[Sample]:
    yield Sample(number(fleet.totals.gaps))


def _last_gap(fleet: Fleet) -> Iterator[Sample]:
    if fleet.totals.last_gap is not None:
        yield Sample(seconds(fleet.totals.last_gap))


def _folded(fleet: Fleet) -> Iterator[Sample]:
    yield Sample(number(fleet.totals.folded))


FAMILIES: Final[tuple[Family[Fleet], ...]] = (
    Family(
        "feldera_deployment_errors",
        "counter",
        "Deployment errors that appeared in the instance, by code; codes beyond the hundredth are `other`.",
        ("error_code",),
        _errors,
    ),
    Family(
        "feldera_status_duration_seconds",
        "histogram",
        "How long transient statuses lasted, observed when they ended, by Feldera's timestamps.",
        ("status",),
        _durations,
    ),
    Family(
        "feldera_exporter_event_gaps",
        "counter",
        "How often events were purged before they could be read: transitions in between are not counted.",
        (),
        _gaps,
    ),
    Family(
        "feldera_exporter_last_event_gap_timestamp_seconds",
        "gauge",
        "When events were last purged before they could be read, by Feldera's clock; absent while they never were.",
        (),
        _last_gap,
    ),
    Family(
        "feldera_exporter_error_codes_folded",
        "counter",
        "Errors whose code was counted as `other`: too many codes, or one that is no code.",
        (),
        _folded,
    ),
)
