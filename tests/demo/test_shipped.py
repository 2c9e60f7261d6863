"""The files beside the code are found in the source tree and in an installed wheel."""

from pathlib import Path

import pytest

from feldera_exporter import shipped
from support import tools

NAMES = ("alerts/feldera.rules.yml", "config/alertmanager.yml", "config/prometheus.yml")


@pytest.mark.parametrize("name", NAMES)
def test_they_are_those_of_the_source_tree(name: str) -> None:
    """The shipped files are those of the source tree, whichever way the package is installed."""
    assert shipped.shipped(name).read_bytes() == (tools.ROOT / name).read_bytes()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("index", [0, 1])
def test_a_wheel_has_them_in_the_package_and_a_source_tree_beside_it(
    name: str, index: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is found by its path in the source tree."""
    folders = (tmp_path / "site-packages/feldera_exporter/shipped", tmp_path / "tree")
    (folders[index] / name).parent.mkdir(parents=True)
    (folders[index] / name).touch()
    monkeypatch.setattr(shipped, "_FOLDERS", folders)
    assert shipped.shipped(name) == folders[index] / name


def test_the_wheel_contains_them() -> None:
    """The wheel has each file at the place in the package where it is looked for."""
    text = (tools.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    for name in NAMES:
        assert f'"{name}" = "feldera_exporter/shipped/{name}"' in text


def test_a_damaged_installation_is_an_error() -> None:
    """The error names the places that were looked at."""
    with pytest.raises(FileNotFoundError, match=r"config/none\.yml: found in none of .+/shipped, /"):
        shipped.shipped("config/none.yml")
