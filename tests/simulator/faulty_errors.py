"""The fault of a fleet that fails at once: every error is long, and the list is too long to hold in memory."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Final

from feldera_exporter.simulator.http_faults import Fault
from feldera_exporter.simulator.http_messages import Answer

_MESSAGE: Final = b'"deployment_error":{"message":"'
_LINE: Final = b"worker thread 0 panicked at crates/dbsp/src/circuit/runtime.rs\\n"


@dataclass(frozen=True, slots=True)
class LongErrors(Fault):
    """Every `deployment_error` that is set has a message longer by so much, sent piece by piece and held nowhere.

    Attributes:
        kilobytes: by how many kilobytes each is longer.
    """

    kilobytes: int

    def spoil(self, answer: Answer) -> Answer:
        """Stream instead."""
        more = _LINE * (self.kilobytes * 1024 // len(_LINE) + 1)
        return replace(answer, stream=_lengthened(answer.body.split(_MESSAGE), _MESSAGE + more), packed=None)


def _lengthened(pieces: list[bytes], between: bytes) -> Callable[[], AsyncIterator[bytes]]:
    async def stream() -> AsyncIterator[bytes]:
        yield pieces[0]
        for piece in pieces[1:]:
            yield between
            yield piece

    return stream
