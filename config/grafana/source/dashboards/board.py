"""A board: its variables, its rows of panels laid out from left to right, and the frame around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.colours import BAD
from dashboards.panels import DATASOURCE, Json

WIDTH: Final = 24


@dataclass(frozen=True, slots=True)
class Place:
    """A panel with its size in Grafana's grid, 24 columns wide."""

    panel: Json
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Board:
    """A board.

    Attributes:
        uid: its name in links.
        title: its name for people.
        description: whom it serves.
        variables: from left to right.
        rows: the panels below each heading.
        hours: how much time it shows at first.
        marks: PromQL of the problems that can be marked on every graph; empty for none.
        marked: whether they are at first.
        links: title and address of other boards and of pages.
    """

    uid: str
    title: str
    description: str
    variables: Sequence[Json]
    rows: Mapping[str, Sequence[Place]]
    hours: int = 6
    marks: str = ""
    marked: bool = False
    links: Mapping[str, str] = field(default_factory=dict)


def dashboard(board: Board) -> Json:
    """Return a board as Grafana's classic schema."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["feldera"],
        "schemaVersion": 42,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": f"now-{board.hours}h", "to": "now"},
        "timepicker": {},
        "annotations": {"list": [_marks(board)] if board.marks else []},
        "links": [_link(title, url) for title, url in board.links.items()],
        "templating": {"list": list(board.variables)},
        "panels": _laid_out(board.rows),
    }


def _link(title: str, url: str) -> Json:
    of_board = url.startswith("/d/")
    return {
        "type": "link",
        "title": title,
        "url": url,
        "icon": "dashboard" if of_board else "external link",
        "tooltip": title,
        "keepTime": of_board,
        "includeVars": of_board,
        "targetBlank": not of_board,
        "asDropdown": False,
        "tags": [],
    }


def _marks(board: Board) -> Json:
    return {
        "name": "Problems",
        "datasource": DATASOURCE,
        "enable": board.marked,
        "iconColor": BAD,
        "expr": board.marks,
        "titleFormat": "{{problem}}",
        "textFormat": "{{pipeline_name}} {{status}}",
        "tagKeys": "team",
        "step": "60s",
    }


def _laid_out(rows: Mapping[str, Sequence[Place]]) -> list[dict[str, Any]]:
    panels: list[Json] = []
    top = 0
    for heading, places in rows.items():
        row = {"type": "row", "title": heading, "collapsed": False, "panels": []}
        panels.append({"id": len(panels) + 1, **row, "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
        top += 1
        left = height = 0
        for place in places:
            if left + place.width > WIDTH:
                top, left, height = top + height, 0, 0
            position = {"x": left, "y": top, "w": place.width, "h": place.height}
            panels.append({"id": len(panels) + 1, **place.panel, "gridPos": position})
            left, height = left + place.width, max(height, place.height)
        top += height
    return panels
