"""A configuration as a plain tree for YAML, with its defaults and without its secrets."""

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

from feldera_exporter.config.secret import Secret
from feldera_exporter.config.units import format_duration, format_size

HIDDEN: Final = "<secret>"


def effective(value: Any) -> Any:  # noqa: PLR0911 - a line for each kind
    """Return a configuration or a part of it: every key that has a value, defaults included."""
    match value:
        case Secret():
            return HIDDEN
        case Path():
            return str(value.absolute())
        case re.Pattern():
            return value.pattern
        case Mapping():
            return {name: effective(each) for name, each in value.items()}
        case tuple():
            return [effective(each) for each in value]
        case bool() | str():
            return value
        case float():
            return format_duration(value)
        case int():
            return format_size(value)
    given = ((each.name, getattr(value, each.name)) for each in fields(value))
    return {name: effective(each) for name, each in given if each not in (None, "")}
