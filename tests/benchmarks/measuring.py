"""How the benchmarks measure: CPU time, medians, growth."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import log
from pathlib import Path
from statistics import linear_regression, median
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")


def cpu(do: Callable[[], object]) -> float:
    """Return the milliseconds of CPU that a call takes in this process, all threads together."""
    began = time.process_time()
    do()
    return (time.process_time() - began) * 1000


def best(do: Callable[[], object], rounds: int) -> float:
    """Return the least of several measurements of the same call: what it costs undisturbed."""
    return min(cpu(do) for _ in range(rounds))


def cpu_of(process: int) -> float:
    """Return the seconds of CPU that another process has used so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def memory_of(process: int, what: str = "VmHWM") -> float:
    """Return the MiB that a process holds in memory: `VmHWM` at most so far, `VmRSS` now."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    raise LookupError(f"{what} of {process}")


def medians(rounds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the median of each figure over all rounds."""
    return {name: median(each[name] for each in rounds) for name in rounds[0]}


def least(passes: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return the least of each figure over all passes: what it costs undisturbed."""
    return {name: min(each[name] for each in passes) for name in passes[0]}


@contextmanager
def apart(servers: Iterable[int]) -> Iterator[None]:
    """Keep these processes on one processor, and programs started meanwhile on the others.

    A server that shares its processor with those who load it, or is moved, is slower by up to a half, at random. Where
    there is one processor only, nothing can be kept apart.
    """
    processors = os.sched_getaffinity(0)
    first, *others = sorted(processors)
    if others:
        for server in servers:
            for thread in Path(f"/proc/{server}/task").iterdir():
                os.sched_setaffinity(int(thread.name), {first})
        os.sched_setaffinity(0, others)
    try:
        yield
    finally:
        os.sched_setaffinity(0, processors)


def exponent(costs: Mapping[int, float]) -> float:
    """Return the k of `cost = c * size ** k` that fits best: 1 where twice the size costs twice as much."""
    return linear_regression([log(size) for size in costs], [log(cost) for cost in costs.values()]).slope
