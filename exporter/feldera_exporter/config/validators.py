"""The kinds of values in the configuration: each reads one YAML value or refuses it.

A reader stands in the annotation of the field it reads (see `values`), so a field's type tells its whole rule.
"""

import math
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

import httpx

from feldera_exporter.config.errors import RefusedError, shown
from feldera_exporter.config.reserved_labels import OF_ALERTS, OF_EXPORTER_ALERTS, RESERVED
from feldera_exporter.config.secret import Secret
from feldera_exporter.config.units import format_duration, format_size, parse_duration, parse_size

Number = TypeVar("Number", int, float)

SEVERITIES: Final = ("critical", "warning", "info", "none")
"""What an alert's label `severity` may be."""

# A name is a label value, a step of a URL's path and a half of `instance` in service discovery.
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
_LABEL: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_STATUS: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,63}")
# What may stand in an Authorization header.
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
"""What the exporter sets itself, or what is about the connection and not the request."""
_HIGHEST_PORT: Final = 65535
_ROUTE: Final = re.compile(r"/v0(/pipelines)?$")
_ALERTMANAGER_ROUTE: Final = re.compile(r"/api(/v[12](/\w+)?)?$")
_USERNAME: Final = re.compile(r"[^:\x00-\x1f\x7f]+")
_SHORTEST_PACE: Final = 0.1
"""Seconds: more often than this Feldera's database lock would be asked for without a pause."""
_SMALLEST_ANSWER: Final = 64 * 2**10
"""Bytes: a few dozen pipelines."""
_LONGEST_STEP: Final = 64
"""Characters between two slashes of a path that is repeated: longer ones are keys more often than names."""


def duration(value: object) -> float:
    """Return a duration above zero in seconds."""
    return _duration(value, "a duration such as 5s")


def limit(value: object) -> float:
    """Return a limit in seconds: a duration, or infinity for `none`."""
    return math.inf if value == "none" else _duration(value, "a duration such as 10m, or none")


def pace(value: object) -> float:
    """Return how often something is done or how long it may take: a duration that is long enough for a request."""
    expected = "a duration such as 5s"
    seconds = _duration(value, expected)
    if seconds < _SHORTEST_PACE:
        raise RefusedError(shown(value), f"{expected}, at least {format_duration(_SHORTEST_PACE)}")
    return seconds


def _duration(value: object, expected: str) -> float:
    return _positive(value, parse_duration, expected)


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
    """Return the size in bytes that an answer may have; the list of a small fleet has room in it."""
    expected = "a size such as 64MiB"
    most = _positive(value, parse_size, expected)
    if most < _SMALLEST_ANSWER:
        raise RefusedError(shown(value), f"{expected}, at least {format_size(_SMALLEST_ANSWER)}")
    return most


def flag(value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise RefusedError(shown(value), "true or false")
    return value


def name(value: object) -> str:
    """Return an instance's name."""
    return _matching(
        value, _NAME, "a name of at most 63 letters, digits, dots, dashes and underscores such as prod"
    )


def status(value: object) -> str:
    """Return a status that a limit is for; an unknown one is welcome, Feldera adds some over time."""
    return _matching(value, _STATUS, "a status in CamelCase such as Provisioning")


def family(value: object) -> str:
    """Return the name of a metric family, known or not."""
    return _matching(value, _LABEL, "the name of a metric family such as feldera_pipeline_refresh_version")


def label(value: object) -> str:
    """Return the name of a label that is free for tags."""
    text = _matching(value, _LABEL, "a label name of letters, digits and underscores such as cost_center")
    if text in RESERVED or text.startswith("__"):
        raise RefusedError(shown(text), "a label that neither the exporter nor Prometheus uses itself")
    return text


def alert_label(value: object) -> str:
    """Return the name of a label that every alert gets, about pipelines and about the exporter alike."""
    text = _matching(value, _LABEL, "a label name of letters, digits and underscores such as namespace")
    if text in RESERVED | OF_EXPORTER_ALERTS or text.startswith("__"):
        raise RefusedError(shown(text), "a label that neither the alerts nor Prometheus set themselves")
    return text


def external_label(value: object) -> str:
    """Return the name of a label that every alert gets, and none sets itself."""
    text = _matching(value, _LABEL, "a label name of letters, digits and underscores such as cluster")
    if text in OF_ALERTS or text.startswith("__"):
        raise RefusedError(shown(text), "a label that the alerts do not set themselves")
    return text


def username(value: object) -> str:
    """Return a user's name for basic authentication, which ends at the first colon."""
    return _matching(value, _USERNAME, "a name without colons")


def alert(value: object) -> str:
    """Return the name of an alert, known or not."""
    return _matching(value, _STATUS, "the name of an alert such as FelderaPipelineFlapping")


def severity(value: object) -> str:
    """Return the severity that an alert is to have."""
    if not isinstance(value, str) or value not in SEVERITIES:
        raise RefusedError(shown(value), f"one of {', '.join(SEVERITIES)}")
    return value


def table_severity(value: object) -> str:
    """Return a severity that the label may have another word for; the watchdog's `none` stays as it is."""
    renamed = [each for each in SEVERITIES if each != "none"]
    if not isinstance(value, str) or value not in renamed:
        raise RefusedError(shown(value), f"one of {', '.join(renamed)}")
    return value


def word(value: object) -> str:
    """Return a text that is not empty."""
    if not isinstance(value, str) or not value:
        raise RefusedError(shown(value), "a word such as page")
    return value


def header_name(value: object) -> str:
    """Return the name of a header that the exporter does not set itself (RFC 9110, section 5.1)."""
    name = _matching(value, _HEADER_NAME, "the name of an HTTP header such as X-Proxy-Token")
    if name.lower() in _OWN_HEADERS:
        raise RefusedError(shown(name), "a header that the exporter does not set itself")
    return name


def header_value(value: object) -> Secret:
    """Return the value of a header; it is a secret, so what is refused is never repeated."""
    expected = "a text of visible ASCII characters and inner blanks"
    if isinstance(value, str):
        if not value:
            raise RefusedError("an empty text", expected)
        if not _HEADER_VALUE.fullmatch(value):
            raise RefusedError("a text with other characters or with blanks at an end (not shown)", expected)
        return Secret(value)
    raise RefusedError(_hidden(value), f"{expected}, in quotes")


def _hidden(value: object) -> str:
    return "a value that is no text (not shown)" if isinstance(value, int | float) else shown(value)


def text(value: object) -> str:
    """Return any text."""
    if not isinstance(value, str):
        raise RefusedError(shown(value), "a text")
    return value


def _matching(value: object, pattern: re.Pattern[str], expected: str) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise RefusedError(shown(value), expected)
    return value


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
    """Return Feldera's address with its scheme in small letters and without a slash at its end."""
    found = _address(value, "an http or https address such as https://feldera.example.com")
    if _ROUTE.search(found):
        raise RefusedError(shown(value), "Feldera's address without /v0 and what follows")
    return found


def alertmanager_url(value: object) -> str:
    """Return Alertmanager's address, perhaps with a path before its API's, as `url` does."""
    found = _address(value, "an http or https address such as http://alertmanager:9093")
    if _ALERTMANAGER_ROUTE.search(found):
        raise RefusedError(shown(value), "Alertmanager's address without /api and what follows")
    return found


def _address(value: object, expected: str) -> str:
    if not isinstance(value, str) or not value:
        raise RefusedError(shown(value), expected)
    if not _HEADER_SAFE.fullmatch(value):
        raise RefusedError("an address with blanks or characters outside ASCII", expected)
    # Credentials and tokens hide in what follows these characters, so the address itself is not repeated.
    for mark, part in (("@", "credentials"), ("?", "a query"), ("#", "a fragment")):
        if mark in value:
            raise RefusedError(f"an address with {part} (not shown)", f"{expected}, without {part}")
    scheme = reachable_scheme(value)
    if scheme not in {"http", "https"}:
        raise RefusedError(shown(value), expected)
    return scheme + value[len(scheme) :].rstrip("/")


def reachable_scheme(address: str) -> str | None:
    """Return an address's scheme; None where no request can be sent there."""
    try:
        parts = httpx.URL(address)
        # The name is decoded now and encoded again by the resolver: both know names that they refuse.
        parts.host.encode("idna")
    except (httpx.InvalidURL, ValueError):
        return None
    named = _HOST.fullmatch(parts.raw_host.decode()) is not None
    return parts.scheme if named and (parts.port is None or 0 < parts.port <= _HIGHEST_PORT) else None


def secret(value: object) -> Secret:
    """Return a secret; what is refused is never repeated."""
    expected = "an API key of visible ASCII characters"
    if isinstance(value, str):
        if not value:
            raise RefusedError("an empty text", expected)
        if not _HEADER_SAFE.fullmatch(value):
            raise RefusedError("a text with blanks or characters outside ASCII (not shown)", expected)
        return Secret(value)
    raise RefusedError(_hidden(value), f"{expected}, in quotes")


def file(value: object, folder: Path = Path()) -> Path:
    """Return a file that can be read now; a relative path starts at `folder`."""
    if not isinstance(value, str) or not value or "\0" in value:
        raise RefusedError(shown(value), "the path of a file")
    target, found = folder / value, shown(value)
    if max(map(len, value.split("/"))) > _LONGEST_STEP:
        found = f"a text of {len(value)} characters that may hold a secret (not shown)"
    try:
        # Opening a pipe would wait for its writer.
        if target.exists() and not target.is_file():
            raise RefusedError(found, "a file, neither a folder nor a pipe")
        with target.open("rb"):
            return target
    except OSError as error:
        raise RefusedError(found, f"a file that can be read ({error.strerror})") from None
