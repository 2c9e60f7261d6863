"""The errors that the runner itself finds (pipeline-manager `runner/error.rs`, `db/error.rs`)."""

from feldera_exporter.simulator.plan import Failure


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


def provisioning_timeout(seconds: float) -> Failure:
    """Resources that were not there in time; the details are a serialized Rust Duration."""
    whole = int(seconds)
    return Failure(
        "AutomatonProvisioningTimeout",
        f"Pipeline could not be provisioned within the timeout of {whole}s.",
        {"timeout": {"secs": whole, "nanos": round((seconds - whole) * 1_000_000_000)}},
    )
