"""The variables of a dashboard: data source, instances, tags, pipelines, and addresses for links."""

from typing import Final

from dashboards.panels import DATASOURCE, Json

ANY: Final = ".+"
MAYBE: Final = ".*"
"""For labels that are empty if a pipeline has no such tag."""

DATA_SOURCE: Final[Json] = {
    "name": "datasource",
    "label": "Data source",
    "description": "The Prometheus that scrapes feldera-exporter.",
    "type": "datasource",
    "query": "prometheus",
    "refresh": 1,
    "multi": False,
    "includeAll": False,
}


def choice(name: str, label: str, query: str, every: str = "", regex: str = "") -> Json:
    """Return a variable whose values a query returns.

    Args:
        name: the name of the variable.
        label: the text beside it.
        query: Grafana's query, usually label_values(…).
        every: the expression for all values; if empty, exactly one value is selected.
        regex: extracts text and value from the query's result.
    """
    variable: Json = {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"qryType": 3 if query.startswith("query_result") else 1, "query": query, "refId": f"Variable-{name}"},
        "definition": query,
        "regex": regex,
        "refresh": 2,
        "sort": 1,
        "multi": bool(every),
        "includeAll": bool(every),
    }  # fmt: skip
    if every:
        variable |= {"allValue": every, "current": {"text": ["All"], "value": ["$__all"]}}
    return variable


def text(name: str, label: str, description: str, value: str) -> Json:
    """Return a variable with a text box."""
    return {
        "name": name,
        "label": label,
        "description": description,
        "type": "textbox",
        "query": value,
        "current": {"text": value, "value": value},
    }


CONSOLE: Final = text(
    "console",
    "Feldera's console",
    "The address of Feldera's web console, for links. If you select several instances: that of one of them.",
    "http://localhost:8080",
)
EXPORTER: Final = text(
    "exporter", "Exporter's pages", "The address of the exporter's pages, for links.", "http://localhost:10058"
)  # fmt: skip


def instances(*, several: bool) -> Json:
    """Return the variable of Feldera instances, also those that cannot be reached."""
    query = "label_values(feldera_exporter_poll_interval_seconds, feldera_instance)"
    return choice("feldera_instance", "Instance", query, ANY if several else "")


def tags() -> tuple[Json, Json]:
    """Return the variables of the pipelines' tags."""
    info = 'feldera_pipeline_info{feldera_instance=~"$feldera_instance"}'
    return (
        choice("team", "Team", f"label_values({info}, team)", MAYBE),
        choice("tier", "Tier", f"label_values({info}, tier)", MAYBE),
    )


def pipelines(*, several: bool) -> Json:
    """Return the variable of pipelines: its values are ids, as in links of alerts, its texts are names."""
    selected = 'feldera_instance=~"$feldera_instance", team=~"$team", tier=~"$tier"'
    query = f"query_result(max by (pipeline, pipeline_name) (feldera_pipeline_info{{{selected}}}))"
    regex = '/pipeline="(?<value>[^"]+)",pipeline_name="(?<text>[^"]+)"/'
    return choice("pipeline", "Pipeline", query, ANY if several else "", regex)
