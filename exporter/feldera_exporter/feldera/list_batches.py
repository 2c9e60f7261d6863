"""Cuts the list of pipelines into batches of elements while it arrives, and shortens long elements.

A `deployment_error` may have megabytes, and all pipelines may have one. So the list is never held as a whole: of a long
element only the fields that are read are kept, and of its error's texts the beginning. Each pipeline counts at most
`COUNTED` bytes towards `max_response_size`, so that long errors do not make the list unreadable.

A batch that did not change is recognised by its bytes, before anything is decoded.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

import msgspec

from feldera_exporter.feldera.element_scan import FEW, without_refused
from feldera_exporter.feldera.errors import InvalidResponseError, TooLargeError
from feldera_exporter.feldera.json_decoding import decoded
from feldera_exporter.feldera.truncation import shortened

STEP: Final = 2**20
"""Bytes after which a batch ends."""
LONGEST_ELEMENT: Final = 128 * 2**20
"""Bytes of one element, which is held as a whole until its end arrives. Forty times the longest that was ever seen."""
LONGEST_LIST: Final = 4 * 2**30
"""Bytes of a list, compressed and decompressed: more than a manager could hold."""

COUNTED: Final = 1024
"""Bytes of an element that count towards `max_response_size`; Feldera's elements have more even without an error."""
AMPLE: Final = 64 * 1024
"""Bytes up to which an element is kept unchanged, and of a text that are kept of a longer one, while there is room."""
ROOM: Final = 32 * 2**20
"""Bytes beyond `COUNTED` of all elements together; after that, `SHORT` and `SCANT` hold instead of `AMPLE`."""
SHORT: Final = 4096
"""Bytes up to which an element is kept unchanged if there is no more room."""
SCANT: Final = 1024
"""Bytes of a text that are kept of a longer element if there is no more room."""

_TINY: Final = 256
"""Bytes of an element: Feldera's have more than 1000 each."""
_FIRST: Final = re.compile(rb'[\[,]\s*(\{\s*"[^"\\]{1,64}"\s*:)')
_GAP: Final = 64
"""Bytes between two elements at most."""
_SPACE: Final = b" \t\n\r"
_COMMA: Final = ord(",")
_CLOSED: Final = ord("]")

_ELEMENTS: Final[msgspec.json.Decoder[list[msgspec.Raw]]] = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some elements of a list.

    Attributes:
        text: the elements, as a JSON array.
        raws: the elements, as views of the text.
        verbatim: whether the text is exactly what arrived.
        longest: the size of the longest element, in bytes.
        counted: the bytes that count towards `max_response_size`.
        beyond: the other bytes.
    """

    text: bytes
    raws: Sequence[msgspec.Raw]
    verbatim: bool
    longest: int
    counted: int
    beyond: int


class Batches:
    """Reads a list part by part.

    Args:
        limit: the size beyond which the list is refused, in bytes; see `COUNTED`.
        previous: the batches of the list before.

    Attributes:
        longest: the compressed size beyond which the list is refused, in bytes.
    """

    longest = LONGEST_LIST

    def __init__(self, limit: int, previous: Sequence[Batch] = ()) -> None:
        self._limit = limit
        self._previous = previous
        self._batches: list[Batch] = []
        self._received = 0
        self._elements = 0
        self._counted = 0
        self._room = ROOM
        # The beginning of an element, which is the same for all.
        self._beginning = b""
        # What arrived and is in no batch yet, as an array: `_rest`, or the first `_same` bytes of an old batch.
        self._rest = bytearray()
        self._due = STEP
        self._old = self._expected()
        self._same = 0

    def take(self, part: bytes) -> None:
        """Read the next part.

        Raises:
            InvalidResponseError: the body is no JSON array of pipelines.
            TooLargeError: it is longer than a limit.
        """
        self._received += len(part)
        if self._received > LONGEST_LIST:
            raise TooLargeError(f"the list is longer than {LONGEST_LIST} bytes")
        while part:
            part = self._collected(part) if self._old is None else self._compared(part, self._old)

    def end(self) -> tuple[Batch, ...]:
        """Return the batches after all parts were read; there is at least one.

        Raises:
            InvalidResponseError: the body is no JSON array of pipelines.
            TooLargeError: it is longer than a limit.
        """
        if self._old is not None:
            self._differ(self._old)
        rest, self._rest = self._rest, bytearray()
        if rest[:1].isspace() or rest[-1:].isspace():
            rest = rest.strip(_SPACE)
        text = bytes(rest)
        # It may be long: do not keep a copy.
        del rest
        old = self._expected()
        if old is not None and old.text == text:
            self._add(old)
        else:
            try:
                raws = _raws(text)
            except InvalidResponseError:
                readable, end = without_refused(text, _TINY)
                if end < len(text) or not text.endswith(b"]"):
                    raise
                self._add(self._batch(readable, _raws(readable), same=False))
            else:
                if self._batches and not raws:
                    raise InvalidResponseError("unexpected body: the list ends with a comma")
                self._add(self._batch(text, raws))
        return tuple(self._batches)

    def _compared(self, part: bytes, old: Batch) -> bytes:
        """Read what is the same as in the old batch, and return what follows."""
        end = len(old.text) - 1
        size = min(len(part), end - self._same)
        if not old.text.startswith(part[:size], self._same):
            self._differ(old)
            return part
        self._same += size
        if size == len(part):
            return b""
        if part[size] != _COMMA:
            self._differ(old)
            return part[size:]
        self._add(old)
        self._begin()
        return part[size + 1 :]

    def _differ(self, old: Batch) -> None:
        """Go on without the old batch, which differs from here on."""
        self._rest += old.text[: self._same]
        self._old = None

    def _begin(self) -> None:
        """Go on after a batch: the comma after it becomes the bracket before the rest."""
        self._old = self._expected()
        self._same = 1
        self._rest = bytearray(b"[" if self._old is None else b"")

    def _expected(self) -> Batch | None:
        """Return the old batch in this place, if it may be reused."""
        if len(self._batches) >= len(self._previous):
            return None
        old = self._previous[len(self._batches)]
        return old if old.verbatim and old.longest <= self._bounds()[0] else None

    def _collected(self, part: bytes) -> bytes:
        """Read a part, and return what follows the batch that it completes."""
        self._rest += part
        if not self._batches and self._rest[:1].isspace():
            # A body of spaces counts too.
            before = len(self._rest)
            self._rest = self._rest.lstrip(_SPACE)
            self._count(before - len(self._rest))
        while len(self._rest) >= self._due:
            left = self._cut()
            if left is not None:
                self._due = STEP
                return left
            if self._due >= LONGEST_ELEMENT:
                raise TooLargeError(f"an element of the list is longer than {LONGEST_ELEMENT} bytes")
            self._due *= 2
        return b""

    def _cut(self) -> bytes | None:
        """Make a batch of the complete elements among the bytes that are due; return what follows, None without a batch."""
        if not self._beginning:
            first = _FIRST.search(self._rest)
            if first is None or not self._rest.startswith(b"["):
                raise InvalidResponseError("unexpected body: no list of pipelines")
            self._beginning = first[1]
        end = self._rest.rfind(self._beginning, 0, self._due)
        comma = self._rest.rfind(b",", max(0, end - _GAP), max(0, end))
        if comma < 0:
            return None
        self._rest[comma] = _CLOSED
        with memoryview(self._rest) as view:
            text = view[: comma + 1].tobytes()
        try:
            raws = _raws(text)
        except InvalidResponseError:
            self._rest[comma] = _COMMA
            return self._cut_by_brackets()
        left = bytes(self._rest[comma + 1 :])
        self._add(self._batch(text, raws))
        self._begin()
        return left

    def _cut_by_brackets(self) -> bytes | None:
        """Do the same if the decoder refuses an element, or if an element contains what looks like the end of one."""
        text = bytes(self._rest[: self._due])
        readable, end = without_refused(text, _TINY)
        if end == 0 or text[end - 1] == _CLOSED:
            return None
        left = bytes(self._rest[end:])
        self._add(self._batch(readable, _raws(readable), same=readable[:-1] == text[: end - 1]))
        self._begin()
        return left

    def _batch(self, text: bytes, raws: list[msgspec.Raw], *, same: bool = True) -> Batch:
        """Return a batch of elements, with long ones shortened; `same` is False if they are not exactly what arrived."""
        longest, most = self._bounds()
        verbatim = same and max(map(len, raws), default=0) <= longest
        if not verbatim:
            pieces = (shortened(raw, most) if len(raw) > longest else bytes(raw) for raw in raws)
            text = b"[%b]" % b",".join(pieces)
            raws = decoded(_ELEMENTS, text)
        counted = min(len(text), COUNTED * len(raws))
        batch = Batch(text, raws, verbatim, max(map(len, raws), default=0), counted, len(text) - counted)
        # A shortened batch that did not change is the same object, too.
        index = len(self._batches)
        old = self._previous[index] if index < len(self._previous) else batch
        return old if old.text == text and not verbatim and not old.verbatim else batch

    def _bounds(self) -> tuple[int, int]:
        """Return up to how many bytes elements are kept unchanged, and how many of a text of longer ones."""
        return (AMPLE, AMPLE) if self._room > 0 else (SHORT, SCANT)

    def _add(self, batch: Batch) -> None:
        self._batches.append(batch)
        self._room -= batch.beyond
        self._elements += len(batch.raws)
        if self._elements > FEW + self._received // _TINY:
            raise InvalidResponseError(
                f"{self._elements} elements in {self._received} bytes are no pipelines"
            )
        self._count(batch.counted)

    def _count(self, size: int) -> None:
        self._counted += size
        if self._counted > self._limit:
            raise TooLargeError(
                f"the list is longer than {self._limit} bytes, of which each pipeline counts {COUNTED} at most"
            )


def _raws(text: bytes) -> list[msgspec.Raw]:
    """Return the elements of a JSON array.

    Raises:
        InvalidResponseError: it is none, or has very many elements, which would fill the memory.
    """
    if len(text) > 2 * STEP:
        decoded(msgspec.json.Decoder(list[_counted_element(len(text))]), text)  # type: ignore[misc]
    raws: list[msgspec.Raw] = decoded(_ELEMENTS, text)
    return raws


def _counted_element(size: int) -> type[msgspec.Struct]:
    """Return a type for the elements of a list of this size, which refuses an element if there are too many."""
    numbers, most = count(1), FEW + size // _TINY

    class Element(msgspec.Struct, gc=False):
        def __post_init__(self) -> None:
            if next(numbers) > most:
                raise ValueError(f"{size} bytes of more than {most} elements are no pipelines")

    return Element
