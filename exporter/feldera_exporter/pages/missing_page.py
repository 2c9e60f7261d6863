"""The view of the page for a pipeline that there is not: it was renamed, deleted, or never listed."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from math import inf
from typing import Final

from feldera_exporter.micros import Micros
from feldera_exporter.pages import formatting
from feldera_exporter.pages.instance_view import InstanceView, PageState, WatchedInstance, instance_view
from feldera_exporter.pages.links import Links
from feldera_exporter.store.poll_changes import Names, PipelineName

_SIMILAR: Final = 5
_LIKENESS: Final = 0.5
_LONGEST: Final = 200
"""Characters of a name in an address."""


@dataclass(frozen=True, slots=True)
class MissingPage:
    """The page for a missing pipeline.

    Attributes:
        title: the headline.
        text: what is known of the pipeline.
        similar: names and addresses of pipelines that may be meant.
        instance: the view of the instance; None where there is no such instance.
    """

    title: str
    text: str
    similar: tuple[tuple[str, str], ...]
    instance: InstanceView | None


def may_exist(state: PageState, instance_name: str) -> bool:
    """Return whether a pipeline that `find` does not find may exist: no list of pipelines has been read yet."""
    about = state.instance(instance_name)
    return about is not None and not about.fleet.read_at


def missing_pipeline(state: PageState, instance_name: str, name: str, links: Links) -> MissingPage:
    """Return the view of the page for a pipeline that `find` does not find by its name or id.

    Among thousands of pipelines, similar names take a part of a second to find.
    """
    name = name[:_LONGEST]
    about = state.instance(instance_name)
    if about is None:
        names = ", ".join(each.fleet.instance for each in state.instances)
        return MissingPage("Not found", f"There is no instance of this name. Instances: {names}.", (), None)
    shown = instance_view(about, state.choices, links)
    if not about.fleet.read_at:
        text = "No list of pipelines has been read yet: this page will show the pipeline."
        return MissingPage(name, text, (), shown)
    title, text, similar = _became(about, name)
    return MissingPage(
        title, text, tuple((each, links.pipeline(instance_name, each)) for each in similar), shown
    )


def _became(about: WatchedInstance, name: str) -> tuple[str, str, list[str]]:
    """Return the headline, the text, and the names of pipelines that may be meant."""
    names = about.fleet.names
    shown = {each.facts.row.id: each.facts.row.name for each in about.fleet.last_known.values()}
    found = _newest(names, (each for each in names if name in each))
    if found is None:
        text = "This instance has no pipeline of this name, and none is known that had it."
        return "Not found", text, get_close_matches(name, shown.values(), _SIMILAR, _LIKENESS)
    last = _newest(names, (each for each in names if each.pipeline_id == found.pipeline_id)) or found
    gone, deleted = names[found], names[last]
    if deleted is not None:
        text = f"It is missing in Feldera's list since {_since(deleted, about.now)}."
        return f"{name} was deleted", text if last is found else f"{text} Its last name was {last.name}.", []
    if gone is not None:
        text = f"It is called {last.name} since {_since(gone, about.now)}."
        return f"{name} was renamed", text, [last.name] if found.pipeline_id in shown else []
    text = "Feldera lists it, but the configuration excludes it, or its entry in the list cannot be read."
    return f"{name} is not shown", text, []


def _newest(names: Names, some: Iterable[PipelineName]) -> PipelineName | None:
    """Return the one of some names that is present or was gone last."""

    def until(name: PipelineName) -> float:
        gone = names[name]
        return inf if gone is None else gone

    return max(some, key=until, default=None)


def _since(at: Micros, now: Micros) -> str:
    moment = formatting.moment(at, now)
    return f"{moment.text} UTC ({moment.age} ago)"
