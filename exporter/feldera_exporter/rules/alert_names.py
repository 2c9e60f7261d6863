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

PIPELINES: Final = "Pipelines"
PROGRAMS: Final = "Programs and storage"
FELDERA: Final = "Feldera"
EXPORTER: Final = "The exporter"

SECTIONS: Final = MappingProxyType(
    {
        PIPELINES: tuple(pipeline_alert(row.name) for row in (*LIFECYCLE, *FAULTS)),
        PROGRAMS: tuple(pipeline_alert(row.name) for row in COMPILATION),
        FELDERA: tuple(instance_alert(row.name) for row in PLATFORM),
        EXPORTER: tuple(EXPORTER_ALERTS),
    }
)
"""The names of the alerts by the headings of the documentation."""

NAMES: Final = frozenset(name for names in SECTIONS.values() for name in names)
"""The names that the configuration's `alerts:` may use."""
