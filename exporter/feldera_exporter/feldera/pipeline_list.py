"""Decodes the list of pipelines element by element; elements that did not change are not decoded again.

An element that cannot be read spoils only itself. Elements are matched by their index, then by their bytes, because
indices shift when a pipeline is created or deleted; Feldera sorts the list by id.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
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
    """One readable element: its row, which changes only if something happens, and its progress, which always changes."""

    row: Row
    progress: Progress


@dataclass(frozen=True, slots=True)
class Unreadable:
    """One element that cannot be read.

    Attributes:
        id: the pipeline's id, None if it is unknown.
        name: the pipeline's name, None if it is unknown.
        reason: why it cannot be read.
        identified: whether the element has both. Otherwise the missing one was found in an earlier list.
    """

    id: str | None
    name: str | None
    reason: str
    identified: bool

    @property
    def title(self) -> str:
        """Its name, or what else identifies it."""
        return self.name or self.id or "a pipeline without a name"


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer to `GET /v0/pipelines?selector=status`.

    Attributes:
        batches: the response.
        raws: the elements in Feldera's order, as views of the batches.
        elements: the decoded elements in the same order.
        entries: the readable elements by pipeline id.
        unreadable: the other elements.
    """

    batches: tuple[Batch, ...] = ()
    raws: Sequence[msgspec.Raw] = ()
    elements: tuple[Entry | Unreadable, ...] = ()
    entries: Mapping[str, Entry] = field(default_factory=lambda: MappingProxyType({}))
    unreadable: tuple[Unreadable, ...] = ()


_FIELDS: Final[msgspec.json.Decoder[dict[str, msgspec.Raw]]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT: Final[msgspec.json.Decoder[str]] = msgspec.json.Decoder(Text)
_REASON: Final = msgspec.json.Decoder(str)


def read(batches: tuple[Batch, ...], previous: Listing) -> Listing:
    """Decode a list; what did not change since the previous list is the same object, up to the list itself.

    Raises:
        InvalidResponseError: none of the elements can be read, and there is at least one.
    """
    if batches == previous.batches:
        return previous
    raws = [*chain.from_iterable(batch.raws for batch in batches)]
    old = previous.raws
    changed = [*compress(count(), map(ne, raws, old)), *range(len(old), len(raws))]
    elements = list(previous.elements[: len(raws)])
    # By their bytes, the old elements that are not at the same index.
    gone = {
        bytes(old[index]): previous.elements[index]
        for index in (*changed, *range(len(raws), len(old)))
        if index < len(old)
    }
    known = _KnownPipelines(previous)
    for index in changed:
        text = bytes(raws[index])
        elements[index : index + 1] = (gone.get(text) or _decode(text, known),)
    entries = {element.row.id: element for element in elements if isinstance(element, Entry)}
    unreadable = tuple(element for element in elements if isinstance(element, Unreadable))
    if unreadable and not entries:
        first = unreadable[0]
        raise InvalidResponseError(
            f"none of {len(elements)} elements can be read, the first is {first.title}: {first.reason}"
        )
    return Listing(batches, raws, tuple(elements), entries, unreadable)


class _KnownPipelines:
    """The pipelines of a list, with their ids by name and their names by id, which few lists need."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self.entries = listing.entries

    @cached_property
    def ids(self) -> Mapping[str | None, str | None]:
        """The ids by name."""
        return {name: pipeline_id for pipeline_id, name in _identities(self._listing)}

    @cached_property
    def names(self) -> Mapping[str | None, str | None]:
        """The names by id."""
        return dict(_identities(self._listing))


def _identities(listing: Listing) -> Iterator[tuple[str | None, str | None]]:
    """Yield the ids and names of a list's pipelines, the readable ones last, since their names are not from before."""
    yield from ((each.id, each.name) for each in listing.unreadable)
    yield from ((pipeline_id, entry.row.name) for pipeline_id, entry in listing.entries.items())


def _decode(text: bytes, known: _KnownPipelines) -> Entry | Unreadable:
    try:
        new = row(text)
        moving = progress(text)
    except UNREADABLE as error:
        return _unreadable(text, _field(text, REFUSED, _REASON) or str(error), known)
    old = known.entries.get(new.id)
    if old is None:
        return Entry(new, moving)
    if old.row == new:
        new = old.row
    if old.progress == moving:
        moving = old.progress
    return old if old.row is new and old.progress is moving else Entry(new, moving)


def _unreadable(text: bytes, reason: str, known: _KnownPipelines) -> Unreadable:
    pipeline_id, name = _field(text, "id", _TEXT), _field(text, "name", _TEXT)
    identified = pipeline_id is not None and name is not None
    if pipeline_id is None and name is not None:
        pipeline_id = known.ids.get(name)
    elif name is None and pipeline_id is not None:
        name = known.names.get(pipeline_id)
    return Unreadable(pipeline_id, name, reason, identified)


def _field(text: bytes, name: str, decoder: msgspec.json.Decoder[str]) -> str | None:
    """Return one field of an element that cannot be read as a whole, None if the field cannot be read either."""
    try:
        return decoder.decode(_FIELDS.decode(text)[name])
    except (*UNREADABLE, KeyError):
        return None
