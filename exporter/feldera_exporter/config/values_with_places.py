"""The values of a configuration with their places."""

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass

from feldera_exporter.config.errors import Place


def leaves(value: object, place: Place = ()) -> Iterator[tuple[Place, object]]:
    """Yield every value that is neither a section nor a list nor a mapping, with its place."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            yield from leaves(each, (*place, key))
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield from leaves(each, (*place, index))
    elif is_dataclass(value):
        for field in fields(value):
            yield from leaves(getattr(value, field.name), (*place, field.name))
    else:
        yield place, value
