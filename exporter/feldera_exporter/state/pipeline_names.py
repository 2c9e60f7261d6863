"""The names of the watched pipelines, also those that they had before, so that an old link can be explained."""

from typing import Final

from feldera_exporter.micros import Micros
from feldera_exporter.state.selection import Selection
from feldera_exporter.store.poll_changes import Names, PipelineName

MOST_GONE: Final = 1000
"""How many names that are gone are kept, the newest of them."""


def updated_names(names: Names, selection: Selection, now: Micros) -> Names:
    """Return the names after a list was read; the same object if none changed.

    A pipeline that was watched once is followed until it is deleted, even if the configuration excludes it now.

    Args:
        names: those before.
        selection: the watched pipelines of the list.
        now: Feldera's time of the list, in microseconds.
    """
    entries, unreadable = selection.listing.entries, selection.lost
    had = {name for name, gone in names.items() if gone is None}
    followed = selection.rows.keys() | {name.pipeline_id for name in had}
    have = {PipelineName(each, entries[each].row.name) for each in followed if each in entries}
    # What cannot be read is still there.
    have |= {name for name in had if name.pipeline_id in unreadable}
    if have == had:
        return names
    gone = {name: at for name, at in names.items() if at is not None and name not in have}
    gone |= dict.fromkeys(sorted(had - have), now)
    return {**dict(list(gone.items())[-MOST_GONE:]), **dict.fromkeys(have)}
