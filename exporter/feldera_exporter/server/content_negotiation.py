"""Content negotiation (RFC 9110, section 12): the format of the exposition, and gzip."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from feldera_exporter.exposition.text import Format

_OPENMETRICS_VERSIONS: Final = frozenset({"0.0.1", "1.0.0"})


@dataclass(frozen=True, slots=True)
class _Preference:
    """One element of an Accept or Accept-Encoding header."""

    value: str
    parameters: dict[str, str]
    quality: float


def format_for(accept: str) -> Format:
    """Return the format to answer with: OpenMetrics where the client prefers it, else text, which all can read.

    Prometheus asks for `application/openmetrics-text` by name; a wildcard (browsers, curl) gets text.
    """
    openmetrics = text = 0.0
    for preference in _preferences(accept):
        if preference.value == "application/openmetrics-text":
            if preference.parameters.get("version", "1.0.0") in _OPENMETRICS_VERSIONS:
                openmetrics = max(openmetrics, preference.quality)
        elif preference.value == "text/plain":
            text = max(text, preference.quality)
    return Format.OPENMETRICS if openmetrics > 0 and openmetrics >= text else Format.TEXT


def accepts_gzip(accept_encoding: str) -> bool:
    """Return whether the client reads gzip; a coding that is named wins over the wildcard."""
    qualities = {preference.value: preference.quality for preference in _preferences(accept_encoding)}
    return qualities.get("gzip", qualities.get("x-gzip", qualities.get("*", 0.0))) > 0


def _preferences(header: str) -> Iterator[_Preference]:
    for element in header.split(","):
        value, *rest = (part.strip() for part in element.split(";"))
        if not value:
            continue
        parameters = {}
        for parameter in rest:
            key, _, content = parameter.partition("=")
            parameters[key.strip().lower()] = content.strip().strip('"')
        yield _Preference(value.lower(), parameters, _quality(parameters.pop("q", "1")))


def _quality(text: str) -> float:
    try:
        quality = float(text)
    except ValueError:
        return 0.0
    return quality if 0.0 <= quality <= 1.0 else 0.0
