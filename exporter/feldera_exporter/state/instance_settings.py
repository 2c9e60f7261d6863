"""The settings of one instance: which pipelines are watched, and the limits and tag labels of each."""

from collections.abc import Mapping
from math import inf
from typing import Any, Final

from msgspec.structs import replace

from feldera_exporter.config import Configuration, Instance, Limits
from feldera_exporter.feldera.label_variants import NONE, OTHER, Variants, with_variant
from feldera_exporter.feldera.statuses import DIMENSIONS
from feldera_exporter.feldera.wire import ProgramConfig, Row
from feldera_exporter.micros import from_seconds
from feldera_exporter.state.desired_difference import difference
from feldera_exporter.state.pipeline import Facts, StatusLimits
from feldera_exporter.state.tags import Tags, tag_labels, without_colours

_FAILED_POLLS: Final = 3
"""The number of polls in a row that may fail before an instance counts as down."""


class InstanceSettings:
    """The part of the configuration that applies to one instance's pipelines.

    Attributes:
        staleness: microseconds for which the last state is exported while polls fail.
        freshness: seconds after a successful poll for which the instance counts as up.
        disabled: the names of the disabled alerts.
        includes: returns whether a pipeline of this name is watched.
    """

    def __init__(self, configuration: Configuration, instance: Instance) -> None:
        self.staleness = from_seconds(instance.staleness)
        self.freshness = _FAILED_POLLS * instance.poll_interval + instance.timeout
        self.disabled = frozenset(name for name, choice in configuration.alerts.items() if not choice.enabled)
        self.includes = instance.pipelines.selects
        self._limits = configuration.limits
        self._labels = tag_labels(configuration.tag_labels)

    def again(self, facts: Facts) -> Facts:
        """Return the facts of a pipeline under these settings, from its facts under other settings."""
        return self.facts(facts.row, facts.error_code, facts.variants, storage_dated=facts.storage_dated)

    def facts(
        self, row: Row, error_code: str | None, variants: Variants = NONE, *, storage_dated: bool = True
    ) -> Facts:
        """Return the facts of a pipeline; the arguments are as in `Facts`, `variants` without those of this row."""
        limits = status_limits(self._limits, row.name, row.tags)
        differs = difference(row.deployment_desired_status, row.deployment_status, row.program_status)
        tags = self._labels(row.tags)
        unknown = tuple(
            dimension.name
            for dimension in DIMENSIONS
            if getattr(row, dimension.name) not in dimension.statuses
            and getattr(row, dimension.name) is not None
        )
        values = (
            row.platform_version,
            row.program_config,
            tags,
            *((name, getattr(row, name)) for name in unknown),
        )
        known = with_variant(variants, values)
        shown = row
        if known is None:
            tags = tuple((label, OTHER) for label, _ in tags)
            others: dict[str, Any] = dict.fromkeys(unknown, OTHER)
            shown = replace(row, platform_version=OTHER, program_config=ProgramConfig(OTHER), **others)
        return Facts(
            row=row,
            shown=shown,
            variants=variants if known is None else known,
            tag_labels=tags,
            limits=StatusLimits(
                deployment_status=limits.get(row.deployment_status, inf),
                deployment_desired_status=limits.get(differs, inf) if differs else inf,
                program_status=limits.get(row.program_status, inf),
                storage_status=limits.get(row.storage_status, inf),
                unavailable=limits.get("Unavailable", inf),
            ),
            error_code=error_code,
            unknown=unknown,
            storage_dated=storage_dated,
        )


def status_limits(configured: Limits, name: str, tags: Tags) -> Mapping[str, float]:
    """Return the limit of each status of a pipeline in seconds, and those of `StartPending` and `Drift`.

    Infinity is no limit, and a status that is not there has none (Running, Stopped, an unknown one). For each status, the
    first matching override with a limit for it wins, then the default. An override matches if its name expression matches
    the whole name, and its tag expression matches a whole tag without the colour suffix.
    """
    if not configured.overrides:
        return configured.defaults
    plain, seconds = without_colours(tags), dict(configured.defaults)
    # In reverse order, so that the first override wins.
    for override in reversed(configured.overrides):
        if (override.name is None or override.name.fullmatch(name)) and (
            override.tag is None or any(map(override.tag.fullmatch, plain))
        ):
            seconds |= override.limits
    return seconds
