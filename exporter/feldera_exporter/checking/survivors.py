"""What the rules can still give without some families: their PromQL, read for nothing but what must be there."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Final

from feldera_exporter.rules.promql import BASE_TAGS, TAGS
from feldera_exporter.rules.recordings import recordings
from feldera_exporter.rules.rendering import expression
from feldera_exporter.rules.table import ALERTS

INFO: Final = "feldera_pipeline_info"
"""The family that alone knows the tags."""

Ways = frozenset[frozenset[str]]
"""The ways in which an expression can give anything: for each the families, recordings and alerts that must be there."""

_ALWAYS: Final[Ways] = frozenset({frozenset()})

# By which labels two sides are compared, over which time and when, decides nothing here.
_IDLE: Final = re.compile(r"\b(?:on|ignoring|by|without|group_left) \([^)]*\)|\[[^\]]*\]|\boffset \w+")
_TOKEN: Final = re.compile(
    r'(?P<text>"[^"]*")|(?P<number>\d[\d.]*|Inf\b)|(?P<name>[A-Za-z_][\w:]*(?:\{[^}]*\})?)|[(),]|[^\s\w(),"]+'
)
_FIRING: Final = re.compile(r'ALERTS\{alertname="(\w+)"')
_PART: Final = re.compile(r"_(?:bucket|sum|count)$")


@cache
def rules() -> Mapping[str, Ways]:
    """Return the ways of every recording and alert."""
    recorded = {recording.name: ways(recording.expression) for recording in recordings()}
    return MappingProxyType(recorded | {alert.name: ways(expression(alert, BASE_TAGS)) for alert in ALERTS})


def gone(families: Iterable[str]) -> frozenset[str]:
    """Return these families with every recording and alert that can give nothing without them."""
    known = rules()
    missing = {*families, *known}
    # From nothing upwards: what only remembers itself never begins.
    while living := {name for name in missing & set(known) if any(map(missing.isdisjoint, known[name]))}:
        missing -= living
    return frozenset(missing)


def family(name: str) -> str:
    """Return the family of a name that is asked for: a histogram's has three."""
    return _PART.sub("", name)


def ways(promql: str) -> Ways:
    """Return the ways in which an expression can give anything."""
    return _either([*_TOKEN.finditer(_IDLE.sub("", promql))][::-1])


_Tokens = list[re.Match[str]]
"""What is still to be read, the next one last."""


def _either(tokens: _Tokens) -> Ways:
    found = _both(tokens)
    while _next(tokens) == "or":
        tokens.pop()
        found |= _both(tokens)
    return found


def _both(tokens: _Tokens) -> Ways:
    found = _compared(tokens)
    while _next(tokens) in {"and", "unless"}:
        needed = tokens.pop()[0] == "and"
        other = _compared(tokens)
        found = _together(found, other) if needed else found
    return found


def _compared(tokens: _Tokens) -> Ways:
    """Read what operators join that need both of their sides."""
    found = _operand(tokens)
    while _next(tokens) not in {"", "or", "and", "unless", ")", ","}:
        tokens.pop()
        found = _together(found, _operand(tokens))
    return found


def _operand(tokens: _Tokens) -> Ways:
    token = tokens.pop()
    if token["name"] and _next(tokens) == "(":
        tokens.pop()
        found = _arguments(tokens)
        return _ALWAYS if token[0] == "absent" else found
    if token["name"]:
        return _selected(token[0])
    if token[0] == "(":
        return _arguments(tokens)
    return _ALWAYS if token["text"] or token["number"] else _operand(tokens)


def _arguments(tokens: _Tokens) -> Ways:
    """Read to the closing bracket what is needed all together."""
    found = _ALWAYS
    while _next(tokens) != ")":
        found = _together(found, _either(tokens))
        if _next(tokens) == ",":
            tokens.pop()
    tokens.pop()
    return found


def _selected(selector: str) -> Ways:
    if alert := _FIRING.match(selector):
        return frozenset({frozenset({alert[1]})})
    name, _, matchers = selector.partition("{")
    # Without the family there is a series for each pipeline as well, but no tag in it to match.
    tags = {INFO} if name == TAGS and matchers else set()
    return frozenset({frozenset({family(name), *tags})})


def _together(one: Ways, other: Ways) -> Ways:
    return frozenset(first | second for first, second in product(one, other))


def _next(tokens: _Tokens) -> str:
    return tokens[-1][0] if tokens else ""
