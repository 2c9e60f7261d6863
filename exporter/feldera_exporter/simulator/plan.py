"""The plan of a pipeline in the simulation: how long each step takes, and what goes wrong."""

from dataclasses import dataclass, field
from typing import Any

Seconds = float | None
"""A duration; None means that it never ends by itself."""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as Feldera keeps it in `deployment_error` and answers it (feldera-types `error.rs`)."""

    error_code: str
    message: str = "The pipeline failed."
    details: Any = None


@dataclass(frozen=True, slots=True)
class Phase:
    """A runtime status that a pipeline passes through between Initializing and its steady status.

    Attributes:
        status: the runtime status that the pipeline reports of itself.
        seconds: how long it lasts; None lasts until something else ends it (for AwaitingApproval: `approve`).
    """

    status: str
    seconds: Seconds


@dataclass(frozen=True, slots=True)
class Plan:
    """The plan of a pipeline; every duration is in seconds, None means never.

    Attributes:
        pending: Pending, until a compiler picks the program up.
        sql_compiled: SqlCompiled, until a compiler picks the program up.
        compiled_as: how compiling ends: Success, SqlError, RustError, SystemError, or Killed, where the Rust
            compiler dies each time and the program goes between SqlCompiled and CompilingRust for ever.
        system_error_in: the status that ends in SystemError, if compiling ends so: Pending, CompilingSql or
            CompilingRust.
        refused: why the runner's checks refuse an early start (`RemainStoppedUpdateError`), if they do.
        provisioning: from the call of the runner's `provision` until the resources are there.
        provision_failure: with what provisioning fails instead of succeeding, after `provisioning`.
        initializing: Initializing, as the pipeline reports it of itself.
        path: what comes between Initializing and the steady status.
        reaction: from /pause, /resume or /approve until the pipeline reports the new status.
        checkpointing: the last checkpoint of a graceful stop.
        checkpoint_every: how often a running pipeline makes a checkpoint, of which the last two are kept.
        stopping: how long the runner's blocking `stop` takes; None fails and is retried for ever.
        clearing: how long the runner's blocking `clear` takes; None fails and is retried for ever.
    """

    pending: Seconds = 1.0
    compiling_sql: Seconds = 4.0
    sql_compiled: Seconds = 1.0
    compiling_rust: Seconds = 20.0
    compiled_as: str = "Success"
    system_error_in: str = "CompilingSql"
    refused: Failure | None = None
    provisioning: Seconds = 3.0
    provision_failure: Failure | None = None
    initializing: Seconds = 4.0
    path: tuple[Phase, ...] = field(default=())
    reaction: float = 0.1
    checkpointing: Seconds = 2.0
    checkpoint_every: Seconds = None
    stopping: Seconds = 1.0
    clearing: Seconds = 1.0
