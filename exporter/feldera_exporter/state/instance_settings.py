"""The policy: which pipelines of an instance are shown, and what the configuration makes of each."""

from functools import lru_cache
from typing import Final

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.feldera.statuses import DIMENSIONS
from feldera_exporter.feldera.wire import Row
from feldera_exporter.state.desired_difference import drift_limit
from feldera_exporter.state.limits import limit_tables
from feldera_exporter.state.pipeline import Facts, StatusLimits
from feldera_exporter.state.tags import tag_labels

_NAMES: Final = 65_536
_MICROSECONDS: Final = 1_000_000
_POLLS: Final = 3
"""Polls that may fail in a row before an instance counts as down."""


class InstanceSettings:
    """What the configuration says of one instance's pipelines.

    Args:
        configuration: the whole of it.
        instance: the instance.

    Attributes:
        staleness: for how many microseconds the last state is shown while it cannot be read anew.
        freshness: for how many seconds after a successful poll the instance counts as up: some polls may fail.
        disabled: names of alerts that are switched off.
    """

    def __init__(self, configuration: Configuration, instance: Instance) -> None:
        self.staleness = round(instance.staleness * _MICROSECONDS)
        self.freshness = _POLLS * instance.poll_interval + instance.timeout
        self.disabled = frozenset(name for name, choice in configuration.alerts.items() if not choice.enabled)
        self.includes = lru_cache(maxsize=_NAMES)(instance.pipelines.selects)
        self._limits = limit_tables(configuration.limits)
        self._labels = tag_labels(configuration.tag_labels)

    def again(self, facts: Facts) -> Facts:
        """Return what another policy said of a pipeline as this one says it."""
        return self.facts(facts.row, facts.error_code, storage_dated=facts.storage_dated)

    def facts(self, row: Row, error_code: str | None, *, storage_dated: bool = True) -> Facts:
        """Return what a pipeline is.

        Args:
            row: what Feldera's list says of it.
            error_code: the label of its present error.
            storage_dated: whether it is known when its storage status began.
        """
        limits = self._limits(row.name, row.tags)
        desired, actual = row.deployment_desired_status, row.deployment_status
        return Facts(
            row=row,
            tag_labels=self._labels(row.tags),
            limits=StatusLimits(
                deployment_status=limits.of(actual),
                deployment_desired_status=drift_limit(limits, desired, actual, row.program_status),
                program_status=limits.of(row.program_status),
                storage_status=limits.of(row.storage_status),
                unavailable=limits.of("Unavailable"),
            ),
            error_code=error_code,
            unknown=tuple(
                dimension.name
                for dimension in DIMENSIONS
                if getattr(row, dimension.name) not in dimension.statuses
                and getattr(row, dimension.name) is not None
            ),
            storage_dated=storage_dated,
        )
