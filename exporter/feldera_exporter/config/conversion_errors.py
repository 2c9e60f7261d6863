"""What cattrs says of a tree that does not fit, as mistakes with their places."""

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, get_origin

from cattrs.errors import (
    AttributeValidationNote,
    ClassValidationError,
    ForbiddenExtraKeysError,
    IterableValidationError,
    IterableValidationNote,
)

from feldera_exporter.config.errors import Mistake, Place, RefusedError, shown, unknown_key


def mistakes_of(error: Exception, place: Place = ()) -> Iterator[Mistake]:
    """Yield the leaves of cattrs's tree of errors; its notes tell the way to each.

    Raises:
        Exception: the leaf itself, where it is a defect and no refused value.
    """
    match error:
        case ClassValidationError() | IterableValidationError():
            noted, others = error.group_exceptions()
            for each, note in noted:
                cause = _missing(note.type) if isinstance(each, KeyError) else each
                yield from mistakes_of(cause, (*place, _step_of(note)))
            for each in others:
                yield from mistakes_of(each, place)
        case ExceptionGroup():
            for each in error.exceptions:
                yield from mistakes_of(each, place)
        case ForbiddenExtraKeysError():
            known = [each.name for each in fields(error.cl)]
            for key in error.extra_fields:
                yield Mistake((*place, _step(key)), unknown_key(_step(key), known))
        case RefusedError():
            yield Mistake((*place, *error.place), str(error))
        case _:
            raise error


def _step_of(note: IterableValidationNote | AttributeValidationNote) -> str | int:
    if isinstance(note, AttributeValidationNote):
        return note.name
    # An entry's number stands in the same place as a mapping's key, which may be a number too.
    return note.index if isinstance(note.index, int) and "@ index" in note else _step(note.index)


def _step(key: Any) -> str:
    """Return a mapping's key as it was written: YAML's may be numbers, true, null or bytes too."""
    if key is None:
        return "null"
    return key if isinstance(key, str) else shown(key)


def _missing(kind: Any) -> RefusedError:
    """Return what to say of a key that must be there, from the reader of its value."""
    try:
        if get_origin(kind) is Annotated:
            kind.__metadata__[0](None)
    except RefusedError as refused:
        return refused
    return RefusedError("nothing", "a list" if get_origin(kind) is tuple else "a mapping")
