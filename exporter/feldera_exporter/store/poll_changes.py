"""What the store writes after a poll, and what it returns after a restart."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, NamedTuple, Self

import msgspec

from feldera_exporter.history.history import History
from feldera_exporter.history.instance_totals import InstanceTotals
from feldera_exporter.micros import Micros


class StoredInstance(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """What is stored of an instance as a whole; instants are by Feldera's clock.

    Attributes:
        confirmed_until: the last poll at which every pipeline that is not waiting was known to be complete.
        as_of: the instant up to which open intervals were last published.
        totals: what is counted over all pipelines.
    """

    confirmed_until: Micros = 0
    as_of: Micros = 0
    totals: InstanceTotals = msgspec.field(default_factory=InstanceTotals)


class PipelineName(NamedTuple):
    """A name that a pipeline has or had."""

    pipeline_id: str
    name: str


Names = Mapping[PipelineName, Micros | None]
"""The names of pipelines, each with when the pipeline was first seen without it, by Feldera's clock; None for its present name."""

NO_NAMES: Final[Names] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class PollChanges:
    """What changed for one instance since its last commit; what is absent stays as it was.

    Attributes:
        instance: the instance's name in the configuration.
        standing: of the instance as a whole.
        histories: by pipeline id; a pipeline that had vanished is listed again, unless it is in `vanished`.
        waiting: of all `histories` and of some other pipelines, up to when a log that must still be read is known to be
            complete; None or absent if none must. Of a vanished pipeline: up to when it was complete.
        vanished: by pipeline id, some of `histories`: when it was no longer listed, by Feldera's clock.
        problems: those of the instance and its pipelines.
        names: the names that are new, or gone since the last commit.
        forgotten_names: those that are no longer kept.
    """

    instance: str
    standing: StoredInstance
    histories: Mapping[str, History] = field(default_factory=dict)
    waiting: Mapping[str, int | None] = field(default_factory=dict)
    vanished: Mapping[str, Micros] = field(default_factory=dict)
    problems: bytes | None = None
    names: Names = field(default_factory=lambda: NO_NAMES)
    forgotten_names: Collection[PipelineName] = ()

    def with_names(self, before: Names, names: Names) -> Self:
        """Return the changes with what differs between the names that are stored and the present ones."""
        if names is before:
            return self
        changed = dict(names.items() - before.items())
        return replace(self, names=changed, forgotten_names=before.keys() - names.keys())


@dataclass(frozen=True, slots=True)
class StoredState:
    """What was stored of an instance, or of pipelines before they vanished.

    Attributes:
        standing: of the instance as a whole.
        histories: by pipeline id.
        waiting: by pipeline id, up to when a log that must still be read is known to be complete, the longest
            waiting first.
        problems: those of the instance and its pipelines, as they were stored; None where none were.
        names: the names of the pipelines, also of those that vanished; those that are gone the longest come first.
    """

    standing: StoredInstance = field(default_factory=StoredInstance)
    histories: Mapping[str, History] = field(default_factory=dict)
    waiting: Mapping[str, Micros] = field(default_factory=dict)
    problems: bytes | None = None
    names: Names = field(default_factory=lambda: NO_NAMES)


NOTHING: Final = StoredState()
"""What is there without a store."""
