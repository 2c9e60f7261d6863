"""A week of a healthy fleet whose users start, stop, pause, edit and recompile: nobody must be told anything."""

import random
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from rules.facts import Pipeline, fleet
from rules.world import Samples, View

WEEK: Final = 7 * 86_400
FLEET: Final = 3

_RESOURCES: Final = "feldera_pipeline_deployment_resources_status_transitions_total"
_RUNTIME: Final = "feldera_pipeline_deployment_runtime_status_transitions_total"
_SECONDS: Final = "feldera_pipeline_deployment_status_seconds_total"


@dataclass(frozen=True)
class Moment:
    """A pipeline from a time on."""

    begin: float
    pipeline: Pipeline


def _life(name: str, chance: random.Random) -> Iterator[Moment]:
    now = 0.0
    pipeline = Pipeline(name, since=0, desired_since=0)
    counts = {
        "Stopped>Provisioning": 0,
        "Provisioning>Provisioned": 0,
        "Provisioned>Stopping": 0,
        "Stopping>Stopped": 0,
    }
    entered = {"Initializing": 0, "Unavailable": 0}
    away = 0.0

    def moment(length: float, **changes: str) -> Moment:
        nonlocal now, pipeline
        begin, before = now, pipeline
        times = {
            since: begin
            for field, since in (
                ("status", "since"),
                ("desired", "desired_since"),
                ("program", "program_since"),
                ("storage", "storage_since"),
            )
            if field in changes and changes[field] != getattr(before, field)
        }
        after = replace(before, **changes, **times)  # type: ignore[arg-type]
        if (step := f"{before.resources}>{after.resources}") in counts:
            counts[step] += 1
        if after.status in entered and after.status != before.status:
            entered[after.status] += 1
        counters: dict[tuple[str, tuple[tuple[str, str], ...]], float] = {
            (_RESOURCES, tuple(zip(("from", "to"), pair.split(">"), strict=True))): n
            for pair, n in counts.items()
        }
        counters |= {(_RUNTIME, (("to", status),)): n for status, n in entered.items()}
        counters[_SECONDS, (("status", "Unavailable"),)] = away
        pipeline = replace(after, counters=counters)
        now += length
        return Moment(begin, pipeline)

    while now < WEEK:
        yield moment(chance.uniform(1800, 20_000), status="Running", desired="Running")
        what = chance.choice(["pause", "restart", "edit", "blip", "bootstrap"])
        if what == "pause":
            yield moment(5, desired="Paused")
            yield moment(chance.uniform(600, 50_000), status="Paused")
            yield moment(5, desired="Running")
            continue
        if what == "blip":
            away += 60
            yield moment(60, status="Unavailable", desired="Unavailable")
            continue
        yield moment(chance.uniform(5, 600), status="Stopping", desired="Stopped")
        yield moment(chance.uniform(60, 40_000), status="Stopped")
        if what == "edit":
            yield moment(chance.uniform(10, 600), storage="Clearing")
            yield moment(10, storage="Cleared")
            yield moment(chance.uniform(60, 3000), program="SqlError")
            yield moment(30, program="Pending")
            yield moment(60, program="CompilingSql", desired="Running")
            yield moment(60, program="SqlCompiled")
            yield moment(chance.uniform(300, 3000), program="CompilingRust")
            yield moment(3, program="Success")
        yield moment(3, desired="Running", storage="InUse")
        yield moment(chance.uniform(20, 500), status="Provisioning")
        yield moment(chance.uniform(20, 1000), status="Initializing")
        if what == "bootstrap":
            yield moment(chance.uniform(20, 800), status="AwaitingApproval")
            yield moment(chance.uniform(600, 20_000), status="Bootstrapping")


def week(seed: int = 7) -> View:
    """Return what an exporter sees of the fleet; the same for the same seed."""
    lives = [tuple(_life(f"p{n}", random.Random(seed + n))) for n in range(FLEET)]
    begins = [[at.begin for at in life] for life in lives]

    def view(now: float) -> Samples:
        return fleet(
            *(life[bisect(begin, now) - 1].pipeline for life, begin in zip(lives, begins, strict=True))
        )

    return view
