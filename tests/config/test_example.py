"""`config/exporter.yml` has every key with its default."""

import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from feldera_exporter.config import (
    DEFAULT_TAG_LABELS,
    AlertChoice,
    Alertmanager,
    Configuration,
    Filter,
    Instance,
    Limits,
    Metrics,
    Override,
    Tls,
    load,
)
from feldera_exporter.feldera.statuses import DEFAULT_LIMITS

EXAMPLE = Path(__file__).parents[2] / "config" / "exporter.yml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
TREE = yaml.safe_load(TEXT)


def test_example_is_the_default() -> None:
    """The example file gives the same configuration as a file with only a name and an address."""
    assert load(EXAMPLE, {}, (), ()) == Configuration((Instance("default", "http://localhost:8080"),))


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (TREE, Configuration),
        (TREE["instances"][0], Instance),
        (TREE["instances"][0]["tls"], Tls),
        (TREE["instances"][0]["pipelines"], Filter),
        (TREE["limits"], Limits),
        (TREE["metrics"], Metrics),
        (
            yaml.safe_load(re.findall(r"alerts: .* e\.g\. (\{.*\})", TEXT)[0])["FelderaPipelineStuckStopping"]
            | {"enabled": True},
            AlertChoice,
        ),
        (yaml.safe_load(re.findall(r"alertmanager: .* e\.g\. (\{.*\})", TEXT)[0]), Alertmanager),
        (yaml.safe_load(re.findall(r"overrides: .* e\.g\. (\[.*\])", TEXT)[0])[0], Override),
    ],
)
def test_every_key_is_shown(place: dict[str, Any], kind: Any) -> None:
    """Each kind of value has all its keys in the file, and no other."""
    assert set(place) == {field.name for field in dataclasses.fields(kind)}


def test_every_default_is_shown() -> None:
    """Each default limit and tag label is in the file, in order."""
    assert list(TREE["limits"]["defaults"]) == list(DEFAULT_LIMITS)
    assert TREE["tag_labels"] == {label: each.pattern for label, each in DEFAULT_TAG_LABELS.items()}


def leaves(tree: Any) -> int:
    """Return how many keys have a value that is no mapping; the list of instances has one entry."""
    inner = [
        each[0] if each and isinstance(each[0], dict) else each
        for each in tree.values()
        if isinstance(each, list)
    ]
    inner += [each for each in tree.values() if not isinstance(each, list)]
    return sum(leaves(each) if isinstance(each, dict) and each else 1 for each in inner)


def test_every_key_has_one_comment() -> None:
    """Each line that sets a value has a comment that explains it."""
    lines = [line for line in TEXT.splitlines() if re.search(r"^[ -]*\w+: *[^# ]", line)]
    assert len(lines) == leaves(TREE)
    assert [line for line in lines if line.count(" # ") != 1] == []


def test_example_of_an_override_is_true(tmp_path: Path) -> None:
    """The override in the comment works as it is."""
    path = tmp_path / "exporter.yml"
    path.write_text(re.sub(r"overrides: .* e\.g\. (\[.*\])", r"overrides: \1", TEXT))
    (override,) = load(path, {}, (), ()).limits.overrides
    assert override.name is not None
    assert override.name.pattern == "etl-.*"
    assert override.limits == {"Provisioning": 1800.0}
