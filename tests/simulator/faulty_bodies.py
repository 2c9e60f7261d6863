"""Faults of a whole body: too short, too long, too deep, no text, wrong clocks."""

import re
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache, partial
from typing import Final

from feldera_exporter.simulator.http_faults import Fault
from feldera_exporter.simulator.http_messages import JSON, Answer

_PIECE: Final = 1 << 16
_TIMESTAMP: Final = re.compile(rb'"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z"')


@dataclass(frozen=True, slots=True)
class TruncatedBody(Fault):
    """The connection ends after a part of the body, short of its Content-Length."""

    share: float = 0.5

    def spoil(self, answer: Answer) -> Answer:
        """Cut the body."""
        kept = answer.body[: int(len(answer.body) * self.share)]
        return replace(answer, body=kept, packed=None, length=len(answer.body))


@dataclass(frozen=True, slots=True)
class BrokenJson(Fault):
    """The body ends in the middle, yet as long as its Content-Length says: broken JSON."""

    share: float = 0.5

    def spoil(self, answer: Answer) -> Answer:
        """Cut the body."""
        return replace(answer, body=answer.body[: int(len(answer.body) * self.share)], packed=None)


@dataclass(frozen=True, slots=True)
class HugeBody(Fault):
    """A body of so many bytes of valid JSON, sent piece by piece and held nowhere.

    Attributes:
        size: in bytes, about.
        declared: whether there is a Content-Length; else the body is chunked.
    """

    size: int = 300_000_000
    declared: bool = False

    def spoil(self, answer: Answer) -> Answer:
        """Stream instead."""
        pieces = self.size // _PIECE
        length = pieces * _PIECE + 2 if self.declared else None
        return replace(answer, stream=_blank_list(pieces), packed=None, length=length)


def _blank_list(pieces: int) -> Callable[[], AsyncIterator[bytes]]:
    async def stream() -> AsyncIterator[bytes]:
        yield b"["
        for _ in range(pieces):
            yield b" " * _PIECE
        yield b"]"

    return stream


@dataclass(frozen=True, slots=True)
class GzipBomb(Fault):
    """A small gzip body that unpacks to very much, sent whether gzip was accepted or not."""

    size: int = 300_000_000

    def spoil(self, answer: Answer) -> Answer:
        """Send the bomb."""
        headers = {**answer.headers, "content-encoding": "gzip"}
        return Answer(200, _bomb(self.size), JSON, headers)


@lru_cache(maxsize=4)
def _bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    pieces = [packer.compress(b"[")]
    pieces += [packer.compress(b" " * _PIECE) for _ in range(size // _PIECE)]
    pieces += [packer.compress(b"]"), packer.flush()]
    return b"".join(pieces)


@dataclass(frozen=True, slots=True)
class DeepNesting(Fault):
    """Arrays in arrays to a depth."""

    depth: int = 100_000

    def spoil(self, answer: Answer) -> Answer:
        """Send the nest."""
        return replace(answer, body=b"[" * self.depth + b"]" * self.depth, packed=None)


@dataclass(frozen=True, slots=True)
class BadUtf8(Fault):
    """A byte in the first string after a colon that is no UTF-8."""

    def spoil(self, answer: Answer) -> Answer:
        """Put the byte in."""
        return replace(answer, body=answer.body.replace(b':"', b':"\xff', 1), packed=None)


@dataclass(frozen=True, slots=True)
class FractionDigits(Fault):
    """Every timestamp has this many digits of a second: 0, 3, 6 or 9."""

    digits: int

    def spoil(self, answer: Answer) -> Answer:
        """Rewrite the timestamps."""
        return replace(answer, body=_TIMESTAMP.sub(self._rewrite, answer.body), packed=None)

    def _rewrite(self, match: re.Match[bytes]) -> bytes:
        second, fraction = match.groups(b"")
        digits = fraction.ljust(self.digits, b"0")[: self.digits]
        return b'"%b%bZ"' % (second, b"." + digits if digits else b"")


@dataclass(frozen=True, slots=True)
class SkewedTimes(Fault):
    """The server's clock is off by some seconds: the Date header, and every timestamp unless switched off."""

    seconds: int
    timestamps: bool = True

    def spoil(self, answer: Answer) -> Answer:
        """Move the instants."""
        skew = timedelta(seconds=self.seconds)
        date = parsedate_to_datetime(answer.headers["date"]) + skew
        headers = {**answer.headers, "date": format_datetime(date, usegmt=True)}
        if not self.timestamps:
            return replace(answer, headers=headers)
        body = _TIMESTAMP.sub(partial(_moved, skew), answer.body)
        return replace(answer, headers=headers, body=body, packed=None)


def _moved(skew: timedelta, match: re.Match[bytes]) -> bytes:
    """Return a timestamp at another second, with the same fraction."""
    second, fraction = match.groups(b"")
    moved = datetime.fromisoformat(second.decode()) + skew
    return b'"%b%bZ"' % (moved.isoformat().encode(), b"." + fraction if fraction else b"")
