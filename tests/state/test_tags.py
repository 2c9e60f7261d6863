"""Tag labels."""

import re

from hypothesis import given
from hypothesis import strategies as st

from feldera_exporter.config import DEFAULT_TAG_LABELS
from feldera_exporter.state.tags import tag_labels, without_colours


def test_colours_are_removed() -> None:
    """Only the console's own suffix goes: one bar and six lower-case hexadecimal digits at the very end."""
    tags = ("prod|ef4444", "prod", "a|b", "a|EF4444", "a|ef44444", "a|ef4444|22c55e", "|ef4444", "a|ef4444\n")
    assert without_colours(tags) == (
        "prod",
        "prod",
        "a|b",
        "a|EF4444",
        "a|ef44444",
        "a|ef4444",
        "",
        "a|ef4444\n",
    )


def test_default_labels() -> None:
    """Team, tier and expect come from tags with a colon or an equals sign; the first match wins."""
    labels = tag_labels(DEFAULT_TAG_LABELS)
    assert labels(("tier=1", "team:data|ef4444", "team:other", "expect:running")) == (
        ("team", "data"),
        ("tier", "1"),
        ("expect", "running"),
    )


def test_unset_labels_are_empty() -> None:
    """Every label is there; a tag that matches only in part sets none."""
    labels = tag_labels(DEFAULT_TAG_LABELS)
    assert labels(()) == (("team", ""), ("tier", ""), ("expect", ""))
    assert labels(("my-team:data", "expect:paused", "expect:running-late")) == labels(())


def test_further_labels_follow() -> None:
    """Configured labels stand after the usual three; a group that took no part is empty."""
    expressions = {**DEFAULT_TAG_LABELS, "cost": re.compile("cost(?::(.*))?")}
    assert tag_labels(expressions)(("cost",))[3:] == (("cost", ""),)
    assert tag_labels(expressions)(("cost:7",))[3:] == (("cost", "7"),)


def test_equal_tags_share_one_tuple() -> None:
    """Thousands of pipelines with the same tags share one value."""
    labels = tag_labels(DEFAULT_TAG_LABELS)
    assert labels(("team:a", "x")) is labels(("team:a", "x"))


@given(st.lists(st.text(max_size=50), max_size=5).map(tuple))
def test_any_tags_give_three_labels(tags: tuple[str, ...]) -> None:
    """Whatever Feldera lists as tags, the label names and their order stand."""
    assert [label for label, _ in tag_labels(DEFAULT_TAG_LABELS)(tags)] == ["team", "tier", "expect"]
