"""The files that `make dist` builds."""

import hashlib
import json
import subprocess
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter import __version__
from support.tools import ROOT

NAMES: Final = {
    "SHA256SUMS",
    f"feldera-exporter-{__version__}.cdx.json",
    f"feldera-exporter-boards-{__version__}.tar.gz",
    f"feldera-exporter-chart-{__version__}.tgz",
    f"feldera.rules-{__version__}.yml",
    f"feldera_exporter-{__version__}-py3-none-any.whl",
    f"feldera_exporter-{__version__}.tar.gz",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make it twice."""
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    for folder in (first, second):
        subprocess.run([ROOT / ".ci/dist", folder], check=True, capture_output=True)
    return first, second


def test_it_is_reproducible(made: tuple[Path, Path]) -> None:
    """A second build has the same bytes, and the checksums are right."""
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in made)
    assert first.keys() == NAMES
    assert [name for name in NAMES if first[name] != second[name]] == []
    lines = (line.split("  ") for line in first["SHA256SUMS"].decode().splitlines())
    sums = {name: digest for digest, name in lines}
    assert sums == {
        name: hashlib.sha256(content).hexdigest() for name, content in first.items() if name != "SHA256SUMS"
    }


def test_the_archives_are_whole(made: tuple[Path, Path]) -> None:
    """The chart has rules and boards, the sdist the documentation, the wheel the default configuration."""
    folder, _ = made
    with tarfile.open(folder / f"feldera-exporter-chart-{__version__}.tgz") as chart:
        rules = chart.extractfile("feldera-exporter/files/rules.yml")
        assert rules is not None
        assert rules.read() == (ROOT / "alerts/feldera.rules.yml").read_bytes()
        assert all(each.isfile() or each.isdir() for each in chart)
        assert "feldera-exporter/files/fleet.json" in chart.getnames()
    with tarfile.open(folder / f"feldera_exporter-{__version__}.tar.gz") as sdist:
        assert f"feldera_exporter-{__version__}/docs/install.md" in sdist.getnames()
    with zipfile.ZipFile(folder / f"feldera_exporter-{__version__}-py3-none-any.whl") as wheel:
        assert "feldera_exporter/shipped/config/exporter.yml" in wheel.namelist()


def test_the_list_of_parts(made: tuple[Path, Path]) -> None:
    """It has the package's direct and indirect dependencies with their versions, and no tool of the tests."""
    document = json.loads((made[0] / f"feldera-exporter-{__version__}.cdx.json").read_text())
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    parts = {each["name"]: each["version"] for each in document["components"]}
    direct = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {line.partition(">")[0].partition("[")[0] for line in direct}
    assert names <= parts.keys()
    assert {"httpcore", "certifi", "h11"} <= parts.keys()
    assert parts.keys().isdisjoint({"pytest", "mypy", "ruff"})
    assert all(metadata.version(name) == version for name, version in parts.items())
    refs = {each["bom-ref"] for each in (*document["components"], document["metadata"]["component"])}
    for each in document["dependencies"]:
        assert {each["ref"], *each["dependsOn"]} <= refs
