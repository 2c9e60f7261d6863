"""The one sample of a pipeline that moves with time itself: the seconds in its present status.

It moves at every poll for every pipeline, so it is kept apart from all that moves only when something happens, and made
of a text that stays and a number of whole seconds that is shifted.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from operator import add
from typing import Final

from feldera_exporter.differences import places
from feldera_exporter.exposition.compressed_block import CompressedBlock
from feldera_exporter.exposition.family import extra
from feldera_exporter.exposition.text import MICROSECONDS, seconds
from feldera_exporter.history.history import History
from feldera_exporter.history.status_time_growth import TimeGrowth, time_growth
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.pipeline import Pipeline

RUN: Final = 512
"""Samples in a block: all of them move, so larger ones compress better at no cost."""


@dataclass(frozen=True, slots=True)
class _OneSample:
    """One pipeline's sample, whose value is a number of whole seconds that the as-of instant shifts, and a fraction.

    Attributes:
        key: the pipeline's id.
        name: its name.
        history: what the sample was made of.
        accrual: how it grows.
        head: the line up to its value.
        text: the line with `%d` for the whole seconds.
        whole: what the as-of instant, in whole seconds, is added to.
        ripe: the as-of instant from which the text is right: before it, the sample stands still.
    """

    key: str
    name: str
    history: History
    accrual: TimeGrowth
    head: str
    text: str
    whole: int
    ripe: int

    def shows(self, pipeline: Pipeline) -> bool:
        """Return whether the sample is still that of its pipeline."""
        return self.history is pipeline.history and self.name == pipeline.facts.row.name

    def line(self, as_of: int) -> bytes:
        """Return the line at any instant, in microseconds."""
        return f"{self.head}{seconds(self.accrual.at(as_of))}\n".encode()


@dataclass(frozen=True, slots=True)
class _Layout:
    """The samples of some pipelines as one text that stays, with places for the numbers that move.

    Attributes:
        hands: the samples.
        places: of the pipelines, by key.
        text: the lines.
        wholes: of the samples.
        ripe: the last of theirs.
    """

    hands: tuple[_OneSample, ...]
    places: Mapping[str, int]
    text: bytes
    wholes: tuple[int, ...]
    ripe: int

    def read(self, as_of: int, credited: Mapping[str, int]) -> bytes:
        """Return the lines at an instant, in microseconds, and of some pipelines by id at other instants."""
        whole, fraction = divmod(as_of, MICROSECONDS)
        if fraction:
            return b"".join(hand.line(credited.get(hand.key, as_of)) for hand in self.hands)
        text = self.text % tuple(map(add, self.wholes, repeat(whole)))
        unlike = [self.places[key] for key in self.places.keys() & credited.keys()]
        if whole < self.ripe:
            unlike += [place for place, hand in enumerate(self.hands) if whole < hand.ripe]
        if not unlike:
            return text
        # Not splitlines: a carriage return in a name ends no line.
        lines = [line + b"\n" for line in text.split(b"\n")[:-1]]
        for place in unlike:
            hand = self.hands[place]
            lines[place] = hand.line(credited.get(hand.key, as_of))
        return b"".join(lines)


@dataclass(frozen=True, slots=True)
class LiveSeconds:
    """The samples of all pipelines at one as-of instant."""

    keys: tuple[str, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    hands: tuple[_OneSample, ...] = ()
    faces: tuple[_Layout, ...] = ()
    blocks: tuple[CompressedBlock, ...] = ()


def updated_seconds(
    name: str, fleet: Fleet, shared: Callable[[str, Pipeline], str], previous: LiveSeconds
) -> LiveSeconds:
    """Return the samples of a fleet.

    Args:
        name: the family's name as exposed.
        fleet: the pipelines, and up to when their present statuses are credited: at best in whole seconds.
        shared: gives the text of the labels that a pipeline's samples carry, from its id and itself.
        previous: the samples before.
    """
    keys, pipelines = tuple(fleet.pipelines), tuple(fleet.pipelines.values())
    if keys == previous.keys:
        hands, moved = list(previous.hands), places(previous.pipelines, pipelines)
        for place in moved:
            if not hands[place].shows(pipelines[place]):
                hands[place] = _hand(name, shared, keys[place], pipelines[place])
    else:
        known = dict(zip(previous.keys, previous.hands, strict=True))
        hands = [
            old
            if (old := known.get(key)) is not None and old.shows(pipeline)
            else _hand(name, shared, key, pipeline)
            for key, pipeline in fleet.pipelines.items()
        ]
    runs = (tuple(hands[start : start + RUN]) for start in range(0, len(hands), RUN))
    faces = tuple(
        old if old is not None and old.hands == run else _face(run)
        for run, old in zip(runs, chain(previous.faces, repeat(None)), strict=False)
    )
    blocks = tuple(CompressedBlock.of((face.read(fleet.as_of, fleet.credited),)) for face in faces)
    return LiveSeconds(keys, pipelines, tuple(hands), faces, blocks)


def _hand(name: str, shared: Callable[[str, Pipeline], str], key: str, pipeline: Pipeline) -> _OneSample:
    grows = time_growth(pipeline.history)
    whole, fraction = divmod(grows.offset, MICROSECONDS)
    head = f"{name}{{{shared(key, pipeline)}{extra(('status', grows.status))}}} "
    tail = f".{fraction:06d}".rstrip("0") if fraction else ""
    return _OneSample(
        key=key,
        name=pipeline.facts.row.name,
        history=pipeline.history,
        accrual=grows,
        head=head,
        text=f"{head.replace('%', '%%')}%d{tail}\n",
        whole=whole,
        # Rounded up: the exact path takes over in the last fraction of a second.
        ripe=-(-grows.floor // MICROSECONDS) - whole,
    )


def _face(hands: tuple[_OneSample, ...]) -> _Layout:
    return _Layout(
        hands=hands,
        places={hand.key: place for place, hand in enumerate(hands)},
        text="".join([hand.text for hand in hands]).encode(),
        wholes=tuple([hand.whole for hand in hands]),
        ripe=max(hand.ripe for hand in hands),
    )
