"""A configuration as a plain tree for YAML, with its defaults and without its secrets."""

import re
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Final, get_args, get_origin

from feldera_exporter.config import validators
from feldera_exporter.config.schema import Configuration, TagLabels
from feldera_exporter.config.secret import Secret
from feldera_exporter.config.units import format_duration, format_size

HIDDEN: Final = "<secret>"

_FORMATS: Final[Mapping[Any, Callable[[Any], str]]] = {
    validators.duration: format_duration,
    validators.interval: format_duration,
    validators.limit: format_duration,
    validators.size: format_size,
}
"""How a number is formatted, by the validator of its field."""


def effective(configuration: Configuration) -> dict[str, Any]:
    """Return every key that has a value, defaults included."""
    tree: dict[str, Any] = _plain(configuration, Configuration)
    return tree


def _plain(value: Any, kind: Any) -> Any:  # noqa: PLR0911 - a line for each kind
    match value:
        case Secret():
            return HIDDEN
        case Path():
            return str(value.absolute())
        case re.Pattern():
            return value.pattern
        case TagLabels():
            return _plain(value.expressions, Mapping[str, str])
        case Mapping():
            return {name: _plain(each, get_args(kind)[1]) for name, each in value.items()}
        case tuple():
            return [_plain(each, get_args(kind)[0]) for each in value]
        case float() | int() if (write := _FORMATS.get(_validator(kind))) is not None:
            return write(value)
        case _ if is_dataclass(value):
            return {
                each.name: _plain(getattr(value, each.name), each.type)
                for each in fields(value)
                if getattr(value, each.name) not in (None, "")
            }
        case _:
            return value


def _validator(kind: Any) -> Any:
    """Return the validator of a field; None if it has none."""
    if isinstance(kind, UnionType):
        kind = get_args(kind)[0]
    return kind.__metadata__[0] if get_origin(kind) is Annotated else None
