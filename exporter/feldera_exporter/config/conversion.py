"""The plain tree of a document as frozen values, or every mistake in it."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from feldera_exporter.config import cross_key_checks, validators
from feldera_exporter.config.errors import (
    Mistake,
    Place,
    RefusedError,
    nearest,
    shown,
    unknown_key,
)

_Kind = TypeVar("_Kind")

_BLANK: Final = "a mapping, with a blank after each colon"
"""Of `name:password`, YAML makes one text; no key of a mapping may have a colon."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a document is checked against.

    Attributes:
        folder: where relative paths start.
        files: whether the files that it names must be readable; False if they may be on another machine.
    """

    folder: Path
    families: Collection[str] = ()
    alerts: Collection[str] = ()
    files: bool = True


def structured(tree: Any, kind: type[_Kind], context: Context) -> tuple[_Kind | None, list[Mistake]]:
    """Return a tree as a value of a class of this package, None where it is wrong, and all mistakes."""
    reader = _Reader(context)
    value = reader.read(tree, kind, ())
    return (None if reader.mistakes else value), reader.mistakes


class _Reader:
    """Reads a tree by the types of the schema, and collects the mistakes; beside a mistake, a value has no meaning."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self.mistakes: list[Mistake] = []

    def read(self, value: Any, kind: Any, place: Place) -> Any:
        try:
            return self._read(value, kind, place)
        except RefusedError as error:
            self.mistakes.append(error.mistake(*place))
            return None

    def _read(self, value: Any, kind: Any, place: Place) -> Any:
        origin, arguments = get_origin(kind), get_args(kind)
        if origin in (Union, UnionType):
            return None if value is None else self._read(value, arguments[0], place)
        if origin is Annotated:
            return self._scalar(value, kind.__metadata__[0])
        if origin is tuple:
            elements = enumerate(_expect(value, list, "a list"))
            return tuple(self.read(each, arguments[0], (*place, index)) for index, each in elements)
        if origin is Mapping:
            return self._mapping(value, place, *arguments)
        return self._section(value, kind, place)

    def _scalar(self, value: Any, validate: Callable[..., Any]) -> Any:
        if validate is validators.file:
            return validators.file(value, self._context.folder, readable=self._context.files)
        read = validate(value)
        if validate is validators.family:
            _expect_known(read, self._context.families, "a metric family about Feldera")
        if validate is validators.alert:
            _expect_known(read, self._context.alerts, "an alert")
        return read

    def _mapping(self, value: Any, place: Place, key_kind: Any, value_kind: Any) -> Mapping[Any, Any]:
        read = {}
        if isinstance(value, str) and ":" in value:
            raise RefusedError("a text with a colon (not shown)", _BLANK)
        for key, each in _expect(value, dict, "a mapping").items():
            inside = (*place, _key_text(key))
            if isinstance(key, str) and ":" in key:
                self.mistakes.append(RefusedError("a key with a colon (not shown)", _BLANK).mistake(*place))
                continue
            read[self.read(key, key_kind, inside)] = self.read(each, value_kind, inside)
        return MappingProxyType(read)

    def _section(self, value: Any, kind: Any, place: Place) -> Any:
        given, known = _expect(value, dict, "a mapping"), {each.name: each for each in fields(kind)}
        before = len(self.mistakes)
        for name in (_key_text(key) for key in given if key not in known):
            self.mistakes.append(Mistake((*place, name), unknown_key(name, known)))
        # A required key that is missing is read as nothing, which its kind refuses.
        read = {
            name: self.read(given.get(name), each.type, (*place, name))
            for name, each in known.items()
            if name in given or (each.default is MISSING and each.default_factory is MISSING)
        }
        if len(self.mistakes) > before:
            return None
        section = cross_key_checks.completed(kind(**read), given)
        self.mistakes += (error.mistake(*place) for error in cross_key_checks.contradictions(section))
        return section


def _expect(value: Any, kind: type, expected: str) -> Any:
    if not isinstance(value, kind):
        raise RefusedError(shown(value), expected)
    return value


def _expect_known(name: str, known: Collection[str], expected: str) -> None:
    if name not in known:
        guess = nearest(name, known)
        raise RefusedError(shown(name), f"{expected} such as {guess}" if guess else expected)


def _key_text(key: Any) -> str:
    """Return a mapping's key as text: YAML keys may be numbers, true, null or bytes too."""
    if key is None:
        return "null"
    return key if isinstance(key, str) else shown(key)
