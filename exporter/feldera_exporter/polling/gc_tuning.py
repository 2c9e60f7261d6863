"""Settings of the garbage collector, for a process with very many long-lived values and few cycles.

Replaced values are freed by their reference counts. Only tasks, errors and connections have cycles: few and small ones.
"""

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 20)


def collect_rarely() -> None:
    """Collect only after many new values; with the default thresholds, each poll of a large fleet would collect several times."""
    gc.set_threshold(*_THRESHOLDS)


def freeze_long_lived() -> None:
    """Exclude all present values from later collections; after the first poll of an instance they are its fleet."""
    gc.collect()
    gc.freeze()


def unfreeze() -> None:
    """Let later collections find values that a reload has replaced; the next first poll excludes the others again."""
    gc.unfreeze()
