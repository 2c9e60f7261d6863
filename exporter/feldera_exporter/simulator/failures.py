"""The errors that the runner itself finds (pipeline-manager `runner/error.rs`, `db/error.rs`)."""

from typing import Final

from feldera_exporter.simulator.plan import Failure

_FRAME: Final = (
    "  {}: dbsp::circuit::runtime::Runtime::run\n             at crates/dbsp/src/circuit/runtime.rs:{}:9\n"
)


def failed_compilation(status: str) -> Failure:
    """A start that waited for a compilation which then failed."""
    return Failure(
        "StartFailedDueToFailedCompilation",
        f"Not possible to start the pipeline because its program failed to compile: {status}",
        {"compiler_error": f"{status} occurred (see `program_error` for more information)"},
    )


def lost_process() -> Failure:
    """A deployment whose process is gone with the manager that had started it (`local_runner.rs`)."""
    reason = "The pipeline-manager and this pipeline were previously terminated. Start the pipeline again."
    return Failure("RunnerCheckError", reason, {"error": reason})


def impossible(status: str, desired: str) -> Failure:
    """A deployment whose storage is not what a deployment's can be: a fail-safe of the runner's."""
    return Failure(
        "AutomatonImpossibleDesiredStatus",
        f"Current deployment status {status} cannot reach desired status {desired}",
        {"current_status": status, "desired_status": desired},
    )


def provisioning_timeout(seconds: float) -> Failure:
    """Resources that were not there in time; the details are a serialized Rust Duration."""
    whole = int(seconds)
    return Failure(
        "AutomatonProvisioningTimeout",
        f"Pipeline could not be provisioned within the timeout of {whole}s.",
        {"timeout": {"secs": whole, "nanos": round((seconds - whole) * 1_000_000_000)}},
    )


def worker_panic(kilobytes: int) -> Failure:
    """A panic of every worker: the details have a stack trace of each, and the message repeats them all.

    Message and details together have about so many kilobytes: 16 for each worker, of which there is one at least.
    """
    workers = range(max(1, kilobytes // 16))
    length = kilobytes * 1024 // (2 * len(workers))
    trace = "".join(_FRAME.format(number, number) for number in range(length // len(_FRAME) + 1))[:length]
    panics = [[worker, "Foreground", {"message": "boom", "backtrace": trace}] for worker in workers]
    details = "\n".join(
        f"worker thread {worker} panicked\npanic message: boom\nstack trace:\n{trace}" for worker in workers
    )
    return Failure(
        "RuntimeError.WorkerPanic",
        f"One or more worker threads terminated unexpectedly.\n{details}",
        {"panic_info": panics},
    )
