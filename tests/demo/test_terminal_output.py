"""A terminal gets a screen that is drawn again and again; anything else gets a line per change."""

import io
import re

from rich.console import Console

from feldera_exporter.demo.terminal_output import showing
from feldera_exporter.demo.view import Poster, View
from feldera_exporter.problems.alerts import PresentAlert
from support.fleets import fleet, line, pipeline

NOW = 1_787_313_600_000_000


def test_what_is_no_terminal_gets_lines() -> None:
    """Without a terminal, lines have the time of day, may be long, and come once."""
    file = io.StringIO()
    with showing(Console(file=file, width=20)) as show:
        show(View(lines=(line("orders", id="1"),)))
        show(View(lines=(line("orders", id="1"),)))
        show(View(lines=(line("orders", id="1", status="[bold]Unavailable"),)))
    assert re.sub(r"(?m)^\d\d:\d\d:\d\d ", "", file.getvalue()).splitlines() == [
        "orders: Running, program Success, storage InUse",
        "orders: Running -> [bold]Unavailable",
    ]


def test_a_terminal_gets_a_picture_and_its_own_screen_back() -> None:
    """On a terminal only the present state is drawn, and the former screen comes back afterwards."""
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=100, height=30, color_system=None)
    with showing(console) as show:
        show(View(lines=(line("orders", id="1"),)))
        assert "\x1b[?1049h" in file.getvalue()
        assert "orders: Running" not in file.getvalue()
        show(View(lines=(line("orders", id="1", status="Paused"),)))
    assert "Paused" in file.getvalue()
    assert "\x1b[?1049l" in file.getvalue()


def test_the_poster_gathers_what_there_is_to_show() -> None:
    """Each change shows a whole new view."""
    views: list[View] = []
    poster = Poster(views.append)
    poster.started("Prometheus", "http://127.0.0.1:1")
    poster.missing("Alertmanager", "not installed")
    poster.notified("notified pager")
    poster.draw(fleet(pipeline("a")), (PresentAlert("A", "critical", "id-a"), PresentAlert("W", "none")), NOW)
    poster.draw(fleet(), None, NOW)
    assert len(views) == 5
    assert views[3].addresses == (("Prometheus", "http://127.0.0.1:1"),)
    assert views[3].notes == ("Alertmanager: not installed",)
    assert views[3].notified == ("notified pager",)
    assert [each.alerts for each in views[3].lines] == [(PresentAlert("A", "critical", "id-a"),)]
    assert views[3].alerts == (PresentAlert("W", "none"),)
    assert views[4].alerts is None
