"""The errors of cattrs as mistakes with their places."""

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

from feldera_exporter.config.errors import (
    Mistake,
    Place,
    RefusedError,
    UnreadableFileError,
    shown,
    unknown_key,
)


def mistakes_of(error: Exception, place: Place = ()) -> Iterator[Mistake]:
    """Yield the leaves of cattrs's tree of errors; its notes name the place of each.

    Raises:
        Exception: the leaf itself, where it is a defect and no refused value.
    """
    match error:
        case ClassValidationError() | IterableValidationError():
            noted, others = error.group_exceptions()
            for each, note in noted:
                cause = _missing(note.type) if isinstance(each, KeyError) else each
                yield from mistakes_of(cause, (*place, _key_of(note)))
            for each in others:
                yield from mistakes_of(each, place)
        case ExceptionGroup():
            for each in error.exceptions:
                yield from mistakes_of(each, place)
        case ForbiddenExtraKeysError():
            known = [each.name for each in fields(error.cl)]
            for key in error.extra_fields:
                yield Mistake((*place, _key_text(key)), unknown_key(_key_text(key), known))
        case RefusedError():
            yield Mistake((*place, *error.place), str(error), isinstance(error, UnreadableFileError))
        case _:
            raise error


def _key_of(note: IterableValidationNote | AttributeValidationNote) -> str | int:
    if isinstance(note, AttributeValidationNote):
        return note.name
    # cattrs has one field for the index of a list and the key of a mapping, which may be a number too.
    return note.index if isinstance(note.index, int) and "@ index" in note else _key_text(note.index)


def _key_text(key: Any) -> str:
    """Return a mapping's key as text: YAML keys may be numbers, true, null or bytes too."""
    if key is None:
        return "null"
    return key if isinstance(key, str) else shown(key)


def _missing(kind: Any) -> RefusedError:
    """Return the mistake of a required key that is missing, from the validator of its value."""
    try:
        if get_origin(kind) is Annotated:
            kind.__metadata__[0](None)
    except RefusedError as refused:
        return refused
    return RefusedError("nothing", "a list" if get_origin(kind) is tuple else "a mapping")
