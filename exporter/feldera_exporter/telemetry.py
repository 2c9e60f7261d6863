"""What the exporter counts about itself: one registry, every closed set of label values at 0 from the start."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client import generate_latest as generate_text
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector

from feldera_exporter import logs
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.client import ENDPOINTS, Endpoint
from feldera_exporter.feldera.errors import OUTCOMES
from feldera_exporter.feldera.statuses import DIMENSIONS

INSTANCE: Final = "feldera_instance"
ALERTMANAGER: Final = "alertmanager"
CODES: Final = (
    "200",
    "400",
    "401",
    "403",
    "404",
    "429",
    "500",
    "502",
    "503",
    "504",
    "timeout",
    "unreachable",
)
"""The usual values of the label `code`: HTTP statuses, and what came instead of one."""
UNUSUAL_CODES: Final = 20
"""Values of the label `code` beside the usual ones that an instance may have; each further one is `other`."""
SOURCES: Final = ("events", "polls")
"""The values of the label `source`."""
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


_Metric = TypeVar("_Metric", Counter, Gauge, Histogram)


@dataclass(frozen=True, slots=True)
class Description:
    """What a family of the registry is: its name as people query it, its type, its help and its labels."""

    exposed_name: str
    kind: str
    help: str
    labels: tuple[str, ...]


class Telemetry:
    """The exporter's own metrics, `feldera_exporter_*`, with the process's.

    Args:
        version: of the exporter.
        python: the interpreter's version.

    Attributes:
        descriptions: what each family is, for the reference.
    """

    def __init__(self, version: str, python: str) -> None:
        # OpenMetrics would otherwise get a _created sample for each counter and histogram.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.descriptions: list[Description] = []
        self._instances: set[str] = set()
        self._of_instances: list[Counter | Gauge | Histogram] = []
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._info = self._gauge(
            "build_info", "The exporter that runs: always 1.", "version", "python_version"
        )
        self._info.labels(version, python).set(1)
        self.polls = self._counter(
            "polls", "Polls of the pipeline list, by how they ended.", INSTANCE, "outcome"
        )
        self.poll_duration = self._histogram(
            "poll_duration_seconds", "Time from a poll's request to the published snapshot.", INSTANCE
        )
        self.poll_interval = self._gauge(
            "poll_interval_seconds", "Time between polls, as configured.", INSTANCE
        )
        self.last_success = self._gauge(
            "last_successful_poll_timestamp_seconds",
            "When the last successful poll ended, by this machine's clock.",
            INSTANCE,
        )
        self.requests = self._counter(
            "api_requests",
            "Requests to Feldera, by HTTP status, or by the outcome where none came.",
            INSTANCE,
            "api_endpoint",
            "code",
        )
        self.request_duration = self._histogram(
            "api_request_duration_seconds", "Time of a request to Feldera.", INSTANCE, "api_endpoint"
        )
        self.clock_skew = self._gauge(
            "api_clock_skew_seconds",
            "Feldera's clock minus this machine's, from the Date header; exact to about a second.",
            INSTANCE,
        )
        self.unknown_statuses = self._counter(
            "unknown_status",
            "Statuses that this version does not know, one per poll and pipeline.",
            INSTANCE,
            "dimension",
        )
        self.unreadable = self._gauge(
            "unreadable_pipelines", "Pipelines of the last list whose element could not be read.", INSTANCE
        )
        self.backlog = self._gauge("event_backlog", "Pipelines whose events are still to be read.", INSTANCE)
        self._source = self._gauge(
            "transition_source",
            "Where transitions come from: Feldera's event log, or on old servers the polls themselves.",
            INSTANCE,
            "source",
        )
        self.store_errors = self._counter(
            "store_errors",
            "Failures to keep what must survive a restart; the next poll tries again.",
            INSTANCE,
        )
        self._series = self._gauge("series", "Samples of the tables in the last snapshot that was rendered.")
        self._bytes = self._gauge("exposition_bytes", "Size of the last exposition, uncompressed.", "format")
        self._render_duration = self._histogram(
            "render_duration_seconds", "Time to render a snapshot that somebody asked for."
        )
        for format_ in Format:
            self._bytes.labels(format_.value)
        self._config_success = self._gauge(
            "config_last_reload_successful", "Whether the last load of the configuration succeeded."
        )
        self._config_time = self._gauge(
            "config_last_reload_success_timestamp_seconds",
            "When the configuration was last loaded successfully.",
        )

        self._describe("counter", _LogLines.name, _LogLines.text, ())
        self._registry.register(_LogLines())

        self._alerts = self._gauge(
            "alerts",
            "Alerts that are sent to Alertmanager: those that fire, and those that ended lately.",
            "state",
        )
        self._notifications_sent = self._counter(
            "notifications_sent", "Alerts that an Alertmanager accepted.", ALERTMANAGER
        )
        self._notifications_failed = self._counter(
            "notifications_failed",
            "Alerts that an Alertmanager did not accept; they are sent again.",
            ALERTMANAGER,
        )
        self._notification_latency = self._histogram(
            "notification_latency_seconds",
            "Time of a request to an Alertmanager that it accepted.",
            ALERTMANAGER,
        )
        self.notification_delay = self._histogram(
            "notification_delay_seconds",
            "Time from the poll that saw a problem begin until an Alertmanager accepted its alert.",
        )
        self._notified = self._gauge(
            "alertmanager_last_success_timestamp_seconds",
            "When an Alertmanager last accepted a request, by this machine's clock; 0 if it never did.",
            ALERTMANAGER,
        )

    def notifications(self, alertmanager: str) -> "Notifications":
        """Return what counts the requests to an Alertmanager, which is named as `host:port`; its series are at 0."""
        return Notifications(
            self._notifications_sent.labels(alertmanager),
            self._notifications_failed.labels(alertmanager),
            self._notification_latency.labels(alertmanager),
            self._notified.labels(alertmanager),
        )

    def forget_alertmanager(self, alertmanager: str) -> None:
        """Drop every series of an Alertmanager that is no longer told."""
        for family in (
            self._notifications_sent,
            self._notifications_failed,
            self._notification_latency,
            self._notified,
        ):
            family.remove_by_labels({ALERTMANAGER: alertmanager})

    def count_alerts(self, firing: int, resolved: int) -> None:
        """Note how many alerts there are to send."""
        self._alerts.labels("firing").set(firing)
        self._alerts.labels("resolved").set(resolved)

    def configured(self, *, success: bool) -> None:
        """Note how a load of the configuration ended."""
        self._config_success.set(success)
        if success:
            self._config_time.set_to_current_time()

    def observer(self, instance: str) -> "Observer":
        """Return what the client of an instance tells of its requests."""
        return Observer(self, instance)

    def reads(self, instance: str, source: str) -> None:
        """Say where an instance's transitions come from: one of `SOURCES`."""
        for each in SOURCES:
            self._source.labels(instance, each).set(each == source)

    def rendered(self, samples: int, elapsed: float) -> None:
        """Note that a snapshot was rendered, with how many samples and in how many seconds."""
        self._series.set(samples)
        self._render_duration.observe(elapsed)

    def measured(self, format_: Format, size: int) -> None:
        """Note how many bytes an exposition has."""
        self._bytes.labels(format_.value).set(size)

    def expose(self, format_: Format) -> bytes:
        """Return all of it as text, without the end of an exposition."""
        if format_ is Format.OPENMETRICS:
            text: bytes = generate_openmetrics(self._registry)  # type: ignore[no-untyped-call]
            return text.removesuffix(format_.end)
        return generate_text(self._registry)

    def initialise(self, instance: str) -> None:
        """Give every closed set of label values of an instance its zeros."""
        for outcome in OUTCOMES:
            self.polls.labels(instance, outcome)
        for endpoint in ENDPOINTS:
            self.request_duration.labels(instance, endpoint.name)
            for code in CODES:
                self.requests.labels(instance, endpoint.name, code)
        for dimension in DIMENSIONS:
            self.unknown_statuses.labels(instance, dimension.name)
        for family in (self.poll_duration, self.unreadable, self.backlog, self.store_errors):
            family.labels(instance)
        if instance not in self._instances:
            # One that ran before a reload has told already.
            self.reads(instance, SOURCES[0])
        self._instances.add(instance)

    def knows(self, instance: str) -> bool:
        """Return whether an instance is configured."""
        return instance in self._instances

    def forget(self, instance: str) -> None:
        """Drop every series of an instance that is no longer configured."""
        self._instances.discard(instance)
        for family in self._of_instances:
            family.remove_by_labels({INSTANCE: instance})

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        self._describe("counter", f"{name}_total", text, labels)
        return self._keep(Counter(f"feldera_exporter_{name}", text, labels, registry=self._registry))

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        self._describe("gauge", name, text, labels)
        return self._keep(Gauge(f"feldera_exporter_{name}", text, labels, registry=self._registry))

    def _histogram(self, name: str, text: str, *labels: str) -> Histogram:
        self._describe("histogram", name, text, labels)
        return self._keep(
            Histogram(f"feldera_exporter_{name}", text, labels, registry=self._registry, buckets=_SECONDS)
        )

    def _keep(self, family: _Metric) -> _Metric:
        if self.descriptions[-1].labels[:1] == (INSTANCE,):
            self._of_instances.append(family)
        return family

    def _describe(self, kind: str, name: str, text: str, labels: tuple[str, ...]) -> None:
        self.descriptions.append(Description(f"feldera_exporter_{name}", kind, text, labels))


class _LogLines(Collector):
    """Gives the count of lines that the log dropped, which the log itself keeps."""

    name: Final = "log_lines_dropped_total"
    text: Final = (
        "Lines of the log that could not be written: its reader is gone or has stopped, or the disk is full."
    )

    def collect(self) -> Iterable[Metric]:
        """Yield the counter."""
        yield CounterMetricFamily(f"feldera_exporter_{self.name}", self.text, logs.dropped_lines())


@dataclass(frozen=True, slots=True)
class Notifications:
    """Counts the requests to one Alertmanager."""

    _sent: Counter
    _failed: Counter
    _latency: Histogram
    _answered_at: Gauge

    def sent(self, alerts: int) -> None:
        """Note that so many alerts were accepted."""
        self._sent.inc(alerts)

    def failed(self, alerts: int) -> None:
        """Note that so many alerts were not."""
        self._failed.inc(alerts)

    def answered(self, elapsed: float) -> None:
        """Note that a request was accepted, and its seconds."""
        self._latency.observe(elapsed)
        self._answered_at.set_to_current_time()


class Observer:
    """Notes the requests to one instance."""

    def __init__(self, telemetry: Telemetry, instance: str) -> None:
        self._telemetry = telemetry
        self._instance = instance
        self._unusual: set[str] = set()

    def __call__(self, endpoint: Endpoint, code: str, elapsed: float) -> None:
        """Note one request, unless its instance was taken out of the configuration meanwhile."""
        if not self._telemetry.knows(self._instance):
            return
        self._telemetry.requests.labels(self._instance, endpoint.name, self._bounded(code)).inc()
        self._telemetry.request_duration.labels(self._instance, endpoint.name).observe(elapsed)

    def _bounded(self, code: str) -> str:
        """Return the value of the label: a server may make up any status of three digits."""
        if code in CODES or code in self._unusual:
            return code
        if len(self._unusual) >= UNUSUAL_CODES:
            return "other"
        self._unusual.add(code)
        return code
