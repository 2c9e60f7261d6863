"""What exporters expose over time, in promtool's notation: a small model of scrapes, replicas and gaps."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Final

STEP: Final = 15
"""Seconds between two scrapes, and between two evaluations."""

STALENESS: Final = 300
"""Seconds for which an exporter keeps the last state while Feldera cannot be reached."""

Series = tuple[str, tuple[tuple[str, str], ...]]
Samples = dict[Series, float]
View = Callable[[float], Samples]
"""What an exporter shows of its Feldera when it last polled at that time."""

INSTANCE: Final = "prod"

NAMING: Final = frozenset({"feldera_instance", "instance"})
"""The labels that name exporters and instances, and so tell worlds apart."""


def series(name: str, **labels: str) -> Series:
    """Return the identity of a series of the instance."""
    return name, tuple({"feldera_instance": INSTANCE, **labels}.items())


def telemetry(
    started: float,
    polled: float | None,
    *,
    up: bool | None,
    polls: Mapping[str, float],
    shard: str = "",
    interval: float = 5.0,
) -> Samples:
    """Return what an exporter tells about itself; one of before there were shards names none."""
    samples: Samples = {
        ("process_start_time_seconds", ()): started,
        ("feldera_exporter_build_info", ()): 1.0,
        ("feldera_exporter_config_last_reload_successful", ()): 1.0,
        ("feldera_exporter_store_errors_total", ()): 0.0,
        series("feldera_exporter_poll_interval_seconds"): interval,
    }
    if shard:
        samples["feldera_exporter_shard_info", (("shard", shard),)] = 1.0
    samples |= {series("feldera_exporter_polls_total", outcome=outcome): n for outcome, n in polls.items()}
    if up is not None:
        samples[series("feldera_up")] = float(up)
    if polled is not None:
        samples[series("feldera_exporter_last_successful_poll_timestamp_seconds")] = polled
    return samples


@dataclass(frozen=True)
class Target:
    """A scrape target: what each scrape gives.

    Attributes:
        instance: its label.
        scrape: what a scrape at a time gives; None when it fails.
        begin: when the target appears, in seconds.
        end: when it is gone.
        recorded: whether it is no target but what rules recorded about one, in a Prometheus that was killed at the
            end: it has no `up`, and nothing marks its end.
    """

    instance: str
    scrape: Callable[[float], Samples | None]
    begin: float = 0
    end: float = float("inf")
    recorded: bool = False


def exporter(
    view: View,
    *,
    instance: str = "a:10058",
    down: Iterable[tuple[float, float]] = (),
    outage: tuple[float, float] | None = None,
    restart: float | None = None,
    frozen: float | None = None,
    begin: float = 0,
    end: float = float("inf"),
    shard: str = "",
    interval: float = 5.0,
    behind: float = 0.0,
) -> Target:
    """Return an exporter's target.

    Args:
        view: what it sees of Feldera.
        instance: its target label.
        down: spans in which scrapes fail.
        outage: a span in which Feldera's API does not answer.
        restart: a time at which the process starts again: no scrape for 30 seconds, no poll for 30 more.
        frozen: a time from which its poll loop hangs.
        begin: when the target appears.
        end: when it is gone.
        shard: its share, as `k/n`; empty for an exporter that names none.
        interval: seconds between its polls.
        behind: seconds by which its clock, and Feldera's, is behind Prometheus's.
    """
    failing = [*down, *([(restart, restart + 30)] if restart is not None else [])]

    def scrape(now: float) -> Samples | None:
        if any(start <= now < stop for start, stop in failing):
            return None
        restarted = restart is not None and now >= restart
        started = restart if restart is not None and restarted else begin - 3600
        if restart is not None and restart <= now < restart + 60:
            return telemetry(started, None, up=None, polls={"success": 0}, shard=shard, interval=interval)
        polled, up = now - now % interval, True
        if frozen is not None and now > frozen:
            polled = frozen
        if outage is not None and outage[0] <= now < outage[1]:
            polled, up = outage[0] - STEP, False
        polls = {"success": (polled - started) // interval, "unauthorized": 0}
        told = telemetry(started, polled - behind, up=up, polls=polls, shard=shard, interval=interval)
        return told | (view(polled) if now - polled < STALENESS or up else {})

    return Target(instance, scrape, begin, end)


def crowd(views: Mapping[str, View], instance: str = "a:10058") -> Target:
    """Return one exporter that watches many instances, by their names."""
    members = {name: exporter(view) for name, view in views.items()}

    def scrape(now: float) -> Samples:
        return {
            _within(name, key): value
            for name, member in members.items()
            for key, value in (member.scrape(now) or {}).items()
        }

    return Target(instance, scrape)


@cache
def _within(name: str, key: Series) -> Series:
    """Return the identity of a series in another instance."""
    family, labels = key
    return family, tuple((label, name if label == "feldera_instance" else own) for label, own in labels)


def rows(
    targets: Iterable[Target],
    until: int,
    families: frozenset[str] = frozenset(),
    step: int = STEP,
    prefix: str = "",
) -> Iterator[tuple[str, str]]:
    """Yield every series that the targets give up to a time, with its values, both in promtool's notation.

    For the reader's sake statuses that a pipeline never has, limits that are always infinite, and families that are
    not named are left out.

    Args:
        targets: the world.
        until: its last second.
        families: those to show, all if empty.
        step: seconds between two scrapes.
        prefix: what precedes the names of exporters and instances.
    """
    times = range(0, until + step, step)
    for target in targets:
        found: dict[Series, list[float | None]] = {}
        for at, now in enumerate(times):
            if not target.begin <= now < target.end:
                continue
            samples = target.scrape(now)
            given: Samples = {} if target.recorded else {("up", ()): float(samples is not None)}
            given.update(samples or {})
            for key, value in given.items():
                if not families or key[0] in families or target.recorded:
                    found.setdefault(key, [None] * len(times))[at] = value
        own = {"job": "feldera-exporter", "instance": target.instance}
        for (name, labels), values in found.items():
            status = any(key == "status" for key, _ in labels)
            if set(values) <= ({None, 0.0} if status else {None, math.inf}):
                continue
            inside = ", ".join(
                f'{key}="{prefix * (key in NAMING)}{value}"' for key, value in (own | dict(labels)).items()
            )
            yield f"{name}{{{inside}}}", notation(values, marked=not target.recorded)


def notation(values: list[float | None], *, marked: bool = True) -> str:
    """Return values in promtool's notation; the first missing one after a value is a staleness mark, as in a scrape.

    Args:
        values: at each step.
        marked: whether there are such marks.
    """
    tokens: list[str] = []
    at = 0
    while at < len(values):
        value = values[at]
        if value is None:
            stale = marked and at > 0 and values[at - 1] is not None
            length = 1 if stale else _repeated(values, at)
            tokens.append("stale" if stale else "_" if length == 1 else f"_x{length}")
        elif math.isinf(value):
            tokens.append("Inf")
            length = 1
        elif (length := _repeated(values, at)) > 1:
            tokens.append(f"{_number(value)}x{length - 1}")
        elif (length := _progression(values, at)) > 2:
            step = (values[at + 1] or 0) - value
            tokens.append(f"{_number(value)}{'+' if step >= 0 else '-'}{_number(abs(step))}x{length - 1}")
        else:
            length = 1
            tokens.append(_number(value))
        at += length
    return " ".join(tokens)


def _repeated(values: list[float | None], start: int) -> int:
    return next((n for n, value in enumerate(values[start:]) if value != values[start]), len(values) - start)


def _progression(values: list[float | None], start: int) -> int:
    length = 1
    for before, value in pairwise(values[start:]):
        first, second = values[start], values[start + 1]
        if (
            before is None
            or value is None
            or first is None
            or second is None
            or value - before != second - first
        ):
            break
        length += 1
    return length


def _number(value: float) -> str:
    return f"{value:.10g}"
