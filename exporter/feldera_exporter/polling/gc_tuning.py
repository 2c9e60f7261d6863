"""The garbage collector, set for a process that keeps very many values for long and makes hardly a cycle of them.

Whatever is replaced is freed by its reference count. Only tasks, errors and connections make cycles: few and small.
"""

import gc
from typing import Final

_THRESHOLDS: Final = (50_000, 20, 20)


def collect_rarely() -> None:
    """Look for cycles after many new values only: at the usual thresholds, every poll of a large fleet looks several times."""
    gc.set_threshold(*_THRESHOLDS)


def freeze_long_lived() -> None:
    """Keep all that there is now out of later collections: after the first poll that is the whole fleet.

    What was kept out before is looked at once more: of what ran before a reload, hardly anything is of use.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()
