"""Random plans, for pipelines that are created without one."""

from dataclasses import replace
from random import Random
from typing import Final

from feldera_exporter.simulator.plan import Failure, Phase, Plan

CODES: Final = (
    "RuntimeError.WorkerPanic",
    "RunnerCheckError",
    "InitializationError",
    "InputTransportError",
    "OutputTransportError",
    "ConfigError.UnknownInputTransport",
    "ControllerPanic",
    "StorageError",
    "PipelineTerminated",
    "UdfLibraryError",
    "NotImplemented",
    "ConfigError.InvalidDevTweaks",
)
"""Some of the codes with which pipelines fail."""

_COMPILING: Final = ("Pending", "CompilingSql", "CompilingRust")

_PATHS: Final = (
    (Phase("Bootstrapping", 30.0),),
    (Phase("Replaying", 12.0),),
    (Phase("AwaitingApproval", None), Phase("Bootstrapping", 20.0)),
    (Phase("ConcurrentBootstrapping", 40.0), Phase("Synchronizing", 2.0)),
)


def draw_plan(random: Random, trouble: float) -> Plan:
    """Return a random plan; a share of `trouble` of the plans has faults."""
    chance = random.random
    plan = Plan(
        pending=chance() * 2,
        compiling_sql=1 + chance() * 6,
        sql_compiled=chance() * 2,
        compiling_rust=5 + chance() * 40,
        provisioning=1 + chance() * 5,
        initializing=chance() * 10,
        stopping=chance() * 4,
        clearing=chance() * 4,
        path=random.choice(_PATHS) if chance() < 0.25 else (),
    )
    if chance() >= trouble:
        return plan
    failure = Failure(random.choice(CODES), "Something failed.", {"reason": "chance"})
    troubles: tuple[dict[str, object], ...] = (
        {"compiled_as": "SqlError"},
        {"compiled_as": "RustError"},
        {"compiled_as": "SystemError", "system_error_in": random.choice(_COMPILING)},
        {"compiled_as": "Killed"},
        {"compiling_rust": None},
        {"provisioning": None},
        {"provision_failure": failure},
        {"refused": failure},
        {"initializing": None},
        {"stopping": None},
        {"clearing": None},
    )
    return replace(plan, **random.choice(troubles))  # type: ignore[arg-type]
