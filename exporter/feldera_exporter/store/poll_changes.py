"""What the store writes after a poll, and what it returns after a restart."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
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
        waiting: by pipeline id, up to when a log that must still be read is known to be complete; None once it was
            read. Of a vanished pipeline: up to when it was complete.
        vanished: by pipeline id, some of `histories`: when it was no longer listed, by Feldera's clock.
    """

    instance: str
    standing: StoredInstance
    histories: Mapping[str, History] = field(default_factory=dict)
    waiting: Mapping[str, int | None] = field(default_factory=dict)
    vanished: Mapping[str, Micros] = field(default_factory=dict)

    def then(self, later: Self) -> Self:
        """Return both as one; later ones of the same instance win."""
        vanished = {
            pipeline_id: at for pipeline_id, at in self.vanished.items() if pipeline_id not in later.histories
        }
        return replace(
            later,
            histories={**self.histories, **later.histories},
            waiting={**self.waiting, **later.waiting},
            vanished={**vanished, **later.vanished},
        )


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

    def after(self, changes: PollChanges, pipelines: Container[str]) -> Self:
        """Return what is known of some pipelines with changes that are not stored yet."""
        histories = {**self.histories, **changes.histories}
        waiting = {**self.waiting, **changes.waiting}
        pending = (
            (pipeline_id, until)
            for pipeline_id, until in waiting.items()
            if until is not None and pipeline_id in pipelines
        )
        return replace(
            self,
            histories={each: history for each, history in histories.items() if each in pipelines},
            waiting=dict(sorted(pending, key=itemgetter(1))),
        )


NOTHING: Final = StoredState()
"""What is there without a store."""
