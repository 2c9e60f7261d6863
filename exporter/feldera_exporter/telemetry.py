"""The exporter's own metrics, in one registry. Every label value that is known in advance has a sample from the start."""

from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

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
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from feldera_exporter import logs
from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.client import ENDPOINTS, Endpoint
from feldera_exporter.feldera.errors import OUTCOMES
from feldera_exporter.feldera.statuses import DIMENSIONS

INSTANCE: Final = "feldera_instance"
ALERTMANAGER: Final = "alertmanager"
CODES: Final = (
    *("200", "400", "401", "403", "404", "429", "500", "502", "503", "504"),
    *("timeout", "unreachable"),
)
"""The values of the label `code`: HTTP statuses, and the outcome of a request that got none; another status is `other`."""
SOURCES: Final = ("events", "polls")
"""The values of the label `source`."""
_BUCKETS_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
"""The upper bounds of the histograms' buckets, in seconds."""


_Metric = TypeVar("_Metric", bound=Counter | Gauge | Histogram)


@dataclass(frozen=True, slots=True)
class Description:
    """The description of a family: its name as users query it, its type, its HELP text and its labels."""

    exposed_name: str
    kind: str
    help: str
    labels: tuple[str, ...]


class Telemetry:
    """The exporter's own metrics, `feldera_exporter_*`, and those of its process.

    Attributes:
        descriptions: the description of each family, for the metric reference.
    """

    def __init__(self, version: str, python: str) -> None:
        # Otherwise each counter and histogram would have a _created sample in OpenMetrics.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.descriptions: list[Description] = []
        self._instances: set[str] = set()
        self._by_first_label: defaultdict[str, list[Counter | Gauge | Histogram]] = defaultdict(list)
        self._registry = CollectorRegistry()
        counter, gauge = partial(self._family, Counter), partial(self._family, Gauge)
        histogram = partial(self._family, Histogram)
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        gauge(
            "build_info",
            "A metric with a constant 1 value, labelled by the exporter's version and the Python version.",
            "version",
            "python_version",
        ).labels(version, python).set(1)
        self.polls = counter(
            "polls", "Total number of polls of the list of pipelines, by outcome.", INSTANCE, "outcome"
        )
        self.poll_duration = histogram(
            "poll_duration_seconds",
            "Duration of a poll, from its request to the published snapshot.",
            INSTANCE,
        )
        self.poll_interval = gauge("poll_interval_seconds", "Configured interval between polls.", INSTANCE)
        self.last_success = gauge(
            "last_successful_poll_timestamp_seconds",
            "Time when the last successful poll ended, by the exporter's clock.",
            INSTANCE,
        )
        self.requests = counter(
            "api_requests",
            "Total number of requests to Feldera's API, by HTTP status code, or by outcome if there was no response.",
            INSTANCE,
            "api_endpoint",
            "code",
        )
        self.request_duration = histogram(
            "api_request_duration_seconds", "Duration of requests to Feldera's API.", INSTANCE, "api_endpoint"
        )
        self.clock_skew = gauge(
            "api_clock_skew_seconds",
            "Feldera's clock minus the exporter's clock, from the Date header; accurate to about a second.",
            INSTANCE,
        )
        self.unknown_statuses = counter(
            "unknown_status",
            "Total number of statuses that this version of the exporter does not know; each pipeline counts at every poll.",
            INSTANCE,
            "dimension",
        )
        self.unreadable = gauge(
            "unreadable_pipelines",
            "Number of pipelines in the last list that the exporter could not read.",
            INSTANCE,
        )
        self.backlog = gauge(
            "event_backlog", "Number of pipelines whose new events have not been read yet.", INSTANCE
        )
        self._source = gauge(
            "transition_source",
            "Source of the transitions: 1 for the one in use, Feldera's event log or, with old versions, the polls.",
            INSTANCE,
            "source",
        )
        self.store_errors = counter(
            "store_errors", "Total number of failed writes to the store; the next poll tries again.", INSTANCE
        )
        self._series = gauge(
            "series", "Number of samples in the last exposition, without the exporter's own metrics."
        )
        self._bytes = gauge(
            "exposition_bytes", "Uncompressed size of the last exposition, by format.", "format"
        )
        self._render_duration = histogram("render_duration_seconds", "Duration of rendering an exposition.")
        for format_ in Format:
            self._bytes.labels(format_.value)
        self._config_success = gauge(
            "config_last_reload_successful", "Whether the last configuration reload attempt was successful."
        )
        self._config_time = gauge(
            "config_last_reload_success_timestamp_seconds",
            "Timestamp of the last successful configuration reload.",
        )

        [dropped] = logs.DROPPED.describe()
        self.descriptions.append(Description(f"{dropped.name}_total", "counter", dropped.documentation, ()))
        self._registry.register(logs.DROPPED)

        self._alerts = gauge(
            "alerts",
            "Number of alerts that are sent to Alertmanager: firing, or resolved within the last 15 minutes.",
            "state",
        )
        self._notifications_sent = counter(
            "notifications_sent", "Total number of alerts that the Alertmanager accepted.", ALERTMANAGER
        )
        self._notifications_failed = counter(
            "notifications_failed",
            "Total number of alerts that the Alertmanager did not accept; they are sent again.",
            ALERTMANAGER,
        )
        self._notification_latency = histogram(
            "notification_latency_seconds",
            "Duration of successful requests to the Alertmanager.",
            ALERTMANAGER,
        )
        self.notification_delay = histogram(
            "notification_delay_seconds",
            "Time from the poll that found a new problem to the first acceptance of its alert by an Alertmanager.",
        )
        self._notified = gauge(
            "alertmanager_last_success_timestamp_seconds",
            "Time when the Alertmanager last accepted a request, by the exporter's clock; 0 if it never did.",
            ALERTMANAGER,
        )

    def notifications(self, alertmanager: str) -> "Notifications":
        """Return the counters of an Alertmanager (`host:port`); its series exist at 0 from now on."""
        return Notifications(
            self._notifications_sent.labels(alertmanager),
            self._notifications_failed.labels(alertmanager),
            self._notification_latency.labels(alertmanager),
            self._notified.labels(alertmanager),
        )

    def forget_alertmanager(self, alertmanager: str) -> None:
        """Remove every series of an Alertmanager that no longer gets alerts."""
        for family in self._by_first_label[ALERTMANAGER]:
            family.remove_by_labels({ALERTMANAGER: alertmanager})

    def count_alerts(self, firing: int, resolved: int) -> None:
        """Set the numbers of alerts to send."""
        self._alerts.labels("firing").set(firing)
        self._alerts.labels("resolved").set(resolved)

    def configured(self, *, success: bool) -> None:
        """Record whether the configuration was loaded."""
        self._config_success.set(success)
        if success:
            self._config_time.set_to_current_time()

    def observe(self, instance: str, endpoint: Endpoint, code: str, elapsed: float) -> None:
        """Record a request to an instance and its duration in seconds, unless a reload has removed the instance."""
        if instance in self._instances:
            self.requests.labels(instance, endpoint.name, code if code in CODES else "other").inc()
            self.request_duration.labels(instance, endpoint.name).observe(elapsed)

    def reads(self, instance: str, source: str) -> None:
        """Set the source of an instance's transitions to one of `SOURCES`."""
        for known in SOURCES:
            self._source.labels(instance, known).set(known == source)

    def rendered(self, samples: int, elapsed: float) -> None:
        """Record the number of samples of a rendered snapshot, and the seconds that rendering took."""
        self._series.set(samples)
        self._render_duration.observe(elapsed)

    def measured(self, format_: Format, size: int) -> None:
        """Record the size of an exposition in bytes."""
        self._bytes.labels(format_.value).set(size)

    def expose(self, format_: Format) -> bytes:
        """Return the registry as text, without the `# EOF` of OpenMetrics."""
        if format_ is Format.OPENMETRICS:
            text: bytes = generate_openmetrics(self._registry)  # type: ignore[no-untyped-call]
            return text.removesuffix(format_.end)
        return generate_text(self._registry)

    def initialise(self, instance: str) -> None:
        """Create the series of an instance at 0, for all label values that are known in advance."""
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
            # After a reload, an instance keeps the source that is in use.
            self.reads(instance, SOURCES[0])
        self._instances.add(instance)

    def forget(self, instance: str) -> None:
        """Remove every series of an instance that is no longer configured."""
        self._instances.discard(instance)
        for family in self._by_first_label[INSTANCE]:
            family.remove_by_labels({INSTANCE: instance})

    def _family(self, kind: type[_Metric], name: str, text: str, *labels: str) -> _Metric:
        """Register a family, and describe it."""
        full = f"feldera_exporter_{name}"
        more: dict[str, Any] = {"buckets": _BUCKETS_SECONDS} if kind is Histogram else {}
        family = kind(full, text, labels, registry=self._registry, **more)
        exposed = f"{full}_total" if kind is Counter else full
        self.descriptions.append(Description(exposed, kind.__name__.lower(), text, labels))
        if labels:
            self._by_first_label[labels[0]].append(family)
        return family


@dataclass(frozen=True, slots=True)
class Notifications:
    """The metrics of one Alertmanager."""

    sent: Counter
    failed: Counter
    latency: Histogram
    answered_at: Gauge
