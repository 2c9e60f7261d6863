"""The long error of a pipeline whose workers all panicked."""

from typing import Final

from feldera_exporter.simulator.plan import Failure

_FRAME: Final = (
    "  {}: dbsp::circuit::runtime::Runtime::run\n             at crates/dbsp/src/circuit/runtime.rs:{}:9\n"
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
