"""Content negotiation (RFC 9110, section 12): the format of the exposition, and gzip."""

from collections.abc import Iterator
from typing import Final

from feldera_exporter.exposition.text import Format

_OPENMETRICS_VERSIONS: Final = frozenset({"0.0.1", "1.0.0"})


def format_for(accept: str) -> Format:
    """Return the format to answer with: OpenMetrics where the client prefers it, else text, which all can read.

    Prometheus asks for `application/openmetrics-text` by name; a wildcard (browsers, curl) gets text.
    """
    openmetrics = text = 0.0
    for value, version, quality in _preferences(accept):
        if value == "application/openmetrics-text" and version in _OPENMETRICS_VERSIONS:
            openmetrics = max(openmetrics, quality)
        elif value == "text/plain":
            text = max(text, quality)
    return Format.OPENMETRICS if openmetrics > 0 and openmetrics >= text else Format.TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether the client reads gzip; a coding that is named wins over the wildcard."""
    qualities = {value: quality for value, _, quality in _preferences(accept_encoding)}
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


def _preferences(header: str) -> Iterator[tuple[str, str, float]]:
    """Yield the value, the version and the quality of each element of a header."""
    for element in header.lower().split(","):
        value, *rest = (part.strip() for part in element.split(";"))
        pairs = (part.partition("=") for part in rest)
        parameters = {key.strip(): content.strip().strip('"') for key, _, content in pairs}
        yield value, parameters.get("version", "1.0.0"), _quality(parameters.get("q", "1"))


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
