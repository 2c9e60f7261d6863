"""The present and former names of the pipelines of an instance, list by list."""

from dataclasses import replace

import pytest

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.config.schema import Filter
from feldera_exporter.config.validators import expression
from feldera_exporter.feldera.pipeline_list import Entry, Listing, Unreadable
from feldera_exporter.state import pipeline_names
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline_names import updated_names
from feldera_exporter.state.selection import Selection, select
from feldera_exporter.store.poll_changes import NO_NAMES, Names, PipelineName
from support.fleets import pipeline

_INSTANCE = Instance("demo", "http://127.0.0.1:1")
ALL = InstanceSettings(Configuration((_INSTANCE,)), _INSTANCE)


def selected(unreadable: str | None = None, **named: str) -> Selection:
    """Return the selection of a list of pipelines, given as their ids and names."""
    entries = {}
    for pipeline_id, name in named.items():
        shown = pipeline(name, id=pipeline_id)
        entries[pipeline_id] = Entry(shown.facts.row, shown.progress)
    hidden = () if unreadable is None else (Unreadable(unreadable, None, "a test", identified=False),)
    return select(Listing(entries=entries, unreadable=hidden), ALL, Selection())


def after(*selections: Selection) -> Names:
    """Return the names after some lists, a second apart."""
    names: Names = NO_NAMES
    for at, selection in enumerate(selections):
        names = updated_names(names, selection, at)
    return names


@pytest.mark.parametrize(
    ("lists", "expected"),
    [
        ([{"a": "x"}], {("a", "x"): None}),
        ([{"a": "x"}, {}], {("a", "x"): 1}),
        ([{"a": "x"}, {"a": "y"}], {("a", "x"): 1, ("a", "y"): None}),
        ([{"a": "x"}, {"a": "y"}, {"a": "x"}], {("a", "y"): 2, ("a", "x"): None}),
        ([{"a": "x"}, {}, {"b": "x"}], {("a", "x"): 1, ("b", "x"): None}),
        ([{"a": "x"}, {}, {"a": "x"}], {("a", "x"): None}),
        ([{"a": "x"}, {"unreadable": "a"}], {("a", "x"): None}),
        ([{"a": "x"}, {"unreadable": "a"}, {}], {("a", "x"): 2}),
        ([{"a": "x", "b": "y"}, {"a": "y", "b": "x"}], {("a", "x"): 1, ("b", "y"): 1, ("a", "y"): None, ("b", "x"): None}),
    ],
)  # fmt: skip
def test_names_after_lists(lists: list[dict[str, str]], expected: dict[tuple[str, str], int | None]) -> None:
    """A name is gone since the first list without it; an unreadable pipeline keeps its name."""
    assert after(*(selected(**each) for each in lists)) == expected


def test_unchanged_names() -> None:
    """The same object is returned if no name changed."""
    names = after(selected(a="x", b="y"))
    assert updated_names(names, selected(a="x", b="y"), 9) is names


def test_excluded_pipelines() -> None:
    """An excluded pipeline is not added; one that was watched before is still followed."""
    instance = replace(_INSTANCE, pipelines=Filter(include=(expression("x.*"),)))
    some = InstanceSettings(Configuration((instance,)), instance)
    listed = selected(a="y", b="z")
    selection = select(listed.listing, some, Selection())
    assert selection.rows == {}
    assert updated_names(NO_NAMES, selection, 5) == {}
    names = updated_names({PipelineName("a", "x"): None}, selection, 5)
    assert names == {("a", "x"): 5, ("a", "y"): None}


def test_the_number_of_former_names_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the newest former names are kept, but every present name."""
    monkeypatch.setattr(pipeline_names, "MOST_GONE", 2)
    names = after(*(selected(a=f"x{turn}", b="y") for turn in range(5)))
    assert names == {("a", "x2"): 3, ("a", "x3"): 4, ("a", "x4"): None, ("b", "y"): None}
