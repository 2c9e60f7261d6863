"""Answers recorded from a real Feldera, if the folder is available: FELDERA_RECORDED names it."""

import gzip
import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest

from support.tools import ROOT

FOLDER: Final = Path(os.environ.get("FELDERA_RECORDED") or ROOT / "tests/recorded/none-recorded")

wanted: Final = pytest.mark.skipif(
    not (FOLDER / "replay.jsonl.gz").exists(), reason="FELDERA_RECORDED names no recorded answers"
)
"""Marks what needs them."""


def body(name: str) -> bytes:
    """Return a recorded body."""
    return (FOLDER / f"{name}.json").read_bytes()


def names(folder: str) -> list[str]:
    """Return what bodies a folder holds; none where nothing is recorded."""
    return sorted(path.stem for path in (FOLDER / folder).glob("*.json"))


def exchanges(name: str) -> list[dict[str, Any]]:
    """Return requests with their answers; none where nothing is recorded."""
    path = FOLDER / f"{name}.json"
    found: list[dict[str, Any]] = json.loads(path.read_bytes()) if path.exists() else []
    return found


@cache
def replay() -> tuple[dict[str, Any], ...]:
    """Return two minutes of life, one answer after the other, and the truth at the end."""
    return tuple(_lines())


def _lines() -> Iterator[dict[str, Any]]:
    with gzip.open(FOLDER / "replay.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)
