"""Every family, label and status that a board names exists in the exposition."""

import re
from typing import Final

import pytest

from feldera_exporter.feldera.errors import OUTCOMES
from feldera_exporter.feldera.statuses import DIMENSIONS, SERVICES
from feldera_exporter.metrics.catalogue import catalogue
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS
from feldera_exporter.telemetry import Telemetry
from support.dashboards import BOARDS, targets, variables

_PIPELINE: Final = ("feldera_instance", "pipeline", "pipeline_name")
_TARGET: Final = ("job", "instance")


def _families() -> dict[str, frozenset[str]]:
    """Return the labels of every sample that there can be, by its name."""
    known: dict[str, frozenset[str]] = {}

    def add(name: str, kind: str, labels: tuple[str, ...]) -> None:
        shown = frozenset((*_TARGET, *labels))
        if kind == "histogram":
            known.update({f"{name}_bucket": shown | {"le"}, f"{name}_count": shown, f"{name}_sum": shown})
        else:
            known[name] = shown

    shown = catalogue()
    for column in shown.pipelines:
        add(column.family.exposed_name, column.family.kind, (*_PIPELINE, *column.family.labels))
    for column in shown.instances:
        add(column.family.exposed_name, column.family.kind, ("feldera_instance", *column.family.labels))
    for described in Telemetry("", "").descriptions:
        add(described.exposed_name, described.kind, described.labels)
    # What Prometheus's client and Prometheus itself add.
    for name in (
        "up",
        "scrape_samples_scraped",
        "scrape_duration_seconds",
        "process_start_time_seconds",
        "process_cpu_seconds_total",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_max_fds",
    ):
        add(name, "gauge", ())
    labels = {label for alert in EXPORTER_ALERTS.values() for label in alert.labels}
    known["ALERTS"] = frozenset({"alertname", "alertstate", "severity", *labels})
    return known


FAMILIES: Final = _families()
LABELS: Final = {"feldera_instance", "feldera_service"}
"""They begin as families do."""
VALUES: Final = {
    "alertname": set(EXPORTER_ALERTS),
    "alertstate": {"firing"},
    "outcome": set(OUTCOMES),
    "feldera_service": set(SERVICES),
    "problem": {*PIPELINE_PROBLEMS, *INSTANCE_PROBLEMS},
}


def _texts() -> dict[str, str]:
    found = {target.place: target.expression for target in targets()}
    for board, document in BOARDS.items():
        found |= {
            f"{board} / {name}": v["query"]["query"]
            for name, v in variables(board).items()
            if v["type"] == "query"
        }
        found |= {f"{board} / {each['name']}": each["expr"] for each in document["annotations"]["list"]}
    return found


TEXTS: Final = _texts()


@pytest.mark.parametrize("place", TEXTS)
def test_names(place: str) -> None:
    """Selectors use labels that the family has, and values that these can have."""
    text = re.sub(r"\b(label_values|query_result)\b", "", TEXTS[place])
    named = set(re.findall(r"\b(?:feldera_|process_|scrape_)\w+(?=[\s{),\[]|$)", text)) - LABELS
    named |= set(re.findall(r"([A-Za-z_]\w*)\{", text))
    assert named
    assert named <= FAMILIES.keys()
    assert "feldera:" not in text, "the boards must work without the rules, so without recordings"
    for family, braces in re.findall(r"([A-Za-z_]\w*)\{([^}]*)\}", text):
        for label, value in re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"([^"]*)"', braces):
            assert label in FAMILIES[family], (family, label)
            if "$" in value or not value:
                continue
            if label == "status":
                dimension = next(d for d in DIMENSIONS if family == f"feldera_pipeline_{d.name}")
                assert set(value.split("|")) <= dimension.statuses.keys(), (family, value)
            else:
                assert set(value.split("|")) <= VALUES[label], (label, value)


def test_grouping_and_legends_name_labels() -> None:
    """Labels in groupings and legends are labels of a family in the query, or made by it."""
    for target in targets():
        families = set(re.findall(r"[A-Za-z_]\w*(?=\{)|feldera_\w+", target.expression)) & FAMILIES.keys()
        labels = set().union(*(FAMILIES[family] for family in families))
        labels |= set(
            re.findall(r'"(\w+)", "[^"]*", "\w*", "[^"]*"\s*\)', target.expression)
        )  # label_replace
        for listed in re.findall(r"\b(?:by|on|ignoring|group_left)\s*\(([^()]*)\)", target.expression):
            assert {name.strip() for name in listed.split(",") if name.strip()} <= labels, target.place
        assert set(re.findall(r"\{\{(\w+)\}\}", target.query["legendFormat"])) <= labels, target.place


def test_columns_show_labels_or_values() -> None:
    """A table's column is a label that a query keeps, or the value of one of its queries."""
    for target in targets():
        if target.panel["type"] != "table":
            continue
        queries = target.panel["targets"]
        include = next(t for t in target.panel["transformations"] if t["id"] == "filterFieldsByName")
        values = {f"Value #{query['refId']}" for query in queries}
        for source in include["options"]["include"]["names"]:
            kept = any(re.search(rf"by \([^)]*\b{source}\b", query["expr"]) for query in queries)
            assert source in values or kept, (target.place, source)
