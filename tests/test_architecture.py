"""docs/architecture.md names the rooms and modules that there are, and none of them is too long."""

import re
from typing import Final

from support.tools import ROOT

TEXT: Final = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
PACKAGE: Final = ROOT / "exporter/feldera_exporter"


def is_there(name: str) -> bool:
    """Return whether the package has a module or a folder of this name, with dots between its parts."""
    path = PACKAGE / name.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def test_the_table_names_every_room() -> None:
    """Each row is about what exists, and no folder is left out."""
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", TEXT, re.MULTILINE)
    rooms = [name.rstrip("/") for first, _ in rows for name in re.findall(r"`([a-z_/]+)`", first)]
    assert [name for name in rooms if not is_there(name)] == []
    folders = {each.name for each in PACKAGE.iterdir() if each.is_dir() and not each.name.startswith("__")}
    assert folders - set(rooms) == {"shipped"}
    for first, text in rows:
        if found := re.fullmatch(r"`([a-z_]+)/`", first):
            modules = [name for name in re.findall(r"`([a-z_]+)`", text) if name != "check"]
            assert [name for name in modules if not is_there(f"{found[1]}.{name}")] == [], first


def test_the_way_of_a_poll_names_modules() -> None:
    """Names with a dot are modules."""
    names = re.findall(r"`([a-z_]+\.[a-z_]+)`", TEXT.partition("## A poll")[2])
    assert len(names) >= 6
    assert [name for name in names if not is_there(name)] == []


def test_no_module_is_too_long_to_be_read_at_once() -> None:
    """Every module of the package has at most 400 lines."""
    lengths = {path: path.read_bytes().count(b"\n") for path in PACKAGE.rglob("*.py")}
    assert {path.name: length for path, length in lengths.items() if length > 400} == {}
