"""The view of the page for a pipeline that there is not: it was renamed, deleted, or never listed."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from feldera_exporter.pages import formatting
from feldera_exporter.pages.instance_view import InstanceView, PageState, WatchedInstance, instance_view
from feldera_exporter.pages.links import Links
from feldera_exporter.state.fleet import Fleet

_SIMILAR: Final = 5
_LIKENESS: Final = 0.5
_LONGEST: Final = 200


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
    about = next((each for each in state.instances if each.fleet.instance == instance_name), None)
    if about is None:
        names = ", ".join(each.fleet.instance for each in state.instances)
        return MissingPage("Not found", f"There is no instance of this name. Instances: {names}.", (), None)
    shown = instance_view(about, state.choices, links)
    if not about.fleet.read_at:
        return MissingPage(
            _cut(name), "No list of pipelines has been read yet: this page will show the pipeline.", (), shown, decided=False
        )  # fmt: skip
    title, text, similar = _became(about, name)
    addresses = tuple(
        (each, links.pipeline(instance_name, each, pipeline_id)) for each, pipeline_id in similar
    )
    return MissingPage(title, text, addresses, shown)


def _became(about: WatchedInstance, name: str) -> tuple[str, str, list[tuple[str, str]]]:
    """Return the headline, the text, and the names and ids of pipelines that may be meant."""
    fleet = about.fleet
    former = fleet.former_names.get(name) or next(
        (each for each in fleet.former_names.values() if each.pipeline_id == name), None
    )
    if former is None:
        return "Not found", "This instance has no pipeline of this name, and had none since the exporter started.", _similar(fleet, name)  # fmt: skip
    moment = formatting.moment(former.at, about.now)
    at = f"{moment.text} UTC ({moment.age} ago)"
    if not former.name:
        return f"{_cut(name)} was deleted", f"It is missing in Feldera's list since {at}.", []
    present = fleet.last_known.get(former.pipeline_id)
    named = present.facts.row.name if present is not None else former.name
    return f"{_cut(name)} was renamed", f"It has another name since {at}.", [(named, former.pipeline_id)]


def _similar(fleet: Fleet, name: str) -> list[tuple[str, str]]:
    ids = {each.facts.row.name: key for key, each in fleet.last_known.items()}
    found = get_close_matches(
        name[:_LONGEST], [each for each in ids if len(each) <= _LONGEST], _SIMILAR, _LIKENESS
    )
    return [(each, ids[each]) for each in found]


def _cut(name: str) -> str:
    return formatting.cut(name, _LONGEST)[0]
