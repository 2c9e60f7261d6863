"""The plain tree of a document as frozen values, or every mistake in it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, TypeVar, get_args, get_origin

from cattrs import Converter
from cattrs.errors import ClassValidationError
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

from feldera_exporter.config import checks, validators
from feldera_exporter.config.checks import Environment
from feldera_exporter.config.conversion_errors import mistakes_of
from feldera_exporter.config.errors import Mistake, RefusedError, in_order, shown
from feldera_exporter.config.schema import (
    DEFAULT_TAG_LABELS,
    Alertmanager,
    Configuration,
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


def structure(tree: Any, surroundings: Environment) -> tuple[Configuration | None, list[Mistake]]:
    """Return the configuration, None where it is wrong, and all mistakes in order."""
    configuration, mistakes = structured(tree, Configuration, surroundings)
    return configuration, in_order([*checks.name_mistakes(tree, surroundings), *mistakes])


def structured(tree: Any, kind: type[_Kind], surroundings: Environment) -> tuple[_Kind | None, list[Mistake]]:
    """Return a tree as a value of a kind of this package's, None where it is wrong, and all mistakes."""
    try:
        return _converter(surroundings).structure(tree, kind), []
    except (ExceptionGroup, RefusedError) as error:
        return None, list(mistakes_of(error))


def _converter(surroundings: Environment) -> Converter:
    converter = Converter(forbid_extra_keys=True)
    # Of two hooks that fit, cattrs takes the later one.
    converter.register_structure_hook_func(
        partial(_is, Annotated), lambda value, kind: kind.__metadata__[0](value)
    )
    converter.register_structure_hook_func(
        lambda kind: kind == File, lambda value, _: validators.file(value, surroundings.folder)
    )
    converter.register_structure_hook_factory(partial(_is, tuple), lambda kind: _list_hook(kind, converter))
    converter.register_structure_hook_factory(
        partial(_is, Mapping), lambda kind: _mapping_hook(kind, converter)
    )
    converter.register_structure_hook_factory(is_dataclass, lambda kind: _class_hook(kind, converter))
    converter.register_structure_hook_factory(
        lambda kind: kind is TagLabels, lambda _: _tag_labels_hook(converter)
    )
    return converter


def _is(origin: Any, kind: Any) -> bool:
    found: Any = get_origin(kind)
    return found is origin


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
        mistakes: list[Exception] = []
        wrong: frozenset[str] = frozenset()
        try:
            made = inner(given, kind)
        except ClassValidationError as error:
            mistakes.append(error)
            wrong = frozenset(note.name for _, note in error.group_exceptions()[0])
            made = _as_far_as_readable(kind, given, wrong, converter)
        made = _filled(made, given)
        mistakes += checks.contradictions(made, wrong)
        if mistakes:
            raise ExceptionGroup("mistakes", mistakes)
        return made

    return hook


def _as_far_as_readable(
    kind: Any, given: Mapping[Any, Any], wrong: Collection[str], converter: Converter
) -> Any:
    """Return a value of which some keys are wrong; those have their defaults, or None where there is none."""
    kinds: dict[str, Any] = {each.name: each.type for each in fields(kind) if each.name not in wrong}
    values = {key: converter.structure(given[key], kinds[key]) for key in kinds if key in given}
    return kind(**(dict.fromkeys(_required(kind)) | values))


def _required(kind: Any) -> Iterator[str]:
    for each in fields(kind):
        if each.default is MISSING and each.default_factory is MISSING:
            yield each.name


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
    """Return a value whose defaults depend on what was given."""
    match value:
        case Instance():
            return checks.complete(value, given)
        case Alertmanager():
            return checks.complete_alertmanager(value, given)
        case Limits():
            return replace(value, defaults=MappingProxyType({**DEFAULT_LIMITS, **value.defaults}))
        case _:
            return value
