"""The PromQL queries of the shipped dashboards."""

import json
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from feldera_exporter.shipped import shipped

NAMES: Final = ("exporter", "fleet", "pipeline")
_QUERIES: Final = frozenset({"expr", "query", "definition"})


def queries() -> Mapping[str, str]:
    """Return the queries of all panels and variables of each dashboard as one text, by the dashboard's title."""
    boards = (json.loads(shipped(f"config/grafana/dashboards/{name}.json").read_bytes()) for name in NAMES)
    return MappingProxyType({board["title"]: "\n".join(_queries(board)) for board in boards})


def _queries(tree: Any) -> Iterator[str]:
    match tree:
        case dict():
            for key, value in tree.items():
                if key in _QUERIES and isinstance(value, str):
                    yield value
                else:
                    yield from _queries(value)
        case list():
            for item in tree:
                yield from _queries(item)
