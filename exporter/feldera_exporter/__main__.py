"""The entry point of `feldera-exporter` and `python -m feldera_exporter`; from the start on, signals end the process."""

import os
import signal
import sys
from importlib import import_module
from typing import Final, NoReturn

from feldera_exporter.polling import gc_tuning

_SERVING: Final = frozenset({"run", "demo", "simulate"})
"""The commands that run until a signal ends them, with exit code 0."""


def start() -> NoReturn:
    """Run the command line and end with its exit code."""
    word = sys.argv[1] if len(sys.argv) > 1 else "run"
    if word.startswith("-") and word not in {"-h", "--help", "--version", "--print-completion"}:
        word = "run"
    if word == "run":
        # The configuration is not read yet, so that there is nothing to reload.
        signal.signal(signal.SIGHUP, lambda *_: None)
        # Collections take a sixth of the time that the imports take.
        gc_tuning.collect_rarely()
    if word in _SERVING:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
    # With it, prometheus_client would store its values in files of that directory, for several processes.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    # This takes a part of a second, so the signal handlers are set before.
    _import_without_rich("structlog", "httpx")
    from feldera_exporter.cli import main  # noqa: PLC0415

    sys.exit(main())


def _import_without_rich(*modules: str) -> None:
    """Import modules without rich, which they would import for colours that the log does not have; that takes long."""
    sys.modules["rich"] = None  # type: ignore[assignment] # so that its import fails
    for module in modules:
        import_module(module)
    del sys.modules["rich"]


def _leave(*_: object) -> NoReturn:
    """Exit at once; the event loop sets other handlers later.

    An exception could crash the interpreter while an extension is initialized, and could be lost in the event loop.
    """
    os._exit(0)


if __name__ == "__main__":
    start()
