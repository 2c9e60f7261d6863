"""How the demo is shown: as a picture where there is a terminal, else as a line per change."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Protocol

from rich.console import Console
from rich.live import Live

from feldera_exporter.demo.screen import picture
from feldera_exporter.demo.view import View, news


class Show(Protocol):
    """Shows views."""

    def show(self, view: View) -> None:
        """Show a view in place of the one before."""
        ...


class Lines:
    """Shows a line for everything that is new, with the time of day.

    Args:
        file: written to.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._before = View()

    def show(self, view: View) -> None:
        """Write what is new."""
        for line in news(self._before, view):
            # Past rich, which ends the process where there is no reader any more, before anything else could be ended.
            print(f"{_time_of_day()} {line}", file=self._file)
        self._before = view
        self._file.flush()


class Picture:
    """Shows the whole fleet, again and again.

    Args:
        live: rich's, which it is shown with.
    """

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, view: View) -> None:
        """Draw the view."""
        width, height = self._live.console.size
        self._live.update(picture(view, width, height), refresh=True)


@contextmanager
def showing(console: Console) -> Iterator[Show]:
    """Show on a console while the context lasts, and leave a terminal as it was."""
    if not console.is_terminal:
        yield Lines(console.file)
        return
    with Live(
        console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    ) as live:
        yield Picture(live)


def _time_of_day() -> str:
    return time.strftime("%H:%M:%S")
