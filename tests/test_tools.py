"""Tests find their programs, or fail."""

from pathlib import Path

import pytest

from support import tools
from support.tools import DEBIAN, NEWEST, editions, tool


def test_named_folder_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program in the named folder wins over all others."""
    program = tmp_path / "promtool"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setenv("FELDERA_EXPORTER_TOOLS", str(tmp_path))
    assert tool("promtool") == str(program)


def test_missing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is nowhere is an error, never a skip."""
    monkeypatch.delenv("FELDERA_EXPORTER_TOOLS", raising=False)
    with pytest.raises(FileNotFoundError, match="no-such-program: nowhere in"):
        tool("no-such-program")


def test_the_newest_is_where_it_was_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest edition is never taken from the named folder or the PATH."""
    named, built = tmp_path / "named", tmp_path / "built"
    for folder in (named, built):
        folder.mkdir()
        (folder / "promtool").write_text("#!/bin/sh\n")
        (folder / "promtool").chmod(0o755)
    monkeypatch.setenv("FELDERA_EXPORTER_TOOLS", str(named))
    monkeypatch.setenv("PATH", str(named))
    monkeypatch.setattr(tools, "_MADE", {DEBIAN: tmp_path, NEWEST: built})
    assert tool("promtool", NEWEST) == str(built / "promtool")
    (built / "promtool").unlink()
    with pytest.raises(FileNotFoundError, match=r"run \.ci/go-tools$"):
        tool("promtool", NEWEST)


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        ((), (DEBIAN,)),
        (("go",), (DEBIAN,)),
        (("CI",), (DEBIAN,)),
        (("CI", "go"), (DEBIAN, NEWEST)),
        (("promtool",), (DEBIAN, NEWEST)),
    ],
)
def test_the_newest_counts_where_it_can_be_had(
    present: tuple[str, ...], expected: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it was built, and in CI with Go, the newest edition is tested, so a missing one fails."""
    for program in ("go", "promtool"):
        if program in present:
            (tmp_path / program).write_text("#!/bin/sh\n")
            (tmp_path / program).chmod(0o755)
    monkeypatch.setenv("CI", "true" if "CI" in present else "")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tools, "_MADE", {NEWEST: tmp_path})
    assert editions("promtool") == expected
