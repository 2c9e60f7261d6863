"""The process itself, as `feldera-exporter` and `python -m feldera_exporter`: from its first moment on it ends in order."""

import os
import signal
import sys
from importlib import import_module
from typing import Final, NoReturn

_SERVING: Final = frozenset({"run", "demo", "simulate"})
"""The commands that go on until a signal ends them, which is then no failure."""


def start() -> NoReturn:
    """Run the command line and end with its exit code."""
    word = sys.argv[1] if len(sys.argv) > 1 else "run"
    if word.startswith("-") and word not in {"-h", "--help", "--version", "--print-completion"}:
        word = "run"
    if word == "run":
        # Its configuration is not read yet: what has changed is read anyhow.
        signal.signal(signal.SIGHUP, lambda *_: None)
    if word in _SERVING:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, _leave)
    # prometheus_client would keep its values in files of that directory, and fail where there is none; there is one process.
    os.environ.pop("PROMETHEUS_MULTIPROC_DIR", None)
    # Takes a part of a second, in which a signal must find its handler.
    _import_without_rich("structlog", "httpx")
    from feldera_exporter.cli import main  # noqa: PLC0415

    sys.exit(main())


def _import_without_rich(*modules: str) -> None:
    """Import what would import rich, where it is there, for colours that no log of the exporter has: that takes long."""
    sys.modules["rich"] = None  # type: ignore[assignment] # so that its import fails
    for module in modules:
        import_module(module)
    del sys.modules["rich"]


def _leave(*_: object) -> NoReturn:
    """End at once, while there is nothing yet to end; once the event loop runs it has handlers of its own.

    Not by an exception: raised in the middle of an extension's initialization it crashes the interpreter, and raised
    within the event loop's it is lost, and the loop waits for ever.
    """
    os._exit(0)


if __name__ == "__main__":
    start()
