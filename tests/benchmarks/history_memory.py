"""How much memory the histories of lively pipelines take as they get older: they fill for an hour, and then hardly grow.

Two per cent of the pipelines change per poll, as in the soak. Time passes as polls are made, without waiting.

Run as a program it prints the bytes per pipeline after each ten minutes: `history_memory.py [MINUTES [PIPELINES]]`.
"""

import sys
from collections.abc import Iterator
from types import FunctionType, MappingProxyType, MethodType, ModuleType

import msgspec

from benchmarks.polling import PolledInstance
from support.pipeline_lists import INTERVAL

_SHARED = (type, ModuleType, FunctionType, MethodType)
"""What is there once, however many pipelines there are."""


def size(root: object) -> int:
    """Return the bytes of a value and of all that it refers to, each once."""
    found, waiting = dict[int, int](), [root]
    while waiting:
        value = waiting.pop()
        if id(value) not in found and not isinstance(value, _SHARED):
            found[id(value)] = sys.getsizeof(value)
            waiting += _parts(value)
    return sum(found.values())


def _parts(value: object) -> Iterator[object]:
    if isinstance(value, dict | MappingProxyType):
        yield from value.keys()
        yield from value.values()
    elif isinstance(value, list | tuple | set | frozenset):
        yield from value
    elif isinstance(value, msgspec.Struct):
        yield from (getattr(value, name) for name in value.__struct_fields__)
    else:
        yield from getattr(value, "__dict__", {}).values()
        slots = (name for each in type(value).__mro__ for name in getattr(each, "__slots__", ()))
        yield from (getattr(value, name) for name in slots if hasattr(value, name))


def main(minutes: int, pipelines: int) -> None:
    """Let so many minutes pass, and print the sizes."""
    polled = PolledInstance(pipelines)
    polled.poll()
    polled.settle()
    polls = 60_000_000 // INTERVAL
    for number in range(1, minutes * polls + 1):
        polled.happen(0.02)
        polled.poll()
        if number % (10 * polls) == 0:
            used = size(polled.driver.ledger) / pipelines
            print(f"{number // polls} minutes: {used:,.0f} bytes per pipeline", flush=True)


if __name__ == "__main__":
    minutes, pipelines, *_ = (*map(int, sys.argv[1:]), *(100, 1000)[len(sys.argv) - 1 :])
    main(minutes, pipelines)
