"""The view of the page for a pipeline that there is not: it was renamed, deleted, or never listed."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from feldera_exporter.pages import formatting
from feldera_exporter.pages.instance_view import InstanceView, PageState, WatchedInstance, instance_view
from feldera_exporter.pages.links import Links

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
        decided: whether the pipeline does not exist; False before the first list of pipelines.
    """

    title: str
    text: str
    similar: tuple[tuple[str, str], ...]
    instance: InstanceView | None
    decided: bool = True


def missing_pipeline(state: PageState, instance_name: str, name: str, links: Links) -> MissingPage:
    """Return the view of the page for a pipeline that `find` does not find.

    Args:
        state: the state of all instances.
        instance_name: the name of the instance in the address.
        name: the name or the id of the pipeline in the address.
        links: the addresses of the exporter's pages.
    """
    name = name[:_LONGEST]
    about = next((each for each in state.instances if each.fleet.instance == instance_name), None)
    if about is None:
        names = ", ".join(each.fleet.instance for each in state.instances)
        return MissingPage("Not found", f"There is no instance of this name. Instances: {names}.", (), None)
    shown = instance_view(about, state.choices, links)
    if not about.fleet.read_at:
        text = "No list of pipelines has been read yet: this page will show the pipeline."
        return MissingPage(name, text, (), shown, decided=False)
    title, text, similar = _became(about, name)
    return MissingPage(
        title, text, tuple((each, links.pipeline(instance_name, each)) for each in similar), shown
    )


def _became(about: WatchedInstance, name: str) -> tuple[str, str, list[str]]:
    """Return the headline, the text, and the names of pipelines that may be meant."""
    fleet = about.fleet
    former = fleet.former_names.get(name) or next(
        (each for each in fleet.former_names.values() if each.pipeline_id == name), None
    )
    if former is None:
        text = "This instance has no pipeline of this name, and had none since the exporter started."
        present = [each.facts.row.name for each in fleet.last_known.values()]
        return "Not found", text, get_close_matches(name, present, _SIMILAR, _LIKENESS)
    moment = formatting.moment(former.at, about.now)
    at = f"{moment.text} UTC ({moment.age} ago)"
    if not former.name:
        return f"{name} was deleted", f"It is missing in Feldera's list since {at}.", []
    renamed = fleet.last_known.get(former.pipeline_id)
    new_name = renamed.facts.row.name if renamed is not None else former.name
    return f"{name} was renamed", f"It has another name since {at}.", [new_name]
