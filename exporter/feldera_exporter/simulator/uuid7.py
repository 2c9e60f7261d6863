"""UUIDv7 as the processes of a pipeline manager generate them: ordered within a process, not across processes."""

from random import Random
from typing import Final

from feldera_exporter.micros import Micros

_COUNTER_BITS: Final = 74
_VERSION: Final = 0x7 << 76
_VARIANT: Final = 0b10 << 62
_LOW: Final = (1 << 62) - 1


class Uuid7:
    """The generator of one process.

    Like Rust's `Uuid::now_v7`, every id is greater than the one before, also when the clock stands still
    (the 74 random bits then count up) or goes back (the last millisecond is kept).

    Args:
        skew: how far this process's clock is ahead of Feldera's database.
    """

    def __init__(self, seed: str, skew: Micros = 0) -> None:
        self._random = Random(seed)
        self._skew = skew
        self._millisecond = 0
        self._counter = 0

    def __call__(self, now: Micros) -> int:
        """Return the next id as a 128-bit integer."""
        millisecond = (now + self._skew) // 1000
        if millisecond > self._millisecond:
            self._millisecond = millisecond
            self._counter = self._random.getrandbits(_COUNTER_BITS - 1)
        else:
            self._counter += 1 + self._random.getrandbits(32)
        return (
            self._millisecond << 80 | _VERSION | (self._counter >> 62) << 64 | _VARIANT | self._counter & _LOW
        )


def uuid_text(value: int) -> str:
    """Return a 128-bit integer in the usual form of 8-4-4-4-12 hexadecimal digits."""
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
