"""`.ci/debian` makes the same tree on every machine, from a small archive of Debian packages that is made here."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from support.tools import ROOT


@dataclass(frozen=True)
class Package:
    """A package with one file, `usr/share/NAME`.

    Args:
        name: its name.
        needs: what it depends on, as Debian writes it.
    """

    name: str
    needs: str = ""

    @property
    def control(self) -> str:
        """Return what it says of itself."""
        needs = f"Depends: {self.needs}\n" if self.needs else ""
        return (
            f"Package: {self.name}\nVersion: 1\nArchitecture: all\nMaintainer: unknown <unknown@localhost>\n"
            f"{needs}Description: a package\n"
        )


ARCHIVE: Final = (
    Package("browser", "browser-data (= 1), libfont | libother, zlib1g, libc6 (>= 2.36), xdg-utils (>= 1)"),
    Package("browser-data", "libfont"),
    Package("libfont", "debconf"),
    Package("libother"),
    Package("zlib1g"),
    Package("libc6"),
    Package("debconf"),
    Package("xdg-utils"),
    Package("server", "libc6, browser-data"),
)
"""`zlib1g` is installed on every Debian: dpkg itself needs it."""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the archive and return its folder."""
    folder, trees = tmp_path_factory.mktemp("archive"), tmp_path_factory.mktemp("trees")
    entries = []
    for package in ARCHIVE:
        tree = trees / package.name
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "DEBIAN/control").write_text(package.control)
        (tree / "usr/share").mkdir(parents=True)
        (tree / "usr/share" / package.name).touch()
        file = folder / f"{package.name}_1_all.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "--build", tree, file], check=True, capture_output=True
        )
        data = file.read_bytes()
        entries.append(
            f"{package.control}Filename: ./{file.name}\nSize: {len(data)}\n"
            f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n"
        )
    (folder / "Packages").write_text("".join(entries))
    return folder


@dataclass(frozen=True)
class ClonedProject:
    """A clone of this project, on a machine that gets its packages from the archive."""

    clone: Path
    archive: Path

    def clone_with(self, installed: Iterable[str]) -> None:
        """Make the clone on a machine where these packages are installed."""
        (self.clone / ".ci").mkdir(parents=True)
        shutil.copy(ROOT / ".ci/debian", self.clone / ".ci/debian")
        status = self.clone / "status"
        known = (package.control for package in ARCHIVE if package.name in installed)
        status.write_text("".join(f"{control}Status: install ok installed\n\n" for control in known))
        (self.clone / "sources.list").write_text(f"deb [trusted=yes] file:{self.archive} ./\n")
        (self.clone / "apt.conf").write_text(
            f'Dir::Etc::sourcelist "{self.clone}/sources.list";\nDir::Etc::sourceparts "/dev/null";\n'
            f'Dir::Etc::parts "/dev/null";\nDir::State::status "{status}";\n'
        )

    def fetch(self, *packages: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        return subprocess.run(
            [self.clone / ".ci/debian", *packages],
            env=os.environ | {"APT_CONFIG": str(self.clone / "apt.conf")},
            capture_output=True,
            text=True,
            check=False,
        )

    def unpacked(self) -> set[str]:
        """Return the packages whose files are there."""
        return {path.name for path in (self.clone / ".cache/debian/usr/share").glob("*")}


@pytest.fixture
def machine(tmp_path: Path, archive: Path) -> ClonedProject:
    """Return a machine, without a clone yet."""
    return ClonedProject(tmp_path / "clone of it", archive)


ALL: Final = tuple(package.name for package in ARCHIVE)


@pytest.mark.parametrize("installed", [(), ("browser-data", "libother"), ALL])
def test_what_is_installed_changes_nothing(machine: ClonedProject, installed: tuple[str, ...]) -> None:
    """All that a package needs is downloaded, except the few that every system has."""
    machine.clone_with(installed)
    done = machine.fetch("browser+")
    assert done.returncode == 0, done.stderr
    assert machine.unpacked() == {"browser", "browser-data", "libfont", "zlib1g"}


def test_a_package_without_what_it_needs(machine: ClonedProject) -> None:
    """Such a package comes alone, and its name is printed first."""
    machine.clone_with(())
    done = machine.fetch("server", "libother")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("== Debian packages: server libother\n")
    assert machine.unpacked() == {"server", "libother"}


def test_what_is_there_is_not_fetched_again(machine: ClonedProject) -> None:
    """Only missing packages are downloaded; another version of the script downloads all."""
    machine.clone_with(())
    assert machine.fetch("server").returncode == 0
    assert machine.fetch("server").stdout == ""
    assert machine.fetch("server", "libother").stdout.startswith("== Debian packages: libother\n")
    with (machine.clone / ".ci/debian").open("a") as script:
        script.write("# another one\n")
    assert machine.fetch("libother").stdout.startswith("== Debian packages: libother\n")
    assert machine.unpacked() == {"libother"}


@pytest.mark.parametrize("package", ["nothing", "nothing+"])
def test_an_unknown_package_is_an_error(machine: ClonedProject, package: str) -> None:
    """Apt names the package, and the next run asks for it again."""
    machine.clone_with(())
    for _ in range(2):
        done = machine.fetch("server", package)
        assert done.returncode != 0
        assert "Unable to locate package nothing" in done.stderr
    assert machine.unpacked() == set()
