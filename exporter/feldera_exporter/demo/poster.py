"""Keeps the present view of the demo, and shows each new one."""

from collections.abc import Sequence
from dataclasses import replace

from feldera_exporter.demo.showing import Show
from feldera_exporter.demo.view import View
from feldera_exporter.micros import Micros
from feldera_exporter.problems.alerts import Alert
from feldera_exporter.problems.summary import lines
from feldera_exporter.state.fleet import Fleet


class Poster:
    """Keeps the present view and shows each new one."""

    def __init__(self, show: Show) -> None:
        self._show = show
        self._view = View()

    def started(self, name: str, address: str) -> None:
        """Add the address of a program."""
        self._put(replace(self._view, addresses=(*self._view.addresses, (name, address))))

    def missing(self, name: str, text: str) -> None:
        """Add a note about a missing program."""
        self._put(replace(self._view, notes=(*self._view.notes, f"{name}: {text}")))

    def notified(self, text: str) -> None:
        """Add a notification by Alertmanager."""
        self._put(replace(self._view, notified=(*self._view.notified, text)))

    def draw(self, fleet: Fleet, alerts: Sequence[Alert] | None, now: Micros) -> None:
        """Show the fleet at `now`, and the firing alerts; None if they are not known."""
        others = None if alerts is None else tuple(alert for alert in alerts if not alert.pipeline)
        self._put(replace(self._view, lines=lines(fleet.pipelines, alerts or (), now), alerts=others))

    def _put(self, view: View) -> None:
        self._view = view
        self._show(view)
