"""Generates the files `config/grafana/dashboards/*.json`."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dashboards.board import dashboard
from dashboards.exporter import exporter
from dashboards.fleet import fleet
from dashboards.pipeline import pipeline

ROOT: Final = Path(__file__).resolve().parents[4]
FOLDER: Final = ROOT / "config/grafana/dashboards"


def files() -> Iterator[tuple[Path, str]]:
    """Yield the path and content of every dashboard."""
    for board in (fleet(), pipeline(), exporter()):
        name = board.uid.removeprefix("feldera-")
        yield FOLDER / f"{name}.json", json.dumps(dashboard(board), indent=2, ensure_ascii=False) + "\n"
