"""Grafana's panels as values of its classic schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.colours import IDLE

Json = dict[str, Any]

DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}
NEUTRAL: Final[tuple[tuple[float | None, str], ...]] = ((None, IDLE),)

Thresholds = Sequence[tuple[float | None, str]]
"""Pairs of a value and the colour from it on. The first value is None; its colour is also that of no data."""

_LEAST: Final = -1e9


def known(first: str, *further: tuple[float, str]) -> Thresholds:
    """Return thresholds that show no data in a neutral colour.

    Args:
        first: the colour of the smallest values.
        further: pairs of a value and the colour from it on.
    """
    return (*NEUTRAL, (_LEAST, first), *further)


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a panel.

    Attributes:
        expression: PromQL.
        legend: the name of its series, or of a table's query.
    """

    expression: str
    legend: str


@dataclass(frozen=True, slots=True)
class Display:
    """How a panel shows values.

    Attributes:
        unit: Grafana's id of a unit.
        thresholds: the colours of values.
        mappings: texts that replace values.
        overrides: settings of single fields.
        no_value: the text for no data.
        decimals: the number of decimal places.
        minimum: the minimum of the axis or the gauge.
    """

    unit: str = "short"
    thresholds: Thresholds = NEUTRAL
    mappings: Sequence[Json] = ()
    overrides: Sequence[Json] = ()
    no_value: str = "no data"
    decimals: int | None = None
    minimum: float | None = None


def panel_of(
    kind: str, title: str, description: str, queries: Sequence[Query], display: Display, *, instant: bool
) -> Json:
    """Return a panel with the fields that all types share; with `instant`, queries return only the last value."""
    steps = [{"value": value, "color": colour} for value, colour in display.thresholds]
    defaults: Json = {
        "unit": display.unit,
        "thresholds": {"mode": "absolute", "steps": steps},
        "mappings": list(display.mappings),
        "noValue": display.no_value,
        "color": {"mode": "thresholds"},
        "custom": {},
    }
    if display.decimals is not None:
        defaults["decimals"] = display.decimals
    if display.minimum is not None:
        defaults["min"] = display.minimum
    return {
        "type": kind,
        "title": title,
        "description": description,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": defaults, "overrides": list(display.overrides)},
        "options": {},
        "targets": [_target(letter, query, instant=instant) for letter, query in zip("ABCDEFGHIJ", queries, strict=False)],
    }  # fmt: skip


def _target(letter: str, query: Query, *, instant: bool) -> Json:
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query.expression,
        "legendFormat": query.legend,
        "instant": instant,
        "range": not instant,
        "format": "time_series",
    }


def stat(
    title: str, description: str, queries: Sequence[Query], display: Display, *, named: bool = False
) -> Json:
    """Return a panel of numbers; `named` shows the names of series instead of their values."""
    panel = panel_of("stat", title, description, queries, display, instant=True)
    several = len(queries) > 1
    panel["options"] = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "textMode": "name" if named else "value_and_name" if several else "auto",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
    }
    return panel


def timeseries(
    title: str, description: str, queries: Sequence[Query], display: Display, *, style: str = "line"
) -> Json:
    """Return lines, `bars`, `stacked` areas or `points` over time, with the last and the largest value in the legend."""
    panel = panel_of("timeseries", title, description, queries, display, instant=False)
    defaults = panel["fieldConfig"]["defaults"]
    defaults["color"] = {"mode": "palette-classic"}
    defaults["custom"] = {
        "drawStyle": style if style in {"bars", "points"} else "line",
        "lineInterpolation": "stepAfter" if style == "stacked" else "linear",
        "lineWidth": 1,
        "fillOpacity": {"line": 0, "points": 0, "bars": 80, "stacked": 60}[style],
        "showPoints": "always" if style == "points" else "never",
        "pointSize": 6,
        "spanNulls": False,
        "stacking": {"mode": "normal" if style in {"bars", "stacked"} else "none", "group": "A"},
        "thresholdsStyle": {"mode": "off" if len(display.thresholds) == 1 else "line"},
    }
    panel["options"] = {
        "legend": {"displayMode": "table", "placement": "right", "showLegend": True, "calcs": ["lastNotNull", "max"]},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    return panel


def timeline(title: str, description: str, queries: Sequence[Query], display: Display) -> Json:
    """Return one band for each series, coloured by its value over time."""
    panel = panel_of("state-timeline", title, description, queries, display, instant=False)
    panel["fieldConfig"]["defaults"]["custom"] = {"fillOpacity": 80, "lineWidth": 0}
    panel["options"] = {
        "mergeValues": True,
        "showValue": "auto",
        "alignValue": "left",
        "rowHeight": 0.85,
        "perPage": 20,
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "single", "sort": "none"},
    }
    return panel


def bars(title: str, description: str, queries: Sequence[Query], display: Display) -> Json:
    """Return one horizontal bar for each series, of its last value."""
    panel = panel_of("bargauge", title, description, queries, display, instant=True)
    panel["options"] = {
        "displayMode": "basic",
        "orientation": "horizontal",
        "showUnfilled": True,
        "valueMode": "color",
        "minVizHeight": 12,
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False},
    }
    return panel


def coloured(colours: Mapping[str, str]) -> list[Json]:
    """Return overrides that give each series of a name its colour."""
    return [
        {
            "matcher": {"id": "byName", "options": name},
            "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
        }
        for name, colour in colours.items()
    ]


def limits(pattern: str, colour: str) -> Json:
    """Return the override that draws the series with matching names as dashed lines."""
    properties = {
        "color": {"mode": "fixed", "fixedColor": colour},
        "custom.drawStyle": "line",
        "custom.lineStyle": {"fill": "dash", "dash": [8, 6]},
        "custom.lineWidth": 2,
        "custom.fillOpacity": 0,
        "custom.showPoints": "never",
    }
    return {
        "matcher": {"id": "byRegexp", "options": f"/{pattern}/"},
        "properties": [{"id": name, "value": value} for name, value in properties.items()],
    }
