"""Helpers for the recorded answers of a real Feldera: where they are, and whether two answers have the same form."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from feldera_exporter.simulator.failures import lost_process
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.plan import Phase, Plan
from support.clocks import ManualClock
from support.tools import ROOT
from support.worker_panic import worker_panic

FOLDER: Final = Path(os.environ.get("FELDERA_RECORDED") or ROOT / "tests/simulator/none-recorded")

NULLABLE: Final = frozenset({"identifier", "deployment_resources_status_details"})
"""The fields whose values may be null in one answer alone: a checkpoint may have a name, and the runner may be too late to
report details of resources that are given up."""

_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_LONG: Final = {"provisioning_timeout_secs": 10**6}


def recorded(name: str) -> Any:
    """Return what a file holds; an empty list where there is none."""
    path = FOLDER / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def kind(value: Any) -> str:
    """Return what a value is."""
    if isinstance(value, str):
        return "instant" if _INSTANT.fullmatch(value) else "UUID" if _UUID.fullmatch(value) else "text"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return type(value).__name__


def misfits(real: Any, ours: Any, path: str = "") -> Iterator[str]:
    """Yield where two JSON values differ in their keys or in the kinds of their values."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in real.keys() | ours.keys():
            if key not in real or key not in ours:
                yield f"{path}.{key}: only in {'ours' if key in ours else 'the real one'}"
            elif not (key in NULLABLE and None in (real[key], ours[key])):
                yield from misfits(real[key], ours[key], f"{path}.{key}")
    elif isinstance(real, list) and isinstance(ours, list):
        if real and ours:
            # Whatever is more in one of them is as the last of the other.
            for number, (recorded, answered) in enumerate(zip_longest(real, ours)):
                pair = (
                    real[-1] if number >= len(real) else recorded,
                    ours[-1] if number >= len(ours) else answered,
                )
                yield from misfits(*pair, f"{path}[{number}]")
    elif kind(real) != kind(ours):
        yield f"{path}: {kind(real)}, not {kind(ours)}"


def same_states() -> Feldera:
    """Return an instance of the recorded version, with a pipeline in each recorded state, under the recorded name."""
    config = recorded("config.json")
    clock = ManualClock()
    feldera = Feldera(clock, edition=config["edition"], version=config["version"], provisioning_timeout=20)
    # As quick as local processes are: their beginning is not compared.
    quick = Plan(provisioning=0.0, initializing=0.0)
    plans = {
        "awaiting": replace(quick, path=(Phase("AwaitingApproval", None),)),
        "bootstrapping": replace(quick, path=(Phase("Bootstrapping", None),)),
        "checkpointed": replace(quick, checkpoint_every=1.0),
        "compiling": replace(quick, compiling_sql=None),
        "concurrent": replace(quick, path=(Phase("ConcurrentBootstrapping", None),)),
        "initializing": replace(quick, initializing=None),
        "pending": replace(quick, pending=None),
        "provisioning": Plan(provisioning=None),
        "replaying": replace(quick, path=(Phase("Replaying", None),)),
        "rusterror": replace(quick, compiled_as="RustError"),
        "earlyfail": replace(quick, compiled_as="RustError"),
        "sqlerror": replace(quick, compiled_as="SqlError"),
        "synchronizing": replace(quick, path=(Phase("Synchronizing", None),)),
        "systemerror": replace(quick, compiled_as="SystemError"),
        "timeout": Plan(provisioning=None),
    }
    names = [row["name"] for row in recorded("pipelines_status.json") if row["name"].startswith("s-")]
    for name in names:
        settings = _LONG if name == "s-provisioning" else {}
        feldera.create(name, plan=plans.get(name.removeprefix("s-"), quick), runtime_config=settings)
    feldera.start("s-earlyfail")
    clock.advance(60)
    stopped = {"compiling", "earlyfail", "pending", "rusterror", "sqlerror", "systemerror"}
    for name in names:
        if name.removeprefix("s-") not in stopped:
            feldera.start(name, "Paused" if name == "s-paused" else "Running")
    clock.advance(30)
    feldera.inject.connector_errors("s-connector-errors", 17)
    feldera.inject.lose("s-unavailable")
    feldera.inject.crash("s-crashed", lost_process())
    feldera.inject.crash("s-fatal", worker_panic(1))
    for name in ("s-cleared", "s-stopped", "s-suspended"):
        feldera.stop(name, force=True)
    clock.advance(30)
    feldera.clear("s-cleared")
    clock.advance(60)
    feldera.settle()
    return feldera
