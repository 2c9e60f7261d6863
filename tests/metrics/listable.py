"""Any pipeline that Feldera's API document allows in a list, as Hypothesis draws it.

From the document itself, the last one that FELDERA_OPENAPI names; else from a table of the same fields.
"""

import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from feldera_exporter.feldera.statuses import (
    DEPLOYMENT,
    DEPLOYMENT_DESIRED,
    PROGRAM,
    RESOURCES,
    RESOURCES_DESIRED,
    RUNTIME,
    RUNTIME_DESIRED,
    STORAGE,
)

Json = dict[str, Any]
Any_ = st.SearchStrategy[Any]

DOCUMENT: Final = os.environ.get("FELDERA_OPENAPI", "").rpartition(":")[2]
_LEFT_OUT: Final = frozenset(
    {"program_code", "program_error", "program_info", "runtime_config", "udf_rust", "udf_toml"}
)
"""What comes with `selector=all` only, which the exporter does not ask for."""
_DEEPEST: Final = 3

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def _instant(second: int, nanosecond: int, digits: int, east: int | None) -> str:
    fraction = f".{nanosecond:09d}"[: digits + 1] if digits else ""
    local = _EPOCH + timedelta(seconds=second, minutes=east or 0)
    hours, minutes = divmod(abs(east or 0), 60)
    offset = "Z" if east is None else f"{'-' if east < 0 else '+'}{hours:02d}:{minutes:02d}"
    return f"{local:%Y-%m-%dT%H:%M:%S}{fraction}{offset}"


instants: Final = st.builds(
    _instant,
    st.integers(-(10**9), 4 * 10**9),
    st.integers(0, 10**9 - 1),
    st.sampled_from([0, 1, 3, 6, 7, 9]),
    st.sampled_from([None, 0, 120, -450]),
)
"""A date-time of RFC 3339: before and after 1970, with up to 9 digits of a second and any offset, or Z."""

texts = st.one_of(
    st.text(max_size=8),
    st.text(alphabet='ab"\\\n\rü .:=|', max_size=12),
    st.sampled_from(
        ["", "a" * 50, "team:data", "tier=1", "expect:running|00ff00", "WorkerPanic", "A.B", "unknown"]
    ),
)
versions = st.integers(-(2**63), 2**63 - 1)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def _statuses(dimension: Any) -> Any_:
    return st.sampled_from([*dimension.statuses])


def _or_null(strategy: Any_) -> Any_:
    return st.none() | strategy


_NAMES: Final = st.from_regex(r"([A-Za-z0-9][-A-Za-z0-9_]{0,20})?[A-Za-z0-9]", fullmatch=True)
_ERROR: Final = {"message": texts, "error_code": texts, "details": anything}
_REQUIRED: Final[Mapping[str, Any_]] = {
    "id": st.uuids().map(str),
    "name": _NAMES,
    "created_at": instants,
    "version": versions,
    "platform_version": texts,
    "program_version": versions,
    "program_status": _statuses(PROGRAM),
    "program_status_since": instants,
    "refresh_version": versions,
    "storage_status": _statuses(STORAGE),
    "deployment_status": _statuses(DEPLOYMENT),
    "deployment_status_since": instants,
    "deployment_desired_status": _statuses(DEPLOYMENT_DESIRED),
    "deployment_desired_status_since": instants,
    "deployment_resources_status": _statuses(RESOURCES),
    "deployment_resources_status_since": instants,
    "deployment_resources_desired_status": _statuses(RESOURCES_DESIRED),
    "deployment_resources_desired_status_since": instants,
}
_OPTIONAL: Final[Mapping[str, Any_]] = {
    "description": texts,
    "tags": st.lists(texts, max_size=4),
    "connectors": _or_null(st.fixed_dictionaries({"num_errors": st.integers(0, 1000)})),
    "deployment_error": _or_null(st.fixed_dictionaries(_ERROR)),
    "deployment_id": _or_null(st.uuids().map(str)),
    "deployment_initial": _or_null(_statuses(RUNTIME_DESIRED)),
    "deployment_resources_status_details": anything,
    "deployment_runtime_desired_status": _or_null(_statuses(RUNTIME_DESIRED)),
    "deployment_runtime_desired_status_since": _or_null(instants),
    "deployment_runtime_status": _or_null(_statuses(RUNTIME)),
    "deployment_runtime_status_details": _or_null(
        anything
        | st.fixed_dictionaries(
            {"connector_stats": _or_null(st.fixed_dictionaries({"num_errors": st.integers(0, 2**63 - 1)}))}
        )
    ),
    "deployment_runtime_status_since": _or_null(instants),
    "program_config": _or_null(
        st.fixed_dictionaries(
            {},
            optional={
                "profile": _or_null(
                    st.sampled_from(["dev", "unoptimized", "optimized", "optimized_symbols"])
                ),
                "cache": st.booleans(),
                "runtime_version": _or_null(texts),
            },
        )
    ),
    "storage_status_details": _or_null(
        st.fixed_dictionaries({"checkpoints": st.lists(anything, max_size=2)})
    ),
}


_BY_FORMAT: Final = {"date-time": instants, "uuid": st.uuids().map(str)}
_BY_TYPE: Final[Mapping[str, Any_]] = {
    "string": texts,
    "integer": versions,
    "number": st.floats(-1e9, 1e9),
    "boolean": st.booleans(),
}


class ApiDocument:
    """Feldera's API document, and the values that its schemas allow.

    Args:
        schemas: by name.
    """

    def __init__(self, schemas: Mapping[str, Json]) -> None:
        self._schemas = schemas

    def pipeline(self) -> Any_:
        """Return what stands in a list of pipelines with selector=status."""
        return self._object(self._schemas["PipelineSelectedInfo"], 0)

    def _referenced(self, schema: Json) -> Json:
        return self._schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def _strategy(self, schema: Json, depth: int) -> Any_:
        if schema.get("nullable"):
            return _or_null(self._strategy({**schema, "nullable": False}, depth))
        schema = self._referenced(schema)
        parts = schema.get("oneOf", ())
        if not parts and "properties" not in schema and len(schema.get("allOf", ())) == 1:
            parts = schema["allOf"]
        if parts:
            return st.one_of(*(self._strategy(each, depth) for each in parts))
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        if schema.get("type") == "array":
            most = 3 if depth < _DEEPEST else 0
            return st.lists(self._strategy(schema["items"], depth + 1), max_size=most)
        if self._fields(schema)[0]:
            return self._object(schema, depth)
        kind = _BY_FORMAT.get(schema.get("format", ""), _BY_TYPE.get(schema.get("type", ""), anything))
        return kind.filter(lambda value: value >= schema["minimum"]) if "minimum" in schema else kind

    def _object(self, schema: Json, depth: int) -> Any_:
        properties, required = self._fields(schema)
        drawn = {
            name: self._strategy(each, depth + 1)
            for name, each in properties.items()
            if name in required or (depth < _DEEPEST and name not in _LEFT_OUT)
        }
        return st.fixed_dictionaries(
            {name: each for name, each in drawn.items() if name in required},
            optional={name: each for name, each in drawn.items() if name not in required},
        )

    def _fields(self, schema: Json) -> tuple[Json, set[str]]:
        """Return an object's properties and which of them are required, its parts' included."""
        schema = self._referenced(schema)
        properties, required = dict(schema.get("properties", {})), set(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            more, needed = self._fields(part)
            properties |= more
            required |= needed
        return properties, required


def _drawn() -> Any_:
    if not DOCUMENT:
        return st.fixed_dictionaries({**_REQUIRED}, optional={**_OPTIONAL})
    document = json.loads(Path(DOCUMENT).read_text(encoding="utf-8"))
    return ApiDocument(document["components"]["schemas"]).pipeline()


# The document has no pattern for names, Feldera has.
elements: Final = st.builds(lambda element, name: {**element, "name": name}, _drawn(), _NAMES)
"""One pipeline of a list."""

lists: Final = st.lists(elements, max_size=5, unique_by=lambda element: element["id"])
"""A list: Feldera's ids are unique."""
