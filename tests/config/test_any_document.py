"""Any document gives a configuration or mistakes, and never another exception."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from feldera_exporter.config import Configuration
from feldera_exporter.config.conversion import Context, structured
from support.tools import example_count

KEYS = st.sampled_from(
    [
        *(
            "instances",
            "limits",
            "tag_labels",
            "metrics",
            "name",
            "url",
            "api_key",
            "api_key_file",
            "tls",
            "ca_file",
        ),
        *(
            "poll_interval",
            "timeout",
            "staleness",
            "pipelines",
            "include",
            "exclude",
            "defaults",
            "overrides",
            "tag",
        ),
        *("Drift", "team", "x y", "", 1, 1.5, True, None, b"k"),
    ]
)

LEAVES: st.SearchStrategy[Any] = st.sampled_from(
    [
        "prod",
        "http://f",
        "5s",
        "none",
        "a(.)",
        "(",
        "64MiB",
        "",
        "a\0b",
        "\n",
        "//a@b",
        1,
        0.5,
        True,
        None,
        b"x",
        frozenset(),
    ]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=25,
)


@settings(max_examples=example_count(150), deadline=None)
@given(TREES, st.dictionaries(KEYS, TREES, max_size=5), st.dictionaries(KEYS, TREES, max_size=4))
def test_any_document(instance: Any, other: dict[Any, Any], limits: dict[Any, Any]) -> None:
    """Each document gives a configuration, or mistakes of one line each."""
    tree = {"instances": [instance, other], "limits": {"overrides": [limits], "defaults": instance}, **other}
    configuration, mistakes = structured(tree, Configuration, Context(Path()))
    assert configuration is not None or mistakes
    assert all(len(f"{mistake}".splitlines()) == 1 for mistake in mistakes)
