"""The room of problems with one thing changed: every number, comparison, operator and severity in turn."""

import ast
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, NamedTuple

from feldera_exporter import problems as room

CHANGED: Final = ("earlier_lists", "conditions", "instance_conditions", "table")
"""The modules that are changed, each after those that it imports."""

_RELOADED: Final = (*CHANGED, "evaluate")
"""The modules that are loaded again with each change."""

_COMPARISONS: Final[Mapping[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_OPERATORS: Final[Mapping[type[ast.operator], type[ast.operator]]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
}
_FUNCTIONS: Final = {"min": "max", "max": "min"}
_SEVERITIES: Final = {"critical": "warning", "warning": "critical", "info": "warning"}


class Edit(NamedTuple):
    """A change of a tree.

    Attributes:
        what: in words.
        node: what is changed.
        field: what of it.
        value: what that becomes.
    """

    what: str
    node: ast.AST
    field: str
    value: Any


@dataclass(frozen=True)
class Mutant:
    """A module with one change.

    Attributes:
        module: its name.
        place: the function, constant or row that is changed.
        change: what is changed, and in which line.
        number: which of the module's changes it is; None: nothing is changed.
    """

    module: str
    place: str
    change: str
    number: int | None

    def __str__(self) -> str:
        return f"{self.module}.{self.place}: {self.change}"

    @property
    def code(self) -> CodeType:
        """The module's code."""
        tree = ast.parse(_source(self.module))
        if self.number is not None:
            _, edit = _edits(tree)[self.number]
            setattr(edit.node, edit.field, edit.value)
        return compile(ast.fix_missing_locations(tree), f"<mutant of {self.module}>", "exec")


@cache
def mutants(module: str) -> tuple[Mutant, ...]:
    """Return a module's mutants, in the order of its text."""
    edits = _edits(ast.parse(_source(module)))
    return tuple(
        Mutant(module, place, f"{edit.what}, line {getattr(edit.node, 'lineno', 0)}", number)
        for number, (place, edit) in enumerate(edits)
    )


def _edits(tree: ast.Module) -> list[tuple[str, Edit]]:
    return [
        (place, edit)
        for statement in tree.body
        for place, part in _parts(statement)
        for node in ast.walk(part)
        for edit in _changes(node)
    ]


def _parts(statement: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
    """Yield a statement with its name, or each row of the table that it is."""
    match statement:
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            yield name, statement
        case ast.AnnAssign(value=ast.Tuple(elts=rows)) if all(isinstance(row, ast.Call) for row in rows):
            for row in rows:
                yield row.args[0].value, row  # type: ignore[attr-defined]
        case ast.AnnAssign(target=ast.Name(id=name)):
            yield name, statement


def _changes(node: ast.AST) -> Iterator[Edit]:
    match node:
        case ast.keyword(arg="continues"):
            yield Edit("continues dropped", node, "value", ast.Constant(value=False))
        case ast.keyword(arg="yields_to"):
            yield Edit("yields_to dropped", node, "value", ast.Constant(""))
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            for other in (
                (number + 1, number - 1) if isinstance(number, int) else (number * 1.1, number * 0.9)
            ):
                yield Edit(f"{number} -> {other:g}", node, "value", other)
        case ast.Constant(value=str() as text) if text in _SEVERITIES:
            yield Edit(f"{text} -> {_SEVERITIES[text]}", node, "value", _SEVERITIES[text])
        case ast.Compare(ops=[operator]):
            comparison = _COMPARISONS[type(operator)]
            yield Edit(f"{type(operator).__name__} -> {comparison.__name__}", node, "ops", [comparison()])
        case ast.BoolOp(op=both):
            either = ast.Or if isinstance(both, ast.And) else ast.And
            yield Edit(f"{type(both).__name__} -> {either.__name__}", node, "op", either())
        case ast.BinOp(op=sign) if type(sign) in _OPERATORS:
            other_sign = _OPERATORS[type(sign)]
            yield Edit(f"{type(sign).__name__} -> {other_sign.__name__}", node, "op", other_sign())
        case ast.Name(id=name) if name in _FUNCTIONS:
            yield Edit(f"{name} -> {_FUNCTIONS[name]}", node, "id", _FUNCTIONS[name])


@contextmanager
def made(mutant: Mutant) -> Iterator[Mapping[str, ModuleType]]:
    """Yield the room's modules, loaded again with a change."""
    names = {each: f"{room.__name__}.{each}" for each in _RELOADED}
    before = {each: sys.modules[name] for each, name in names.items()}
    reloaded = {each: ModuleType(name) for each, name in names.items()}
    try:
        for each, module in reloaded.items():
            sys.modules[names[each]] = module
            setattr(room, each, module)
            exec(mutant.code if each == mutant.module else _code(each), module.__dict__)
        yield reloaded
    finally:
        for each, module in before.items():
            sys.modules[names[each]] = module
            setattr(room, each, module)


@cache
def _code(module: str) -> CodeType:
    return Mutant(module, "", "", None).code


def _source(module: str) -> str:
    return (Path(room.__path__[0]) / f"{module}.py").read_text(encoding="utf-8")
