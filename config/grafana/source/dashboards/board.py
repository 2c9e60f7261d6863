"""A dashboard: its variables, and its rows of panels laid out from left to right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from dashboards.colours import BAD
from dashboards.panels import DATASOURCE, Json

WIDTH: Final = 24


@dataclass(frozen=True, slots=True)
class SizedPanel:
    """A panel with its size in Grafana's grid of 24 columns."""

    panel: Json
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Board:
    """A dashboard.

    Attributes:
        uid: its id in links.
        title: its title.
        description: its content in one sentence.
        variables: its variables, from left to right.
        rows: the panels by the title of their row.
        hours: the default time range.
        problems: PromQL of the problems that can be marked on every graph; empty for none.
        marked: whether they are marked by default.
        links: the addresses of other dashboards and of pages, by title.
    """

    uid: str
    title: str
    description: str
    variables: Sequence[Json]
    rows: Mapping[str, Sequence[SizedPanel]]
    hours: int = 6
    problems: str = ""
    marked: bool = False
    links: Mapping[str, str] = field(default_factory=dict)


def dashboard(board: Board) -> Json:
    """Return a dashboard in Grafana's classic schema."""
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
        "annotations": {"list": [_annotation(board)] if board.problems else []},
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


def _annotation(board: Board) -> Json:
    return {
        "name": "Problems",
        "datasource": DATASOURCE,
        "enable": board.marked,
        "iconColor": BAD,
        "expr": board.problems,
        "titleFormat": "{{problem}}",
        "textFormat": "{{pipeline_name}} {{status}}",
        "tagKeys": "team",
        "step": "60s",
    }


def _laid_out(rows: Mapping[str, Sequence[SizedPanel]]) -> list[dict[str, Any]]:
    panels: list[Json] = []
    top = 0
    for title, sized_panels in rows.items():
        row = {"type": "row", "title": title, "collapsed": False, "panels": []}
        panels.append({"id": len(panels) + 1, **row, "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1}})
        top += 1
        left = height = 0
        for sized in sized_panels:
            if left + sized.width > WIDTH:
                top, left, height = top + height, 0, 0
            position = {"x": left, "y": top, "w": sized.width, "h": sized.height}
            panels.append({"id": len(panels) + 1, **sized.panel, "gridPos": position})
            left, height = left + sized.width, max(height, sized.height)
        top += height
    return panels
