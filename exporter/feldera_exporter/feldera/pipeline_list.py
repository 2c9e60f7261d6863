"""The list of pipelines, read element by element: what did not change is not decoded again.

A bad element spoils itself, not the list. Elements are matched by their place first and by their bytes after that,
because places shift when a pipeline is created or deleted; Feldera sorts the list by id.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, compress, count
from operator import ne
from types import MappingProxyType
from typing import Final

import msgspec

from feldera_exporter.feldera.errors import InvalidResponseError
from feldera_exporter.feldera.json_decoding import UNREADABLE
from feldera_exporter.feldera.list_batches import Batch
from feldera_exporter.feldera.wire import REFUSED, Progress, Row, Text, progress, row


@dataclass(frozen=True, slots=True)
class Entry:
    """One readable element: what it says, apart in what moves only when something happens and what always moves."""

    row: Row
    progress: Progress


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One element that cannot be read.

    Attributes:
        id: of which pipeline it is, None where nothing tells that.
        name: the pipeline's, None where nothing tells that.
        reason: why.
        told: whether it tells both by itself. Otherwise the one is what it was of the other when that was last read.
    """

    id: str | None
    name: str | None
    reason: str
    told: bool

    @property
    def title(self) -> str:
        """What to call it."""
        return self.name or self.id or "a pipeline without a name"


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer to `GET /v0/pipelines?selector=status`.

    Attributes:
        batches: the answer itself.
        raws: every element in Feldera's order, as views of the batches: none of an older answer is kept alive.
        elements: what each of them says.
        entries: the readable ones by pipeline id.
        unreadable: the others.
    """

    batches: tuple[Batch, ...] = ()
    raws: Sequence[msgspec.Raw] = ()
    elements: tuple[Entry | Unreadable, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    unreadable: tuple[Unreadable, ...] = ()


class _Id(msgspec.Struct, frozen=True, gc=False):
    id: Text


class _Name(msgspec.Struct, frozen=True, gc=False):
    name: Text


class _Refused(msgspec.Struct, frozen=True, gc=False):
    reason: str = msgspec.field(name=REFUSED)


_ID: Final = msgspec.json.Decoder(_Id)
_NAME: Final = msgspec.json.Decoder(_Name)

_REFUSED: Final = msgspec.json.Decoder(_Refused)

_VERSION: Final = b'"refresh_version":'
_DIGITS: Final = 18
"""Of a number that fits what `Progress` holds, whatever they are."""
_TWICE: Final = "the list has this id twice"


def read(batches: tuple[Batch, ...], previous: Listing) -> Listing:
    """Decode a list, reusing from the previous one whatever is the same, down to the identity of its objects.

    A list that says the same as the previous one is the previous one.

    Raises:
        InvalidResponseError: there are elements, and none of them can be read.
    """
    if batches == previous.batches:
        return previous
    raws = [*chain.from_iterable(batch.raws for batch in batches)]
    old = previous.raws
    places = [*compress(count(), map(ne, raws, old)), *range(len(old), len(raws))]
    elements = list(previous.elements[: len(raws)])
    gone: Mapping[bytes, Entry | Unreadable] | None = None
    for place in places:
        text = bytes(raws[place])
        element: Entry | Unreadable | None = None
        if place < len(old):
            element = _reported(old[place], previous.elements[place], text)
        if element is None:
            # Of a first list nothing is gone: that, too, is found out once.
            gone = _gone(previous, places, len(raws)) if gone is None else gone
            element = gone.get(text) or _decode(text, previous)
        elements[place : place + 1] = (element,)
    entries = _replaced(previous, elements, places) if len(old) == len(raws) else None
    if entries is not None:
        return Listing(batches, raws, tuple(elements), entries)
    listing = _gathered(batches, raws, tuple(elements))
    if listing.unreadable and not listing.entries:
        first = listing.unreadable[0]
        raise InvalidResponseError(
            f"none of {len(elements)} elements can be read, the first is {first.title}: {first.reason}"
        )
    return listing


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
    batches: tuple[Batch, ...], raws: Sequence[msgspec.Raw], elements: tuple[Entry | Unreadable, ...]
) -> Listing:
    """Sort the elements out; of two with the same id the first counts."""
    entries = {element.row.id: element for element in elements if isinstance(element, Entry)}
    if len(entries) == len(elements):
        return Listing(batches, raws, elements, entries)
    entries.clear()
    unreadable: list[Unreadable] = []
    for element in elements:
        if isinstance(element, Unreadable):
            unreadable.append(element)
        elif element.row.id in entries:
            unreadable.append(Unreadable(element.row.id, element.row.name, _TWICE, told=True))
        else:
            entries[element.row.id] = element
    return Listing(batches, raws, elements, entries, tuple(unreadable))


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
        return _unreadable(text, _field(_REFUSED, text, "reason") or str(error), previous)
    old = previous.entries.get(new.id)
    if old is None:
        return Entry(new, moving)
    if old.row == new:
        new = old.row
    if old.progress == moving:
        moving = old.progress
    return old if old.row is new and old.progress is moving else Entry(new, moving)


def _unreadable(text: bytes, reason: str, previous: Listing) -> Unreadable:
    id_, name = _field(_ID, text, "id"), _field(_NAME, text, "name")
    told = id_ is not None and name is not None
    if id_ is None and name is not None:
        id_ = next((known for known, its in _known(previous) if its == name), None)
    elif name is None and id_ is not None:
        name = next((its for known, its in _known(previous) if known == id_), None)
    return Unreadable(id_, name, reason, told)


def _known(listing: Listing) -> Iterator[tuple[str | None, str | None]]:
    """Yield the ids of pipelines with their names."""
    yield from ((id_, entry.row.name) for id_, entry in listing.entries.items())
    yield from ((each.id, each.name) for each in listing.unreadable)


def _field(
    decoder: msgspec.json.Decoder[_Id] | msgspec.json.Decoder[_Name] | msgspec.json.Decoder[_Refused],
    text: bytes,
    field_: str,
) -> str | None:
    """Return one field of an element that cannot be read as a whole, None where that cannot be read either."""
    try:
        value: str = getattr(decoder.decode(text), field_)
    except UNREADABLE:
        return None
    return value
