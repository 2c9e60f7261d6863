"""The plain tree of a document as frozen values, or every mistake in it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, is_dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final, get_args, get_origin

from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, mapping_structure_factory

from feldera_exporter.config import checks, readers
from feldera_exporter.config.collect import mistakes_of
from feldera_exporter.config.mistakes import Mistake, RefusedError, in_order, shown
from feldera_exporter.config.values import (
    DEFAULT_LIMITS,
    DEFAULT_TAG_LABELS,
    Configuration,
    File,
    Filter,
    Instance,
    Label,
    Limits,
    Metrics,
    Override,
    TagExpression,
    TagLabels,
    Tls,
)

Hook = Callable[[Any, Any], Any]

_TagExpressions: Any = Mapping[Label, TagExpression]

_CHECKS: Final[Mapping[type, Callable[[Any], Iterator[RefusedError]]]] = MappingProxyType(
    {
        Instance: checks.instance_mistakes,
        Tls: checks.tls_mistakes,
        Filter: checks.filter_mistakes,
        Override: checks.override_mistakes,
    }
)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a document depends on beyond itself.

    Attributes:
        folder: where relative paths start.
        families: the names of all metric families.
        alerts: the names of all alerts.
    """

    folder: Path
    families: Collection[str]
    alerts: Collection[str]


def structure(tree: Any, surroundings: Surroundings) -> tuple[Configuration | None, list[Mistake]]:
    """Return the configuration, None where it is wrong, and all mistakes in order."""
    mistakes = list(checks.name_mistakes(tree))
    configuration = None
    try:
        configuration = _converter(surroundings).structure(tree, Configuration)
    except (ExceptionGroup, RefusedError) as error:
        mistakes += mistakes_of(error)
    return configuration, in_order(mistakes)


def _converter(surroundings: Surroundings) -> Converter:
    converter = Converter(forbid_extra_keys=True)
    # Of two hooks that fit, cattrs takes the later one.
    converter.register_structure_hook_func(
        partial(_is, Annotated), lambda value, kind: kind.__metadata__[0](value)
    )
    converter.register_structure_hook_func(
        lambda kind: kind == File, lambda value, _: readers.file(value, surroundings.folder)
    )
    converter.register_structure_hook_factory(partial(_is, tuple), lambda kind: _list_hook(kind, converter))
    converter.register_structure_hook_factory(
        partial(_is, Mapping), lambda kind: _mapping_hook(kind, converter)
    )
    converter.register_structure_hook_factory(
        is_dataclass, lambda kind: _class_hook(kind, converter, surroundings)
    )
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


def _class_hook(kind: Any, converter: Converter, surroundings: Surroundings) -> Hook:
    inner = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def hook(value: Any, _: Any) -> Any:
        made = _filled(inner(_expect(value, dict, "a mapping"), kind), value)
        if mistakes := list(_contradictions(made, surroundings)):
            raise ExceptionGroup("contradictions", mistakes)
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
    """Return a value whose defaults depend on what was given."""
    match value:
        case Instance():
            return checks.complete(value, given)
        case Limits():
            return replace(value, defaults=MappingProxyType({**DEFAULT_LIMITS, **value.defaults}))
        case _:
            return value


def _contradictions(value: Any, surroundings: Surroundings) -> Iterator[RefusedError]:
    if isinstance(value, Metrics):
        return checks.family_mistakes(value.exclude, surroundings.families)
    if isinstance(value, Configuration):
        alerts = checks.alert_mistakes(value.alerts, surroundings.alerts)
        return chain(checks.configuration_mistakes(value), alerts)
    check = _CHECKS.get(type(value))
    return check(value) if check else iter(())
