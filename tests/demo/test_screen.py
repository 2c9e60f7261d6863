"""The screen is a pure function of the state and the terminal's size."""

import io
import math
import re

import pytest
from rich.console import Console

from feldera_exporter.demo.screen import picture
from feldera_exporter.demo.view import View
from feldera_exporter.problems.alerts import PresentAlert
from feldera_exporter.problems.pipeline_summaries import StatusAge, Urgency
from support.fleets import line

STUCK = PresentAlert("FelderaPipelineStuckProvisioning", "critical", "id-big-join")
FAILED = PresentAlert("FelderaPipelineDeploymentError", "warning", "id-ledger")
UNCOMPILED = PresentAlert("FelderaPipelineCompileFailed", "info", "id-ledger")

CODE = "StartFailedDueToFailedCompilation"

LINES = (
    line(
        "big-join",
        STUCK,
        level=Urgency.CRITICAL,
        status="Provisioning",
        wait=StatusAge("Provisioning", 723, 600),
    ),
    line(
        "ledger",
        FAILED,
        UNCOMPILED,
        level=Urgency.WRONG,
        status="Stopped",
        desired="Stopped",
        error_code=CODE,
        wait=StatusAge("Stopped", 59, math.inf),
    ),
    line("old-archive", level=Urgency.MOVING, storage="Clearing", wait=StatusAge("Clearing", 800, 900)),
    line("orders", status="Unheard", program="Odd", wait=StatusAge("to be Running", 3600, 7200)),
)
VIEW = View(
    addresses=(("feldera-exporter", "http://127.0.0.1:10058/metrics"),),
    notes=("Alertmanager: not installed",),
    lines=LINES,
    alerts=(PresentAlert("FelderaWatchdog", "none"),),
)


def drawn(view: View, *, width: int = 160, height: int = 40) -> list[str]:
    """Return the picture's lines as text."""
    console = Console(record=True, width=width, height=height, file=io.StringIO(), force_terminal=True)
    console.print(picture(view, width, height))
    return [text.rstrip() for text in console.export_text().splitlines()]


def test_a_wide_terminal_shows_everything() -> None:
    """The screen has a head and one line per pipeline in the given order; the program is shown while not compiled."""
    lines = drawn(VIEW)
    columns = [re.split(r"  +", each) for each in lines[4:]]
    assert lines[:4] == [
        "feldera-exporter demo   4 pipelines, 2 with a problem   Ctrl-C ends it",
        "feldera-exporter    http://127.0.0.1:10058/metrics",
        "Alertmanager: not installed",
        "firing about no single pipeline: FelderaWatchdog",
    ]
    assert columns == [
        ["pipeline", "status", "for", "error code", "alerts"],
        ["● big-join", "Provisioning → Running", "12m 3s of 10m", "StuckProvisioning"],
        ["● ledger", "Stopped", "59s", CODE, "DeploymentError, CompileFailed"],
        ["● old-archive", "Running", "Clearing 13m 20s of 15m"],
        ["● orders", "Unheard Odd → Running", "to be Running 1h of 2h"],
    ]


@pytest.mark.parametrize("width", [70, 80, 100, 120, 160, 200])
@pytest.mark.parametrize("height", [8, 12, 40])
def test_the_picture_fits(width: int, height: int) -> None:
    """No line is wider than the terminal, and there are no more lines than rows where one pipeline fits."""
    lines = drawn(VIEW, width=width, height=height)
    assert max(map(len, lines)) <= width
    assert any("big-join" in each for each in lines)
    if height >= 12:
        assert len(lines) <= height


def test_what_finds_no_room_is_counted() -> None:
    """Where not all pipelines fit, the most urgent are shown and the others are counted."""
    assert drawn(VIEW, height=9)[-1] == "and 2 more"


def test_a_narrow_terminal_shows_the_alert() -> None:
    """With 80 columns each column has a part, and the age is never cut."""
    [row] = [each for each in drawn(VIEW, width=80) if "ledger" in each]
    assert "59s" in row
    assert "DeploymentE" in row


def test_without_prometheus_there_is_no_column_of_alerts() -> None:
    """Without Prometheus there is no column of alerts; which pipelines have a problem is known all the same."""
    assert drawn(View(lines=LINES))[1].split() == ["pipeline", "status", "for", "error", "code"]


def test_an_empty_fleet_has_its_head() -> None:
    """Before the first poll only the head is shown."""
    lines = drawn(View())
    assert lines[0] == "feldera-exporter demo   0 pipelines, 0 with a problem   Ctrl-C ends it"
    assert lines[1].split() == ["pipeline", "status", "for", "error", "code"]


def test_colours() -> None:
    """A status over its limit is red, one near its limit is yellow, the others have no colour."""
    console = Console(width=160, height=40, file=io.StringIO(), force_terminal=True, color_system="standard")
    console.print(picture(VIEW, 160, 40))
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "\x1b[1;31m12m 3s\x1b[0m" in text
    assert "\x1b[33m13m 20s\x1b[0m" in text
    assert "\x1b[1;31m● \x1b[0mbig-join" in text
    assert "\x1b[35mUnheard\x1b[0m" in text
