"""The samples expected of a list, computed from its JSON without the exporter's code."""

import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal
from math import inf
from typing import Any, Final

from feldera_exporter.feldera.statuses import (
    DEFAULT_LIMITS,
    DEPLOYMENT,
    DIMENSIONS,
    PROGRAM,
    RESOURCES,
    RUNTIME,
    STORAGE,
)

Labels = frozenset[tuple[str, str]]
Samples = dict[tuple[str, Labels], float]

OPEN: Final = "feldera_pipeline_deployment_desired_status_limit_seconds"
"""The one family whose value is only known to be a limit: it follows from rules that have separate tests."""

_INSTANT: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d+)?(?:Z|([+-])(\d\d):(\d\d))")
_CODE: Final = re.compile(r"[A-Z][A-Za-z0-9]*(\.[A-Z][A-Za-z0-9]*)?")
_COLOUR: Final = re.compile(r"\|[0-9a-f]{6}\Z")
_TAGS: Final = {"team": "team[:=](.+)", "tier": "tier[:=](.+)", "expect": "expect[:=](running)"}
_PREFIX: Final = "feldera_pipeline_"


def timestamp(text: str) -> float:
    """Return the seconds since the epoch of a date-time, to the nearest microsecond, without the library's help."""
    match = _INSTANT.fullmatch(text)
    assert match is not None, text
    year, month, day, hour, minute, second = (int(match[place]) for place in range(1, 7))
    # Days from the civil calendar, with the year beginning in March.
    shifted = year - (month <= 2)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    days = shifted * 365 + shifted // 4 - shifted // 100 + shifted // 400 + of_year - 719_468
    east = int(f"{match[8] or '+'}1") * (int(match[9] or 0) * 60 + int(match[10] or 0))
    whole = Decimal(((days * 24 + hour) * 60 + minute - east) * 60 + second)
    return float(whole + Decimal(match[7] or 0).quantize(Decimal("0.000001"), ROUND_HALF_UP))


def dated(text: str) -> bool:
    """Return whether a beginning is known: an instant up to the epoch stands for an unknown one."""
    return timestamp(text) > 0


def samples(element: dict[str, Any], at: float) -> Samples:
    """Return every sample of a pipeline that was first listed at an instant, in seconds since the epoch."""
    shared = {
        ("feldera_instance", "test"),
        ("pipeline", f"pipeline-{element['id']}"),
        ("pipeline_name", element["name"]),
    }
    return {
        (f"{_PREFIX}{name}", frozenset({*shared, *labels.items()})): float(value)
        for name, labels, value in (*_present(element, at), *_counted(element))
    }


def _present(element: dict[str, Any], at: float) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield the samples of the present state."""
    for dimension in DIMENSIONS:
        status = element.get(dimension.name)
        for known in dimension.statuses:
            yield dimension.name, {"status": known}, known == status
        since = element.get(f"{dimension.name}_since")
        if dimension is STORAGE:
            yield f"{dimension.name}_since_timestamp_seconds", {}, at
        elif since is not None and dated(since):
            yield f"{dimension.name}_since_timestamp_seconds", {}, timestamp(since)
    for name in ("deployment_status", "program_status", "storage_status"):
        if name == STORAGE.name or dated(element[f"{name}_since"]):
            yield f"{name}_limit_seconds", {}, DEFAULT_LIMITS.get(element[name], inf)
    error = element.get("deployment_error")
    yield "deployment_has_error", {}, error is not None
    if error is not None:
        yield "deployment_error_info", {"error_code": _code(error["error_code"])}, 1
        # Set with Stopping, or with the desired status before a Stopped that keeps it.
        stopping = element["deployment_resources_status"] == "Stopping"
        set_with = f"deployment_resources_{'' if stopping else 'desired_'}status_since"
        if dated(element[set_with]):
            yield "deployment_error_timestamp_seconds", {}, timestamp(element[set_with])
    yield "info", _info(element), 1
    yield "created_timestamp_seconds", {}, timestamp(element["created_at"])
    yield "refresh_version", {}, element["refresh_version"]
    details = element.get("deployment_runtime_status_details")
    stats = details.get("connector_stats") if isinstance(details, dict) else None
    if isinstance(stats, dict) and stats.get("num_errors") is not None:
        yield "connector_errors_total", {}, stats["num_errors"]


def _counted(element: dict[str, Any]) -> Iterator[tuple[str, dict[str, str], float]]:
    """Yield the counters, all at 0."""
    for dimension in (RESOURCES, PROGRAM, STORAGE):
        for before, after in dimension.transitions:
            yield f"{dimension.name}_transitions_total", {"from": before, "to": after}, 0
    for status in RUNTIME.statuses:
        yield f"{RUNTIME.name}_transitions_total", {"to": status}, 0
    # The document allows Provisioned without a runtime status, which Feldera never lists: that is no combined status.
    provisioned = element["deployment_resources_status"] == "Provisioned"
    nameless = provisioned and element.get("deployment_runtime_status") is None
    for status in (*DEPLOYMENT.statuses, *["Provisioned"] * nameless):
        yield "deployment_status_seconds_total", {"status": status}, 0
    yield "deployment_errors_total", {}, 0


def _code(code: str) -> str:
    return code if code == "unknown" or (len(code) <= 64 and _CODE.fullmatch(code)) else "other"


def _info(element: dict[str, Any]) -> dict[str, str]:
    """Return the labels of the info: too long a text is no label."""
    tags = [_COLOUR.sub("", tag) for tag in element.get("tags") or ()]
    found = {
        label: [match[1] for tag in tags if (match := re.fullmatch(expression, tag))]
        for label, expression in _TAGS.items()
    }
    version, config = element["platform_version"], element.get("program_config") or {}
    return {
        "platform_version": version,
        "program_profile": config.get("profile") or "",
        **{label: values[0] if values else "" for label, values in found.items()},
    }
