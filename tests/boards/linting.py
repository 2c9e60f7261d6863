"""The rules of grafana/dashboard-linter that apply to the classic schema, for every type of panel.

The linter itself skips state timelines and bar gauges.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from dashboards.colours import IDLE
from support.dashboards import BOARDS, Json, panels, targets, variables

UNITS: Final = {"short", "none", "s", "bytes", "percentunit", "cps", "dateTimeAsIso"}
"""Ids of Grafana's units (grafana `valueFormats/categories.ts`), those in use."""

Finding = tuple[str, str]
"""Where, and what is wrong there."""


def template_datasource() -> Iterator[Finding]:
    """The data source is chosen by one variable of that name and label."""
    for board in BOARDS:
        found = [v for v in variables(board).values() if v["type"] == "datasource"]
        if [(v["name"], v["label"], v["query"]) for v in found] != [
            ("datasource", "Data source", "prometheus")
        ]:
            yield board, "no such variable"


def _template(name: str) -> Iterator[Finding]:
    for board in BOARDS:
        variable = variables(board).get(name)
        if variable is None:
            yield board, "no such variable"
        elif (variable["datasource"]["uid"], variable["multi"], variable["allValue"]) != (
            "${datasource}",
            True,
            ".+",
        ):
            yield board, "not of several, all, from the data source chosen"


def template_job() -> Iterator[Finding]:
    """A variable chooses jobs."""
    yield from _template("job")


def template_instance() -> Iterator[Finding]:
    """A variable chooses targets."""
    yield from _template("instance")


def template_label_promql() -> Iterator[Finding]:
    """A variable's query is one that Grafana understands, of a metric."""
    for board in BOARDS:
        for name, variable in variables(board).items():
            if variable["type"] == "query" and not re.fullmatch(
                r"label_values\(feldera_\w+(\{.+\})?, \w+\)|query_result\(.+\)", variable["query"]["query"]
            ):
                yield f"{board} / {name}", variable["query"]["query"]


def template_on_time_change_reload() -> Iterator[Finding]:
    """A variable's values are those of the time shown."""
    for board in BOARDS:
        for name, variable in variables(board).items():
            if variable["type"] == "query" and variable["refresh"] != 2:
                yield f"{board} / {name}", "not reloaded"


def panel_datasource() -> Iterator[Finding]:
    """Panels, queries, variables and annotations use the data source chosen."""
    for board, document in BOARDS.items():
        known = [*document["annotations"]["list"], *panels(board)]
        known += [variable for variable in variables(board).values() if variable["type"] == "query"]
        known += [query for panel in panels(board) for query in panel["targets"]]
        for each in known:
            if each["datasource"] != {"type": "prometheus", "uid": "${datasource}"}:
                yield board, str(each.get("title"))


def panel_title_description() -> Iterator[Finding]:
    """A panel has a title and says in a sentence what it shows."""
    for board in BOARDS:
        titles = [panel["title"] for panel in panels(board)]
        for panel in panels(board):
            if (
                not panel["title"]
                or not panel["description"].endswith(".")
                or titles.count(panel["title"]) > 1
            ):
                yield f"{board} / {panel['title']}", panel["description"]


def panel_units() -> Iterator[Finding]:
    """A panel has a unit, and each column of numbers of a table too."""
    for board in BOARDS:
        for panel in panels(board):
            if panel["fieldConfig"]["defaults"].get("unit") not in UNITS:
                yield f"{board} / {panel['title']}", "no unit"
            for override in panel["fieldConfig"]["overrides"]:
                for each in override["properties"]:
                    if each["id"] == "unit" and each["value"] not in UNITS:
                        yield f"{board} / {panel['title']}", each["value"]


def panel_thresholds_and_texts() -> Iterator[Finding]:
    """A panel has thresholds whose first holds from the least value on, and says what it means to be empty."""
    for board in BOARDS:
        for panel in panels(board):
            defaults = panel["fieldConfig"]["defaults"]
            values = [step["value"] for step in defaults["thresholds"]["steps"]]
            if values[:1] != [None] or values[1:] != sorted(values[1:]) or not defaults["noValue"]:
                yield f"{board} / {panel['title']}", str(values)


def panel_nothing() -> Iterator[Finding]:
    """A number that is not known has the colour of no meaning: Grafana gives it that of the first threshold."""
    for board in BOARDS:
        for panel in panels(board):
            steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
            if panel["type"] in {"stat", "bargauge"} and [step["color"] for step in steps[:1]] != [IDLE]:
                yield f"{board} / {panel['title']}", "coloured"


def panel_limits() -> Iterator[Finding]:
    """Limits are dashed lines of one colour."""
    for board in BOARDS:
        for panel in panels(board):
            drawn = [each["matcher"]["options"].strip("/") for each in _dashed(panel)]
            for query in panel["targets"]:
                name = query["legendFormat"]
                limiting = panel["type"] == "timeseries" and re.match("limit|interval", name)
                if limiting and not any(re.search(pattern, name) for pattern in drawn):
                    yield f"{board} / {panel['title']}", name


def _dashed(panel: Json) -> Iterator[Json]:
    for override in panel["fieldConfig"]["overrides"]:
        drawn = {each["id"]: each["value"] for each in override["properties"]}
        if drawn.get("custom.lineStyle", {}).get("fill") == "dash" and drawn["color"]["mode"] == "fixed":
            yield override


def panel_legends() -> Iterator[Finding]:
    """Each query has its own legend, and panels with a legend show it."""
    for board in BOARDS:
        for panel in panels(board):
            legends = [query["legendFormat"] for query in panel["targets"]]
            if "" in legends or len(set(legends)) != len(legends):
                yield f"{board} / {panel['title']}", str(legends)
            if (
                panel["type"] in {"timeseries", "state-timeline"}
                and not panel["options"]["legend"]["showLegend"]
            ):
                yield f"{board} / {panel['title']}", "hidden legend"


def panel_no_targets() -> Iterator[Finding]:
    """A panel has queries, each with its own letter."""
    for board in BOARDS:
        for panel in panels(board):
            letters = [query["refId"] for query in panel["targets"]]
            if not letters or len(set(letters)) != len(letters):
                yield f"{board} / {panel['title']}", str(letters)


def target_rate_interval() -> Iterator[Finding]:
    """Ranges fit the resolution of the panel."""
    for target in targets():
        for found in re.findall(r"\[([^\]]+)\]", target.expression):
            if found != "$__rate_interval":
                yield target.place, found


def _matched(name: str) -> Iterator[Finding]:
    for target in targets():
        for braces in re.findall(r"[a-z]\w*\{([^}]*)\}", target.expression):
            if f'{name}=~"${name}"' not in braces:
                yield target.place, braces
                break


def target_job() -> Iterator[Finding]:
    """Every selector chooses by job."""
    yield from _matched("job")


def target_instance() -> Iterator[Finding]:
    """Every selector chooses by target."""
    yield from _matched("instance")


def target_counter_aggregation() -> Iterator[Finding]:
    """A counter is looked at through rate or increase, and these come before any aggregation."""
    counter = r"[a-z_]+(?:_total|_bucket|_count|_sum)"
    for target in targets():
        for found in re.finditer(rf"(\w+\()?\b{counter}\{{", target.expression):
            if found[1] not in {"rate(", "increase("}:
                yield target.place, found[0]


def uneditable() -> Iterator[Finding]:
    """A board cannot be edited in place: the next start would lose it."""
    for board, document in BOARDS.items():
        if document["editable"] is not False:
            yield board, "editable"


RULES: Final[tuple[Callable[[], Iterator[Finding]], ...]] = (
    template_datasource,
    template_job,
    template_instance,
    template_label_promql,
    template_on_time_change_reload,
    panel_datasource,
    panel_title_description,
    panel_units,
    panel_thresholds_and_texts,
    panel_nothing,
    panel_limits,
    panel_legends,
    panel_no_targets,
    target_rate_interval,
    target_job,
    target_instance,
    target_counter_aggregation,
    uneditable,
)
