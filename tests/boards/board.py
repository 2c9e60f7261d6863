"""A board: its variables, its rows of panels laid out from left to right, and the frame around them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from boards.alerting import FIRING
from boards.colours import BAD
from boards.panels import DATASOURCE, Json

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
        marks: whether firing alerts are marked on every graph at first.
        links: title and address of other boards.
    """

    uid: str
    title: str
    description: str
    variables: Sequence[Json]
    rows: Mapping[str, Sequence[Place]]
    hours: int = 6
    marks: bool = False
    links: Mapping[str, str] = field(default_factory=dict)


def dashboard(board: Board) -> Json:
    """Return a board as Grafana's classic schema."""
    return {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["feldera"],
        "schemaVersion": 39,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "timezone": "browser",
        "refresh": "30s",
        "time": {"from": f"now-{board.hours}h", "to": "now"},
        "timepicker": {},
        "annotations": {"list": [_marks(board)]},
        "links": [_link(title, url) for title, url in board.links.items()],
        "templating": {"list": list(board.variables)},
        "panels": _laid_out(board.rows),
    }


def _link(title: str, url: str) -> Json:
    return {
        "type": "link",
        "title": title,
        "url": url,
        "icon": "dashboard",
        "tooltip": title,
        "keepTime": True,
        "includeVars": True,
        "targetBlank": False,
        "asDropdown": False,
        "tags": [],
    }


def _marks(board: Board) -> Json:
    mine = f'ALERTS{{{FIRING}, severity!="none", feldera_instance=~"$feldera_instance|"'
    if any(variable["name"] == "pipeline" for variable in board.variables):
        mine += ', pipeline=~"$pipeline|"'
    return {
        "name": "Firing alerts",
        "datasource": DATASOURCE,
        "enable": board.marks,
        "iconColor": BAD,
        "expr": mine + "}",
        "titleFormat": "{{alertname}}",
        "textFormat": "{{pipeline_name}}",
        "tagKeys": "severity",
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
