"""The table of all alerts; everything that lists, renders, documents or tests alerts reads it."""

from types import MappingProxyType
from typing import Final

from feldera_exporter.rules.compilation import COMPILATION
from feldera_exporter.rules.faults import FAULTS
from feldera_exporter.rules.lifecycle import LIFECYCLE
from feldera_exporter.rules.model import Alert
from feldera_exporter.rules.platform import PLATFORM
from feldera_exporter.rules.watching import WATCHING

SECTIONS: Final = MappingProxyType(
    {
        "Pipelines": (*LIFECYCLE, *FAULTS),
        "Programs and storage": COMPILATION,
        "Feldera": PLATFORM,
        "The watching itself": WATCHING,
    }
)
"""The alerts under the headings of the documentation."""

ALERTS: Final[tuple[Alert, ...]] = tuple(alert for section in SECTIONS.values() for alert in section)

NAMES: Final = frozenset(alert.name for alert in ALERTS)
"""The names that the configuration's `alerts:` may use."""
