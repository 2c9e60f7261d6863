"""The validators of values in the configuration: each returns a YAML value as a Python value, or raises `RefusedError`.

The annotation of a field in `schema` holds its validator, so a field's type says which values it takes.
"""

import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import httpx

from feldera_exporter.config.errors import RefusedError, shown
from feldera_exporter.config.secret import Secret
from feldera_exporter.units import format_duration, format_size, parse_duration, parse_size

Number = TypeVar("Number", int, float)

# A name is a label value and a part of a URL's path.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STATUS: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
_HEADER_SAFE: Final = re.compile(r"[!-~]+")
# A name, an IPv4 address, or without its brackets an IPv6 one.
_HOST: Final = re.compile(r"[a-z0-9._-]+|[a-z0-9.%]*:[a-z0-9.:%]*")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE: Final = re.compile(r"[!-~](?:[ -~]*[!-~])?")
_OWN_HEADERS: Final = frozenset(
    {
        "accept",
        "accept-encoding",
        "connection",
        "content-length",
        "host",
        "te",
        "transfer-encoding",
        "upgrade",
    }
)
"""Headers that the exporter sets itself, and headers of the connection."""
_HIGHEST_PORT: Final = 65535
_ROUTE: Final = re.compile(r"/v0(/pipelines)?$")
_ALERTMANAGER_ROUTE: Final = re.compile(r"/api(/v[12](/\w+)?)?$")
_SHORTEST_INTERVAL: Final = 0.1
"""Seconds. Feldera locks its database for each list of pipelines."""
_SMALLEST_RESPONSE: Final = 64 * 2**10
"""Bytes: the list of a few dozen pipelines."""
_NO_PATH: Final = re.compile("[\0\ud800-\udfff]")
"""NUL, and half of a surrogate pair, which YAML can write and UTF-8 cannot."""
_LONGEST_PATH_PART: Final = 64
"""Characters. A path with a longer part is not shown in errors: it may be an API key."""

RESERVED_LABELS: Final = frozenset(
    {
        # Labels of every pipeline's samples, or of feldera_pipeline_info.
        "feldera_instance",
        "pipeline",
        "pipeline_name",
        "platform_version",
        "program_profile",
        # Labels of families that are joined with feldera_pipeline_info: a join would overwrite them.
        "status",
        "from",
        "to",
        "error_code",
        # Labels of alerts about Feldera's services and about the exporter.
        "feldera_service",
        "alertmanager",
        "dimension",
        # The label of the samples of problems.
        "problem",
        # Prometheus and Alertmanager set these themselves.
        "instance",
        "job",
        "le",
        "quantile",
        "alertname",
        "alertstate",
        "severity",
    }
)
"""The labels that neither tags nor the settings of alerts may set."""


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[object], str]:
    def validate(value: object) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise RefusedError(shown(value), expected)
        return value

    return validate


def one_of(*known: str) -> Callable[[object], str]:
    """Return the validator that takes these texts."""

    def validate(value: object) -> str:
        if not isinstance(value, str) or value not in known:
            raise RefusedError(shown(value), f"one of {', '.join(known)}")
        return value

    return validate


name: Final = _matching(
    _NAME, "a name of at most 63 letters, digits, dots, dashes and underscores such as prod"
)
"""An instance's name."""

status: Final = _matching(_STATUS, "a status in CamelCase such as Provisioning")
"""A status that a limit is for. It may be unknown: newer versions of Feldera have further ones."""

family: Final = _matching(_LABEL, "the name of a metric family such as feldera_pipeline_refresh_version")
"""The name of a metric family, known or not."""

alert: Final = _matching(_STATUS, "the name of an alert such as FelderaPipelineFlapping")
"""The name of an alert, known or not."""

username: Final = _matching(re.compile(r"[^:\x00-\x1f\x7f]+"), "a user's name without colons")
"""A user's name for basic authentication, which ends at the first colon."""

severity: Final = one_of("critical", "warning", "info", "none")
"""The severity of an alert."""

shipped_severity: Final = one_of("critical", "warning", "info")
"""A severity of the shipped rules that the configuration may rename."""


_any_label: Final = _matching(_LABEL, "a label name of letters, digits and underscores such as cost_center")


def label(value: object) -> str:
    """Return the name of a label for tags or alerts."""
    name = _any_label(value)
    if name in RESERVED_LABELS or name.startswith("__"):
        raise RefusedError(shown(name), "a label that neither the exporter nor Prometheus uses itself")
    return name


def duration(value: object) -> float:
    """Return a duration above zero in seconds."""
    return _positive(value, parse_duration, "a duration such as 5s")


def limit(value: object) -> float:
    """Return a limit in seconds: a duration, or infinity for `none`."""
    return (
        math.inf if value == "none" else _positive(value, parse_duration, "a duration such as 10m, or none")
    )


def interval(value: object) -> float:
    """Return an interval or a timeout of requests in seconds."""
    seconds = duration(value)
    if seconds < _SHORTEST_INTERVAL:
        raise RefusedError(
            shown(value), f"a duration such as 5s, at least {format_duration(_SHORTEST_INTERVAL)}"
        )
    return seconds


def _positive(value: object, parse: Callable[[str], Number], expected: str) -> Number:
    try:
        number = parse(value) if isinstance(value, str) else None
    except ValueError:
        number = None
    if number is None:
        raise RefusedError(shown(value), expected)
    if number <= 0:
        raise RefusedError(shown(value), f"{expected}, above zero")
    return number


def size(value: object) -> int:
    """Return the largest size of a response in bytes."""
    expected = "a size such as 64MiB"
    most = _positive(value, parse_size, expected)
    if most < _SMALLEST_RESPONSE:
        raise RefusedError(shown(value), f"{expected}, at least {format_size(_SMALLEST_RESPONSE)}")
    return most


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise RefusedError(shown(value), "true or false")
    return value


def text(value: object) -> str:
    """Return a text."""
    if not isinstance(value, str):
        raise RefusedError(shown(value), "a text")
    return value


def non_empty_text(value: object) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise RefusedError(shown(value), "a word such as page")
    return value


_any_header_name: Final = _matching(_HEADER_NAME, "the name of an HTTP header such as X-Proxy-Token")


def header_name(value: object) -> str:
    """Return the name of a header that the exporter does not set itself (RFC 9110, section 5.1)."""
    name = _any_header_name(value)
    if name.lower() in _OWN_HEADERS:
        raise RefusedError(shown(name), "a header that the exporter does not set itself")
    return name


def secret(value: object) -> Secret:
    """Return an API key or the value of a header; errors never contain it."""
    expected = "one line of ASCII characters"
    if not isinstance(value, str):
        found = "a value that is no text (not shown)" if isinstance(value, int | float) else shown(value)
        raise RefusedError(found, f"{expected}, in quotes")
    if not value:
        raise RefusedError("an empty text", expected)
    if not _HEADER_VALUE.fullmatch(value):
        raise RefusedError("a text with other characters, or with blanks at an end (not shown)", expected)
    return Secret(value)


def expression(value: object) -> re.Pattern[str]:
    r"""Return a regular expression, to be used with `fullmatch` only: it is anchored at both ends.

    Classes such as `\w` mean ASCII, as they do in Prometheus.
    """
    if not isinstance(value, str) or not value:
        raise RefusedError(shown(value), "a regular expression")
    try:
        with warnings.catch_warnings():
            # `[[:alpha:]]` is a class in Prometheus and something else, with a FutureWarning, in Python.
            warnings.simplefilter("error", FutureWarning)
            return re.compile(value, re.ASCII)
    except (re.error, ValueError, OverflowError, RecursionError, FutureWarning) as error:
        raise RefusedError(shown(value), f"a regular expression ({error})") from None


def tag_expression(value: object) -> re.Pattern[str]:
    """Return a regular expression over tags whose only group is a label's value."""
    pattern = expression(value)
    if pattern.groups != 1:
        raise RefusedError(
            f"{shown(value)} with {pattern.groups} groups",
            "exactly one group, which gives the label its value, such as team[:=](.+)",
        )
    return pattern


def url(value: object) -> str:
    """Return Feldera's address with its scheme in lower case and without a slash at its end."""
    found = _address(value, "an http or https address such as https://feldera.example.com")
    if _ROUTE.search(found):
        raise RefusedError(shown(value), "Feldera's address without /v0 and what follows")
    return found


def alertmanager_url(value: object) -> str:
    """Return Alertmanager's address, as `url` does; it may have a path."""
    found = _address(value, "an http or https address such as http://alertmanager:9093")
    if _ALERTMANAGER_ROUTE.search(found):
        raise RefusedError(shown(value), "Alertmanager's address without /api and what follows")
    return found


def _address(value: object, expected: str) -> str:
    if not isinstance(value, str) or not value:
        raise RefusedError(shown(value), expected)
    if not _HEADER_SAFE.fullmatch(value):
        raise RefusedError("an address with blanks or characters outside ASCII", expected)
    # These parts may hold secrets, so the address is not shown.
    for mark, part in (("@", "credentials"), ("?", "a query"), ("#", "a fragment")):
        if mark in value:
            raise RefusedError(f"an address with {part} (not shown)", f"{expected}, without {part}")
    scheme = http_scheme(value)
    if scheme is None:
        raise RefusedError(shown(value), expected)
    return scheme + value[len(scheme) :].rstrip("/")


def http_scheme(address: str) -> str | None:
    """Return `http` or `https`; None if no request can be sent to the address."""
    try:
        parts = httpx.URL(address)
        # The resolver encodes the decoded name, and may refuse it.
        parts.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        return None
    valid = parts.scheme in {"http", "https"} and _HOST.fullmatch(parts.raw_host.decode())
    has_port = parts.port is None or 0 < parts.port <= _HIGHEST_PORT
    return parts.scheme if valid and has_port else None


def file(value: object, folder: Path = Path(), *, readable: bool = True) -> Path:
    """Return the path of a file; a relative one starts at the folder.

    With `readable`, it must be a file that can be read on this machine.
    """
    if not isinstance(value, str) or not value or _NO_PATH.search(value):
        raise RefusedError(shown(value), "the path of a file")
    target, found = folder / value, shown(value)
    if max(map(len, value.split("/"))) > _LONGEST_PATH_PART:
        found = f"a text of {len(value)} characters that may hold a secret (not shown)"
    if readable:
        try:
            # Opening a pipe would wait for its writer.
            if target.exists() and not target.is_file():
                raise RefusedError(found, "a file, neither a folder nor a pipe")
            target.open("rb").close()
        except OSError as error:
            raise RefusedError(found, f"a file that can be read ({error.strerror})") from None
    return target
