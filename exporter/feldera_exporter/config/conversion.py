"""The plain tree of a document as frozen values, or every mistake in it."""

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, is_dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

from feldera_exporter.config import cross_key_checks, validators
from feldera_exporter.config.conversion_errors import mistakes_of
from feldera_exporter.config.errors import Mistake, RefusedError, in_order, nearest, shown
from feldera_exporter.config.schema import (
    DEFAULT_TAG_LABELS,
    Alert,
    Alertmanager,
    Family,
    File,
    Instance,
    Label,
    Limits,
    TagExpression,
    TagLabels,
)
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS

Hook = Callable[[Any, Any], Any]

_Kind = TypeVar("_Kind")

_TagExpressions: Any = Mapping[Label, TagExpression]

_ALWAYS_EXPORTED: Final = re.compile(r"feldera_exporter_|process_|python_")


@dataclass(frozen=True, slots=True)
class Context:
    """What a document is checked against.

    Attributes:
        folder: where relative paths start.
        files_elsewhere: whether files that cannot be read may be on another machine.
    """

    folder: Path
    families: Collection[str] = ()
    alerts: Collection[str] = ()
    files_elsewhere: bool = False


def structured(tree: Any, kind: type[_Kind], context: Context) -> tuple[_Kind | None, list[Mistake]]:
    """Return a tree as a value of a class of this package, None where it is wrong, and all mistakes in order."""
    try:
        return _converter(context).structure(tree, kind), []
    except (ExceptionGroup, RefusedError) as error:
        return None, in_order(mistakes_of(error))


def _converter(context: Context) -> Converter:
    converter = Converter(forbid_extra_keys=True)
    # If two hooks fit, cattrs takes the later one.
    converter.register_structure_hook_func(
        partial(_is, Annotated), lambda value, kind: kind.__metadata__[0](value)
    )
    for named, read in ((File, _file), (Family, _family), (Alert, _alert)):
        converter.register_structure_hook_func(partial(_equals, named), partial(read, context))
    converter.register_structure_hook_factory(partial(_is, tuple), lambda kind: _list_hook(kind, converter))
    converter.register_structure_hook_factory(
        partial(_is, Mapping), lambda kind: _mapping_hook(kind, converter)
    )
    converter.register_structure_hook_factory(is_dataclass, lambda kind: _class_hook(kind, converter))
    converter.register_structure_hook_factory(
        partial(_equals, TagLabels), lambda _: _tag_labels_hook(converter)
    )
    return converter


def _is(origin: Any, kind: Any) -> bool:
    found: Any = get_origin(kind)
    return found is origin


def _equals(wanted: Any, kind: Any) -> bool:
    return bool(kind == wanted)


def _file(context: Context, value: Any, _: Any) -> Path:
    return validators.file(value, context.folder, elsewhere=context.files_elsewhere)


def _family(context: Context, value: Any, _: Any) -> str:
    name = validators.family(value)
    if name in context.families:
        return name
    if _ALWAYS_EXPORTED.match(name):
        raise RefusedError(shown(name), "a family that can be left out: this one always stays")
    guess = nearest(name, context.families)
    raise RefusedError(
        shown(name), f"a metric family such as {guess}" if guess else "a metric family of the exporter"
    )


def _alert(context: Context, value: Any, _: Any) -> str:
    name = validators.alert(value)
    if name in context.alerts:
        return name
    guess = nearest(name, context.alerts)
    raise RefusedError(
        "no alert of this name",
        f"one such as {guess}" if guess else "one that `feldera-exporter rules` prints",
    )


def _list_hook(kind: Any, converter: Converter) -> Hook:
    inner = converter.get_structure_hook(list[get_args(kind)[0]])  # type: ignore[misc]

    def hook(value: Any, _: Any) -> tuple[Any, ...]:
        return tuple(inner(_expect(value, list, "a list"), kind))

    return hook


def _mapping_hook(kind: Any, converter: Converter) -> Hook:
    inner = mapping_structure_factory(kind, converter)

    def hook(value: Any, _: Any) -> Mapping[Any, Any]:
        return MappingProxyType(inner(_expect(value, dict, "a mapping"), kind))

    return hook


def _class_hook(kind: Any, converter: Converter) -> Hook:
    inner = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def hook(value: Any, _: Any) -> Any:
        given = _expect(value, dict, "a mapping")
        made = _filled(inner(given, kind), given)
        contradictions = list(cross_key_checks.contradictions(made))
        if contradictions:
            raise ExceptionGroup("contradictions", contradictions)
        return made

    return hook


def _tag_labels_hook(converter: Converter) -> Hook:
    inner = converter.get_structure_hook(_TagExpressions)

    def hook(value: Any, _: Any) -> TagLabels:
        return TagLabels(MappingProxyType({**DEFAULT_TAG_LABELS, **inner(value, _TagExpressions)}))

    return hook


def _expect(value: Any, kind: type, expected: str) -> Any:
    if not isinstance(value, kind):
        raise RefusedError(shown(value), expected)
    return value


def _filled(value: Any, given: Collection[str]) -> Any:
    """Return a value with the defaults that depend on the given keys."""
    match value:
        case Instance():
            return cross_key_checks.complete(value, given)
        case Alertmanager():
            return cross_key_checks.complete_alertmanager(value, given)
        case Limits():
            return replace(value, defaults=MappingProxyType({**DEFAULT_LIMITS, **value.defaults}))
        case _:
            return value
