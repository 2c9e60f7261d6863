"""The colour of each kind of status; thresholds and severities use the same colours."""

from types import MappingProxyType
from typing import Final

from feldera_exporter.feldera.statuses import Kind

COLOURS: Final = MappingProxyType(
    {
        Kind.GOOD: "#3fa45b",
        Kind.TRANSIENT: "#4c8fd9",
        Kind.BAD: "#d9413f",
        Kind.NEEDS_PERSON: "#e39b22",
        Kind.IDLE: "#8b919b",
    }
)
"""Readable on Grafana's light and dark background, always beside the name of the status."""

GOOD: Final = COLOURS[Kind.GOOD]
TRANSIENT: Final = COLOURS[Kind.TRANSIENT]
BAD: Final = COLOURS[Kind.BAD]
NEEDS_PERSON: Final = COLOURS[Kind.NEEDS_PERSON]
IDLE: Final = COLOURS[Kind.IDLE]

SEVERITIES: Final = MappingProxyType({3: ("critical", BAD), 2: ("warning", NEEDS_PERSON), 1: ("info", IDLE)})
"""The severities with their colours, by the number that sorts them."""
