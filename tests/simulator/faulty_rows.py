"""Faults of single elements of a list, or of a single object, as a newer or broken server sends them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from feldera_exporter.simulator.http_faults import Fault
from feldera_exporter.simulator.http_messages import Answer, encode


@dataclass(frozen=True, slots=True)
class RowFault(Fault):
    """Changes some elements; this base class changes none.

    Attributes:
        row: which element, counted as a list's index is; None: every one.
    """

    row: int | None = None

    def spoil(self, answer: Answer) -> Answer:
        """Change the elements of a successful answer."""
        if answer.status != 200:
            return answer
        value = msgspec.json.decode(answer.body)
        if isinstance(value, dict):
            value = self._change(value)[0]
        elif value:
            chosen = range(len(value)) if self.row is None else [self.row % len(value)]
            pieces = [
                self._change(element) if at in chosen else [element] for at, element in enumerate(value)
            ]
            value = [element for piece in pieces for element in piece]
        return replace(answer, body=encode(value), packed=None)

    def _change(self, element: dict[str, Any]) -> list[Any]:
        """Return what stands in an element's place."""
        return [element]


@dataclass(frozen=True, slots=True)
class ChangedFields(RowFault):
    """Fields have these values: an unknown status, a wrong type, something of a newer version."""

    fields: Mapping[str, Any] = field(default_factory=dict)

    def _change(self, element: dict[str, Any]) -> list[Any]:
        return [{**element, **self.fields}]


@dataclass(frozen=True, slots=True)
class MissingFields(RowFault):
    """Fields are removed."""

    fields: tuple[str, ...] = ()

    def _change(self, element: dict[str, Any]) -> list[Any]:
        return [{key: value for key, value in element.items() if key not in self.fields}]


@dataclass(frozen=True, slots=True)
class RepeatedElement(RowFault):
    """An element comes several times."""

    times: int = 2

    def _change(self, element: dict[str, Any]) -> list[Any]:
        return [element] * self.times


@dataclass(frozen=True, slots=True)
class ReplacedElement(RowFault):
    """An element is replaced by another value."""

    value: Any = None

    def _change(self, element: dict[str, Any]) -> list[Any]:  # noqa: ARG002 - it is replaced
        return [self.value]
