"""The selection: the listed pipelines that are watched."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from feldera_exporter.differences import changed_keys
from feldera_exporter.feldera.pipeline_list import Listing, Unreadable
from feldera_exporter.feldera.wire import Row
from feldera_exporter.state.instance_settings import InstanceSettings


@dataclass(frozen=True, slots=True)
class Selection:
    """The watched pipelines of a list.

    Attributes:
        listing: the list.
        rows: the rows of the pipelines that the configuration includes and that can be read, by id.
    """

    listing: Listing = field(default_factory=Listing)
    rows: Mapping[str, Row] = field(default_factory=dict)

    @property
    def lost(self) -> Mapping[str, Unreadable]:
        """The pipelines whose list element cannot be read, by id."""
        entries = self.listing.entries
        return {
            unreadable.id: unreadable
            for unreadable in self.listing.unreadable
            if unreadable.id is not None and unreadable.id not in entries
        }


def changed_ids(before: Listing, after: Listing) -> list[str] | None:
    """Return the ids of the pipelines whose list element changed; None where ids or names changed."""
    old, new = before.entries, after.entries
    changed = changed_keys(old, new)
    if changed is None or any(old[each].row.name != new[each].row.name for each in changed):
        return None
    return changed


def select(listing: Listing, settings: InstanceSettings, previous: Selection) -> Selection:
    """Return the watched pipelines of a list; the previous selection, of the same settings, if the list is the same object."""
    if listing is previous.listing:
        return previous
    entries = listing.entries
    changed = changed_ids(previous.listing, listing)
    # A pipeline's name decides whether it is included.
    if changed is None:
        included = {
            pipeline_id: entry.row
            for pipeline_id, entry in entries.items()
            if settings.includes(entry.row.name)
        }
        return Selection(listing, included)
    rows = dict(previous.rows)
    rows.update((pipeline_id, entries[pipeline_id].row) for pipeline_id in changed if pipeline_id in rows)
    return Selection(listing, rows)
