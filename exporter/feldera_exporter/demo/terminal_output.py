"""How the demo is shown: as a picture where there is a terminal, else as a line per change."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from rich.console import Console
from rich.live import Live

from feldera_exporter.demo.screen import picture
from feldera_exporter.demo.view import Show, View, news


@contextmanager
def showing(console: Console) -> Iterator[Show]:
    """Show on a console while the context lasts, and leave a terminal as it was."""
    if not console.is_terminal:
        yield _writing(console.file)
        return
    with Live(
        console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
    ) as live:
        yield lambda view: live.update(picture(view, *console.size), refresh=True)


def _writing(file: IO[str]) -> Show:
    """Return what writes a line for everything that is new, with the time of day."""
    before = View()

    def show(view: View) -> None:
        nonlocal before
        for line in news(before, view):
            # Past rich, which ends the process where there is no reader any more, before anything else could be ended.
            print(f"{time.strftime('%H:%M:%S')} {line}", file=file)
        before = view
        file.flush()

    return show
