"""Tables: their columns and the merging of their queries' results."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dashboards.panels import Display, Json, Query, panel_of


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Attributes:
        name: the title.
        source: the label it shows, or `Value #X` of a query's letter X.
        unit: the unit of its values.
        decimals: the number of decimal places.
        mappings: texts that replace values.
        cell: how a cell is drawn: `auto`, `color-text`, `color-background`.
        links: the addresses of its links, by title.
        hidden: whether it exists only for links.
    """

    name: str
    source: str
    unit: str = ""
    decimals: int | None = None
    mappings: Sequence[Json] = ()
    cell: str = "auto"
    links: Mapping[str, str] = field(default_factory=dict)
    hidden: bool = False


def table(
    title: str,
    description: str,
    queries: Sequence[Query],
    columns: Sequence[Column],
    sort: Iterable[str] = (),
    display: Display | None = None,
) -> Json:
    """Return a table: the queries' results merged by their common labels, with these columns in this order."""
    display = display or Display(unit="none")
    overrides = [_override(column) for column in columns]
    panel = panel_of("table", title, description, queries, display, instant=True)
    for target in panel["targets"]:
        target["format"] = "table"
    panel["fieldConfig"]["overrides"] = overrides
    panel["fieldConfig"]["defaults"]["custom"] = {"filterable": True, "align": "auto"}
    panel["options"] = {
        "showHeader": True,
        "cellHeight": "sm",
        "footer": {"show": False},
        "sortBy": [{"displayName": name, "desc": True} for name in sort],
    }
    panel["transformations"] = [
        {"id": "merge", "options": {}},
        {
            "id": "filterFieldsByName",
            "options": {"include": {"names": [column.source for column in columns]}},
        },
        {
            "id": "organize",
            "options": {
                "indexByName": {column.source: index for index, column in enumerate(columns)},
                "renameByName": {column.source: column.name for column in columns},
            },
        },
    ]
    return panel


def _override(column: Column) -> Json:
    properties: list[Json] = [{"id": "custom.cellOptions", "value": _cell(column.cell)}]
    if column.unit:
        properties.append({"id": "unit", "value": column.unit})
    if column.decimals is not None:
        properties.append({"id": "decimals", "value": column.decimals})
    if column.mappings:
        properties.append({"id": "mappings", "value": list(column.mappings)})
    if column.links:
        links = [
            {"title": title, "url": url, "targetBlank": not url.startswith("/d/")}
            for title, url in column.links.items()
        ]
        properties.append({"id": "links", "value": links})
    if column.hidden:
        properties.append({"id": "custom.hidden", "value": True})
    return {"matcher": {"id": "byName", "options": column.name}, "properties": properties}


def _cell(style: str) -> Json:
    if style == "color-background":
        return {"type": style, "mode": "basic"}
    return {"type": style}
