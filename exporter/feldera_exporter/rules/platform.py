"""The alerts about a Feldera instance: its fleet as a whole, its services, its license."""

from typing import Final

from feldera_exporter.rules import texts
from feldera_exporter.rules.model import Alert, Scope
from feldera_exporter.rules.promql import (
    ERROR,
    ON_INSTANCE,
    ON_PIPELINE,
    POLL_INTERVAL,
    age,
    firing,
    freshest,
    highest,
    indented,
    last,
    limit,
)

_I: Final = Scope.INSTANCE
_DAY: Final = 86_400

_FRESH_ERROR: Final = (
    f"{ERROR}\nand {ON_PIPELINE}\n"
    f"time() - {freshest(Scope.PIPELINE, last('feldera_pipeline_deployment_error_timestamp_seconds'))} < 3600"
)
_STUCK: Final = (
    f'{age("deployment_status")}{{status=~"Provisioning|Initializing|Stopping"}}\n'
    f"> {ON_PIPELINE} group_left () {limit('deployment_status')}"
)
_AGO: Final = texts.known(" {{ humanizeDuration $value }} ago")
_IN: Final = texts.known(" in {{ humanizeDuration $value }}")
_AWAY: Final = f'{age("deployment_status")}{{status="Unavailable"}} > 120'
_FAILING: Final = f"{_FRESH_ERROR}\nor {ON_PIPELINE} ({_STUCK})\nor {ON_PIPELINE} {_AWAY}"

_LISTED: Final = freshest(_I, last("feldera_pipelines"))
_MANY: Final = (
    f"clamp_min(0.1 * {_LISTED}, 4.5)\n"
    f"* {ON_INSTANCE} (\n"
    f"  0.6 * {highest(_I, firing('FelderaFleetDegraded'))}\n  or {ON_INSTANCE} 0 * {_LISTED} + 1\n"
    ")"
)
"""How many are too many: while it is said so, fewer, or a pipeline that comes and goes would page each time."""

_HEALTHY: Final = "feldera_cluster_service_healthy"
_CHECKED: Final = "feldera_cluster_service_checked_timestamp_seconds"
_ANSWERS: Final = highest(_I, f"avg_over_time(feldera_up[15m]) > 0.9\n  and {last('feldera_up', '12m')} == 1")
"""Instances whose lists of pipelines came all the while: one that is back from an outage is asked for its health soon."""

_UNTOLD: Final = (
    f"time() - {highest(_I, f'last_over_time({_CHECKED}[6h])', ('service',))}\n"
    f"unless {ON_INSTANCE} {highest(_I, f'last_over_time({_CHECKED}[15m])')}\n"
    f"and {ON_INSTANCE} {_ANSWERS}"
)
"""When services were checked last of which Feldera tells nothing any more; many tell nothing ever, or not to everybody."""

_LAST_ILL: Final = (
    f"-{highest(_I, firing('FelderaClusterServiceUnhealthy'), ('service',))}\n"
    f"unless {ON_INSTANCE} {highest(_I, f'last_over_time({_HEALTHY}[5m])')}\n"
    f"and {ON_INSTANCE} {highest(_I, f'last_over_time({_HEALTHY}[6h])')}\n"
    f"and {ON_INSTANCE} {highest(_I, last(POLL_INTERVAL))}"
)
"""What was unhealthy when Feldera told of its services for the last time, while the instance is watched."""


PLATFORM: Final = (
    Alert(
        "FelderaFleetDegraded",
        _I,
        f"count by (feldera_instance) (\n{indented(_FAILING)}\n)\n> {ON_INSTANCE} {_MANY}",
        "critical",
        "Many pipelines of an instance fail at the same time.",
        f"{texts.INSTANCE} has{texts.COUNT} failing pipelines, more than a tenth of "
        "all: errors of the last hour, stuck or unavailable ones. Look for the common cause first.",
        adds_up=True,
    ),
    Alert(
        "FelderaPipelineInventoryDropped",
        _I,
        f"{freshest(_I, last('feldera_pipelines'))}\n"
        "< 0.5 * (max by (feldera_instance) (max_over_time(feldera_pipelines[1h])) > 9.5)",
        "warning",
        "More than half of an instance's pipelines disappeared within an hour.",
        f"{texts.INSTANCE} lists{texts.COUNT} pipelines, less than half of what it did "
        "within the last hour. Deleted on purpose, or another tenant's key?",
        for_="10m",
    ),
    Alert(
        "FelderaClusterServiceUnhealthy",
        _I,
        f"{freshest(_I, f'max_over_time({_HEALTHY}[5m])', ('service',))} == 0\n"
        f"or on (feldera_instance, service) (\n{indented(_LAST_ILL)}\n)",
        "warning",
        "A service of Feldera is unhealthy.",
        f"{texts.INSTANCE} has reported its {{{{ $labels.service }}}} service as unhealthy for five minutes or more.",
        by=("service",),
        critical_if='ne $labels.service "compiler"',
        for_="2m",
    ),
    Alert(
        "FelderaClusterHealthStale",
        _I,
        f"time() - {freshest(_I, last(_CHECKED), ('service',))} > 1800\n"
        f"or on (feldera_instance, service) (\n{indented(_UNTOLD)}\n)",
        "warning",
        "Feldera no longer checks the health of its services, or no longer tells of it.",
        f"{texts.INSTANCE} last checked its {{{{ $labels.service }}}} service{_AGO}, as far as it tells; it should every ten "
        "minutes. What is known about its services' health may be long out of date.",
        by=("service",),
    ),
    Alert(
        "FelderaLicenseExpiring",
        _I,
        f"{freshest(_I, last('feldera_license_expiry_timestamp_seconds'))} - time() < {14 * _DAY}",
        "warning",
        "A Feldera license ends within two weeks.",
        f"{texts.INSTANCE} has a license that ends{_IN}.",
    ),
    Alert(
        "FelderaLicenseExpiryImminent",
        _I,
        f"{freshest(_I, last('feldera_license_expiry_timestamp_seconds'))} - time() < {3 * _DAY}",
        "critical",
        "A Feldera license ends within three days or has ended.",
        f"{texts.INSTANCE} has a license that ends{_IN}, or has ended.",
    ),
    Alert(
        "FelderaLicenseUnconfirmed",
        _I,
        f"{freshest(_I, last('feldera_license_valid'))} == 0",
        "warning",
        "Feldera has not been able to confirm its license for an hour.",
        f"{texts.INSTANCE} has no confirmed license. The license server may be out of its reach.",
        for_="1h",
    ),
)
