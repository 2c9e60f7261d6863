"""The selection: which of the listed pipelines are watched."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from feldera_exporter.differences import changed_keys
from feldera_exporter.feldera.pipeline_list import Listing, Unreadable
from feldera_exporter.feldera.wire import Row
from feldera_exporter.state.instance_settings import InstanceSettings


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a list is watched.

    Attributes:
        listing: the list.
        rows: the pipelines that the configuration includes and that can be read, by id.
    """

    listing: Listing = field(default_factory=Listing)
    rows: Mapping[str, Row] = field(default_factory=dict)

    @property
    def lost(self) -> Mapping[str, Unreadable]:
        """The pipelines whose element of the list cannot be read, by id."""
        entries = self.listing.entries
        return {
            each.id: each
            for each in self.listing.unreadable
            if each.id is not None and each.id not in entries
        }


def select(listing: Listing, policy: InstanceSettings, previous: Selection) -> Selection:
    """Return what of a list is watched; of the same list as before, the previous selection.

    Args:
        listing: the list.
        policy: the same as for the previous selection.
        previous: that of the list before.
    """
    if listing is previous.listing:
        return previous
    old, entries = previous.listing.entries, listing.entries
    moved = changed_keys(old, entries)
    # A pipeline can be renamed, and only its name tells whether it is included.
    if moved is None or any(old[key].row.name != entries[key].row.name for key in moved):
        return Selection(
            listing, {key: entry.row for key, entry in entries.items() if policy.includes(entry.row.name)}
        )
    rows = dict(previous.rows)
    rows.update((key, entries[key].row) for key in moved if key in rows)
    return Selection(listing, rows)
