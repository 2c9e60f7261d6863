"""The names of all alerts: those of problems, and those about the exporter itself."""

from types import MappingProxyType
from typing import Final

from feldera_exporter.problems.table import (
    COMPILATION,
    FAULTS,
    LIFECYCLE,
    PLATFORM,
    instance_alert,
    pipeline_alert,
)
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS

SECTIONS: Final = MappingProxyType(
    {
        "Pipelines": tuple(pipeline_alert(row.name) for row in (*LIFECYCLE, *FAULTS)),
        "Programs and storage": tuple(pipeline_alert(row.name) for row in COMPILATION),
        "Feldera": tuple(instance_alert(row.name) for row in PLATFORM),
        "The exporter": tuple(EXPORTER_ALERTS),
    }
)
"""The names of the alerts by the headings of the documentation."""

NAMES: Final = frozenset(name for names in SECTIONS.values() for name in names)
"""The names that the configuration's `alerts:` may use."""
