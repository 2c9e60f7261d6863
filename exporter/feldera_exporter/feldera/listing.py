"""The list of pipelines, read element by element: what did not change is not decoded again.

A bad element spoils itself, not the list. Elements are matched by their place first and by their bytes after that,
because places shift when a pipeline is created or deleted; Feldera sorts the list by id.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress, count
from operator import ne
from types import MappingProxyType
from typing import Final

import msgspec

from feldera_exporter.feldera.answers import InvalidResponseError
from feldera_exporter.feldera.decoding import UNREADABLE, decoded
from feldera_exporter.feldera.wire import Progress, Row, Text, progress, row


@dataclass(frozen=True, slots=True)
class Entry:
    """One readable element: what it says, apart in what moves only when something happens and what always moves."""

    row: Row
    progress: Progress


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One element that cannot be read: which pipeline it is, as far as that can be told, and why."""

    id: str | None
    name: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer to `GET /v0/pipelines?selector=status`.

    Attributes:
        body: the answer itself.
        raws: every element in Feldera's order, as views of the body: all of them of this one, so that no older body is
            kept alive.
        elements: what each of them says.
        entries: the readable ones by pipeline id.
        unreadable: the others.
    """

    body: bytes | bytearray = b""
    raws: Sequence[msgspec.Raw] = ()
    elements: tuple[Entry | Unreadable, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    unreadable: tuple[Unreadable, ...] = ()


class _Id(msgspec.Struct, frozen=True, gc=False):
    id: Text


class _Name(msgspec.Struct, frozen=True, gc=False):
    name: Text


_ELEMENTS: Final[msgspec.json.Decoder[list[msgspec.Raw]]] = msgspec.json.Decoder(list[msgspec.Raw])
_ID: Final = msgspec.json.Decoder(_Id)
_NAME: Final = msgspec.json.Decoder(_Name)

_LARGE: Final = 2**20
_TINY: Final = 256
"""Bytes of an element: Feldera's have more than 1000 each."""
_FEW: Final = 1000
_LONGEST: Final = 2 * 2**20
"""Bytes of an element that are read: an error, a list of checkpoints and a plan to approve have room in them."""
_VERSION: Final = b'"refresh_version":'
_DIGITS: Final = 18
"""Of a number that fits what `Progress` holds, whatever they are."""
_TWICE: Final = "the list has this id twice"


def read(body: bytes | bytearray, previous: Listing) -> Listing:
    """Decode a list, reusing from the previous one whatever is the same, down to the identity of its objects.

    A list that says the same as the previous one is the previous one.

    Raises:
        InvalidResponseError: the body is not a JSON array, or not one of pipelines.
    """
    if body and body == previous.body:
        return previous
    _check(body, len(previous.body))
    raws: list[msgspec.Raw] = decoded(_ELEMENTS, body)
    if len(raws) > _FEW + len(body) // _TINY:
        raise InvalidResponseError(f"{len(raws)} elements in {len(body)} bytes are no pipelines")
    old = previous.raws
    places = [*compress(count(), map(ne, raws, old)), *range(len(old), len(raws))]
    elements = list(previous.elements[: len(raws)])
    gone: Mapping[bytes, Entry | Unreadable] | None = None
    long = False
    element: Entry | Unreadable | None
    for place in places:
        if (size := memoryview(raws[place]).nbytes) > _LONGEST:
            long = True
            element = _unreadable(raws[place], f"it has {size} bytes, expected at most {_LONGEST}")
        else:
            text = bytes(raws[place])
            element = _reported(old[place], previous.elements[place], text) if place < len(old) else None
            if element is None:
                # Of a first list nothing is gone: that, too, is found out once.
                gone = _gone(previous, places, len(raws)) if gone is None else gone
                element = gone.get(text) or _decode(text, previous)
        elements[place : place + 1] = (element,)
    entries = _replaced(previous, elements, places) if len(old) == len(raws) else None
    if entries is not None:
        return Listing(body, raws, tuple(elements), entries)
    listing = _gathered(body, raws, tuple(elements))
    # A body with such an element is not worth keeping beside the next one.
    return replace(listing, body=b"", raws=(), elements=()) if long else listing


def _gone(previous: Listing, places: Sequence[int], size: int) -> Mapping[bytes, Entry | Unreadable]:
    """Return the elements of a list that stand at another place in the next one, of that size, or nowhere."""
    old = previous.raws
    return {
        bytes(old[place]): previous.elements[place]
        for place in (*places, *range(size, len(old)))
        if place < len(old)
    }


def _replaced(
    previous: Listing, elements: Sequence[Entry | Unreadable], places: Iterable[int]
) -> Mapping[str, Entry] | None:
    """Return the entries where each place has the pipeline that it had, and all can be read; None where not."""
    entries = dict(previous.entries)
    for place in places:
        old, new = previous.elements[place], elements[place]
        if isinstance(old, Unreadable) or isinstance(new, Unreadable) or old.row.id != new.row.id:
            return None
        entries[new.row.id] = new
    return None if previous.unreadable else entries


def _gathered(
    body: bytes | bytearray, raws: Sequence[msgspec.Raw], elements: tuple[Entry | Unreadable, ...]
) -> Listing:
    """Sort the elements out; of two with the same id the first counts."""
    entries = {element.row.id: element for element in elements if isinstance(element, Entry)}
    if len(entries) == len(elements):
        return Listing(body, raws, elements, entries)
    entries.clear()
    unreadable: list[Unreadable] = []
    for element in elements:
        if isinstance(element, Unreadable):
            unreadable.append(element)
        elif element.row.id in entries:
            unreadable.append(Unreadable(element.row.id, element.row.name, _TWICE))
        else:
            entries[element.row.id] = element
    return Listing(body, raws, elements, entries, tuple(unreadable))


def _check(body: bytes | bytearray, before: int) -> None:
    """Refuse a large body of very many elements before a list of them fills the memory.

    Counting costs as much as decoding, so it is done only where a body is much longer than the one before.

    Raises:
        InvalidResponseError: it is one, or holds something else than objects, or nothing that can be read.
    """
    if len(body) <= before + _LARGE:
        return
    decoded(msgspec.json.Decoder(list[_counted(len(body))]), body)  # type: ignore[misc]


def _counted(size: int) -> type[msgspec.Struct]:
    """Return what reads an element of a list of so many bytes, and refuses one too many.

    It knows the size and not the body: a class is garbage that is found late, and would keep the body for as long.
    """
    numbers, most = count(1), _FEW + size // _TINY

    class Element(msgspec.Struct, gc=False):
        def __post_init__(self) -> None:
            if next(numbers) > most:
                raise ValueError(f"{size} bytes of more than {most} elements are no pipelines")

    return Element


def _reported(old: msgspec.Raw, element: Entry | Unreadable, text: bytes) -> Entry | None:
    """Return what an element says that differs from an old one in `refresh_version` alone; None where more differs.

    Connectors that report move it every ten seconds, of each pipeline that has any: to compare is several times cheaper
    than to decode.
    """
    place = text.find(_VERSION) + len(_VERSION)
    end = text.find(b",", place)
    head, digits, rest, was = text[:place], text[place:end], text[end:], bytes(old)
    if (
        isinstance(element, Unreadable)
        or place < len(_VERSION)
        or not digits.isdigit()
        or len(digits) > _DIGITS
    ):
        return None
    if not (was.startswith(head) and was.endswith(rest)):
        return None
    # It must be the element's own, not one of something in it, and the only one.
    own = head.count(b"{") == head.count(b"}") + 1 and _VERSION not in rest
    if not own or was[place : len(was) - len(rest)] != str(element.progress.refresh_version).encode():
        return None
    return Entry(element.row, Progress(int(digits), element.progress.connector_errors))


def _decode(text: bytes, previous: Listing) -> Entry | Unreadable:
    try:
        new = row(text)
        moving = progress(text)
    except UNREADABLE as error:
        return _unreadable(text, str(error))
    old = previous.entries.get(new.id)
    if old is None:
        return Entry(new, moving)
    if old.row == new:
        new = old.row
    if old.progress == moving:
        moving = old.progress
    return old if old.row is new and old.progress is moving else Entry(new, moving)


def _unreadable(text: bytes | msgspec.Raw, reason: str) -> Unreadable:
    return Unreadable(_identified(_ID, text, "id"), _identified(_NAME, text, "name"), reason)


def _identified(
    decoder: msgspec.json.Decoder[_Id] | msgspec.json.Decoder[_Name], text: bytes | msgspec.Raw, field_: str
) -> str | None:
    """Return one field of an element that cannot be read as a whole, None where that cannot be read either."""
    try:
        value: str = getattr(decoder.decode(text), field_)
    except UNREADABLE:
        return None
    return value
