"""Reads the committed dashboards: their panels, their queries with values in place of variables, Grafana's merging."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

Json = dict[str, Any]

FOLDER: Final = Path(__file__).resolve().parents[2] / "config/grafana/dashboards"
BOARDS: Final[Mapping[str, Json]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FOLDER.glob("*.json"))
}
"""Every committed dashboard by its file's name."""


@dataclass(frozen=True)
class PanelQuery:
    """One query of one panel of one board."""

    board: str
    panel: Json
    query: Json

    @property
    def expression(self) -> str:
        """The PromQL with its variables."""
        return str(self.query["expr"])

    @property
    def place(self) -> str:
        """Where it is, for messages and exceptions."""
        return f"{self.board} / {self.panel['title']} / {self.query['legendFormat']}"


def panels(board: str) -> list[Json]:
    """Return a board's panels but for the headings of rows."""
    return [panel for panel in BOARDS[board]["panels"] if panel["type"] != "row"]


def targets() -> Iterator[PanelQuery]:
    """Yield every query of every panel of every board."""
    for board in BOARDS:
        for panel in panels(board):
            for query in panel["targets"]:
                yield PanelQuery(board, panel, query)


def variables(board: str) -> Mapping[str, Json]:
    """Return a board's variables by name."""
    return {variable["name"]: variable for variable in BOARDS[board]["templating"]["list"]}


def everything(board: str) -> dict[str, str]:
    """Return the values of a board's variables as Grafana fills them in when all is chosen."""
    return {
        name: variable["allValue"] for name, variable in variables(board).items() if variable.get("allValue")
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with values in place of `$name` and `${name}`."""
    return re.sub(r"\$\{?([a-z_]\w*)\}?", lambda match: values[match[1]], text)


def merged(frames: list[list[Json]]) -> list[Json]:
    """Return the rows of several tables as Grafana's transformation `merge` does.

    Rows join where the fields that all tables have are equal and no other field contradicts (grafana
    `transformers/merge.ts`).
    """
    frames = [frame for frame in frames if frame]
    if not frames:
        return []
    key = set.intersection(*(set(row) for frame in frames for row in frame))
    rows: list[Json] = []
    for new in (row for frame in frames for row in frame):
        fits = (
            known
            for known in rows
            if all(known[name] == new[name] for name in key | (known.keys() & new.keys()))
        )
        found = next(fits, None)
        if found is None:
            rows.append(dict(new))
        else:
            found.update(new)
    return rows
