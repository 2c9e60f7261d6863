"""The errors that the runner itself finds (pipeline-manager `runner/error.rs`, `db/error.rs`)."""

from feldera_exporter.simulator.plan import Failure


def failed_compilation(status: str) -> Failure:
    """A start that waited for a compilation which then failed."""
    return Failure(
        "StartFailedDueToFailedCompilation",
        f"Not possible to start the pipeline because its program failed to compile: {status}",
        {"compiler_error": f"{status} occurred (see `program_error` for more information)"},
    )


def provisioning_timeout(seconds: float) -> Failure:
    """Resources that were not there in time; the details are a serialized Rust Duration."""
    whole = int(seconds)
    return Failure(
        "AutomatonProvisioningTimeout",
        f"Pipeline could not be provisioned within the timeout of {whole}s.",
        {"timeout": {"secs": whole, "nanos": round((seconds - whole) * 1_000_000_000)}},
    )
