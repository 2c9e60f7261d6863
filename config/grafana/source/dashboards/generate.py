"""Writes the dashboards, `config/grafana/dashboards/*.json`: `python config/grafana/source/dashboards/generate.py [--check]`."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[4]
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from dashboards.board import dashboard  # noqa: E402
from dashboards.exporter import exporter  # noqa: E402
from dashboards.fleet import fleet  # noqa: E402
from dashboards.pipeline import pipeline  # noqa: E402

FOLDER: Final = ROOT / "config/grafana/dashboards"


def files() -> Iterator[tuple[Path, str]]:
    """Yield the path and content of every dashboard."""
    for board in (fleet(), pipeline(), exporter()):
        name = board.uid.removeprefix("feldera-")
        yield FOLDER / f"{name}.json", json.dumps(dashboard(board), indent=2, ensure_ascii=False) + "\n"


def stale() -> list[Path]:
    """Return the files that are not what the boards say, and those that no board makes."""
    wanted = dict(files())
    wrong = [
        path
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    return wrong + [path for path in FOLDER.iterdir() if path not in wanted]


def main(arguments: list[str]) -> int:
    """Write the dashboards, or with --check return 1 where they are not as they should be."""
    if arguments == ["--check"]:
        wrong = stale()
        sys.stderr.writelines(
            f"{path.relative_to(ROOT)} is not what config/grafana/source says: run make docs\n"
            for path in wrong
        )
        return 1 if wrong else 0
    for path, text in files():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
