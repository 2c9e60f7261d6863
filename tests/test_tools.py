"""Tests find their programs, or fail."""

from pathlib import Path

import pytest

from tools import tool


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
    with pytest.raises(FileNotFoundError, match="no-such-program: neither in"):
        tool("no-such-program")
