"""The picture of the fleet in a terminal."""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from feldera_exporter.demo.view import View
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, Dimension, Kind
from feldera_exporter.pages.formatting import duration
from feldera_exporter.problems.pipeline_summaries import PipelineSummary, Urgency

_PREFIX: Final = "FelderaPipeline"
_COLOURS: Final = {
    Kind.GOOD: "green",
    Kind.TRANSIENT: "cyan",
    Kind.BAD: "red",
    Kind.NEEDS_PERSON: "yellow",
    Kind.IDLE: "dim",
}
_UNKNOWN: Final = "magenta"
_SEVERITIES: Final = {"critical": "bold red", "warning": "yellow"}
_LEVELS: Final = {
    Urgency.WELL: "green",
    Urgency.MOVING: "cyan",
    Urgency.WRONG: "yellow",
    Urgency.CRITICAL: "bold red",
}
_NEAR: Final = 0.8
_GAP: Final = 2
_LEAST: Final = 12
"""To how many characters a column is cut at most."""
_TABLE_FRAME: Final = 3
"""The table's own lines: its head, the rule below, and what says how many are left out."""


def picture(view: View, width: int, height: int) -> RenderableType:
    """Return what is shown on a terminal of so many columns and lines, of which none is exceeded."""
    head = [_title(view), *(_address(*each) for each in view.addresses), *map(Text, view.notes)]
    if view.alerts:
        head.append(
            Text.assemble("firing about no single pipeline: ", ", ".join(a.name for a in view.alerts))
        )
    room = max(1, height - len(head) - _TABLE_FRAME)
    parts: list[RenderableType] = [*head, _table(view.lines[:room], width, alerts=view.alerts is not None)]
    if len(view.lines) > room:
        parts.append(Text(f"and {len(view.lines) - room} more", "dim"))
    for text in head:
        text.no_wrap, text.overflow = True, "ellipsis"
    return Group(*parts)


def _title(view: View) -> Text:
    return Text.assemble(
        ("feldera-exporter demo", "bold"),
        f"   {len(view.lines)} pipelines, ",
        (f"{view.with_problem} with a problem", "yellow" if view.with_problem else "green"),
        ("   Ctrl-C ends it", "dim"),
    )


def _address(name: str, url: str) -> Text:
    return Text.assemble((f"{name:20}", "dim"), (url, f"bold link {url}"))


def _table(lines: Sequence[PipelineSummary], width: int, *, alerts: bool) -> Table:
    """Return the table; without alerts it has no column of them."""
    columns = [each for each in _COLUMNS if alerts or each.cell is not _alerts]
    rows = [[column.cell(line) for column in columns] for line in lines]
    table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="bold underline")
    for column, columns_width in zip(columns, _widths(columns, rows, width), strict=True):
        table.add_column(column.title, no_wrap=True, overflow="ellipsis", width=columns_width)
    for row in rows:
        table.add_row(*row)
    return table


def _widths(columns: Sequence["_Column"], rows: Sequence[Sequence[Text]], width: int) -> list[int]:
    """Return the columns' widths: what they need, and for those that may be cut their part of what is left."""
    widths = [
        max(len(column.title), *(row[index].cell_len for row in rows), 0)
        for index, column in enumerate(columns)
    ]
    left = width - _GAP * (len(columns) - 1) - sum(widths)
    for index, column in reversed(list(enumerate(columns))):
        if column.may_be_cut and left < 0:
            cut = min(-left, max(0, widths[index] - _LEAST))
            widths[index] -= cut
            left += cut
    return widths


def _name(line: PipelineSummary) -> Text:
    return Text.assemble(("● ", _LEVELS[line.level]), line.name)


def _coloured(dimension: Dimension, status: str) -> Text:
    kind = dimension.statuses.get(status)
    return Text.assemble((status, _COLOURS[kind] if kind else _UNKNOWN))


def _status(line: PipelineSummary) -> Text:
    text = _coloured(DEPLOYMENT, line.status)
    if line.program != "Success":
        text.append(" ").append_text(_coloured(PROGRAM, line.program))
    return text if line.desired == line.status else text.append(f" → {line.desired}", "dim")


def _error(line: PipelineSummary) -> Text:
    return Text(line.error_code, "red")


def _wait(line: PipelineSummary) -> Text:
    wait = line.wait
    text = Text.assemble(("" if wait.status == line.status else f"{wait.status} ", "dim"))
    share = wait.share
    text.append(duration(wait.age), "bold red" if share >= 1 else "yellow" if share >= _NEAR else "default")
    if wait.limit < math.inf:
        text.append(f" of {duration(wait.limit)}", "dim")
    return text


def _alerts(line: PipelineSummary) -> Text:
    return Text(", ").join(
        Text(alert.name.removeprefix(_PREFIX), _SEVERITIES.get(alert.severity, "dim"))
        for alert in line.alerts
    )


class _Column(NamedTuple):
    """A column of the table: its title, what it shows, and whether it may be cut."""

    title: str
    cell: Callable[[PipelineSummary], Text]
    may_be_cut: bool = True


_COLUMNS: Final = (
    _Column("pipeline", _name),
    _Column("status", _status),
    _Column("for", _wait, may_be_cut=False),
    _Column("error code", _error),
    _Column("alerts", _alerts),
)
