"""The picture of the fleet in a terminal."""

import math
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from feldera_exporter.demo.view import View
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE, Dimension, Kind
from feldera_exporter.pages.formatting import duration
from feldera_exporter.problems.summary import PipelineSummary, Urgency

NEWS: Final = 5
"""How many lines of what happened last are shown."""

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


def picture(view: View, recent: Sequence[str], width: int, height: int) -> RenderableType:
    """Return what is shown on a terminal of so many columns and lines, of which none is exceeded."""
    head = [_title(view), *(_address(*each) for each in view.addresses), *map(Text, view.notes)]
    if view.alerts:
        head.append(
            Text.assemble("firing about no single pipeline: ", ", ".join(a.name for a in view.alerts))
        )
    foot = [Text(line, "dim") for line in recent[-NEWS:]]
    room = max(1, height - len(head) - len(foot) - _TABLE_FRAME)
    parts: list[RenderableType] = [*head, _table(view.lines[:room], width, alerts=view.alerts is not None)]
    if len(view.lines) > room:
        parts.append(Text(f"and {len(view.lines) - room} more in better shape", "dim"))
    for text in (*head, *foot):
        text.no_wrap, text.overflow = True, "ellipsis"
    return Group(*parts, *foot)


def _title(view: View) -> Text:
    return Text.assemble(
        ("feldera-exporter demo", "bold"),
        f"   {len(view.lines)} pipelines, ",
        (f"{view.in_need} need somebody", "yellow" if view.in_need else "green"),
        ("   Ctrl-C ends it", "dim"),
    )


def _address(name: str, url: str) -> Text:
    return Text.assemble((f"{name:20}", "dim"), (url, f"bold link {url}"))


def _table(lines: Sequence[PipelineSummary], width: int, *, alerts: bool) -> Table:
    """Return the table; what matters less goes where there is no room for it."""
    columns = [each for each in _COLUMNS if width >= each.width and (alerts or each.cell is not _alerts)]
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
        max(len(column.title), *(row[place].cell_len for row in rows), 0)
        for place, column in enumerate(columns)
    ]
    left = width - _GAP * (len(columns) - 1) - sum(widths)
    for place, column in reversed(list(enumerate(columns))):
        if column.may_be_cut and left < 0:
            cut = min(-left, max(0, widths[place] - _LEAST))
            widths[place] -= cut
            left += cut
    return widths


def _name(line: PipelineSummary) -> Text:
    return Text.assemble(("● ", _LEVELS[line.level]), line.name)


def _coloured(dimension: Dimension, status: str) -> Text:
    kind = dimension.statuses.get(status)
    return Text.assemble((status, _COLOURS[kind] if kind else _UNKNOWN))


def _status(line: PipelineSummary) -> Text:
    text = _coloured(DEPLOYMENT, line.status)
    return text if line.desired == line.status else text.append(f" → {line.desired}", "dim")


def _program(line: PipelineSummary) -> Text:
    return _coloured(PROGRAM, line.program)


def _storage(line: PipelineSummary) -> Text:
    return _coloured(STORAGE, line.storage)


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
    """A column of the table: its title, how wide a terminal must be to have it, what it shows, if it may be cut."""

    title: str
    width: int
    cell: Callable[[PipelineSummary], Text]
    may_be_cut: bool = False


_COLUMNS: Final = (
    _Column("pipeline", 0, _name),
    _Column("status", 0, _status),
    _Column("program", 110, _program),
    _Column("storage", 160, _storage),
    _Column("for", 0, _wait),
    _Column("error code", 100, _error, may_be_cut=True),
    _Column(f"firing {_PREFIX}…", 0, _alerts, may_be_cut=True),
)
