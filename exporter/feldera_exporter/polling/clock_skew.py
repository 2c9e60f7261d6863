"""How far Feldera's clock is from this machine's, as its answers tell; a single wrong answer is not believed."""

from dataclasses import dataclass, replace
from typing import Final

JUMP: Final = 3600.0
"""Seconds: a clock that moves further than this from one answer to the next must say so twice.

Time that was credited is never taken back, so one wrong date in the far future would stop the counters until then.
"""


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """Feldera's clock minus this machine's.

    Attributes:
        seconds: what is believed; before the first answer that the two agree.
        known: whether any answer was believed yet.
        doubted: what the last answer told instead, None where it agreed.
    """

    seconds: float = 0.0
    known: bool = False
    doubted: float | None = None

    def told(self, seconds: float) -> "ClockSkew":
        """Return what is believed after another answer."""
        for one in (self.seconds, self.doubted):
            if one is not None and abs(seconds - one) <= JUMP:
                return ClockSkew(seconds, known=True)
        return replace(self, doubted=seconds)


UNTOLD: Final = ClockSkew()
"""What is believed before anything was told."""
