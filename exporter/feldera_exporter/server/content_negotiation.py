"""Content negotiation (RFC 9110, section 12): the format of the exposition, and gzip."""

import re
from typing import Final

from feldera_exporter.exposition.text import Format

_QUALITY: Final = re.compile(r"\bq=(\d*\.?\d+)")


def format_for(accept: str) -> Format:
    """Return the format to answer with: OpenMetrics where the client prefers it, else text, which all can read.

    Prometheus asks for `application/openmetrics-text` by name; a wildcard (browsers, curl) gets text.
    """
    openmetrics = _quality(accept, "application/openmetrics-text")
    return Format.OPENMETRICS if 0 < openmetrics >= _quality(accept, "text/plain") else Format.TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether the client reads gzip."""
    return _quality(accept_encoding, "gzip") > 0


def _quality(header: str, name: str) -> float:
    """Return how much a client prefers a value, 0 to 1, by the first element of a header with it; 0 without one."""
    for element in header.lower().split(","):
        value, *parameters = element.split(";")
        if value.strip() == name:
            quality = _QUALITY.search(";".join(parameters))
            return float(quality[1]) if quality else 1.0
    return 0.0
