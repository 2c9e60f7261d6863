"""The exporter's real middle on a stand-in of Feldera, as a view that rule tests take: nothing of it is written by hand."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Final

from driver import Api, Driver
from feldera_exporter.config import Configuration, Instance
from feldera_exporter.feldera.platform import with_config, with_health, with_session
from feldera_exporter.simulator.answers import Request
from feldera_exporter.simulator.clock import ManualClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.instance import Instance as Surroundings
from feldera_exporter.store.store import Store
from rules.world import INSTANCE, Samples, Series, View

_LABEL: Final = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_CONFIGURATION: Final = Configuration(instances=(Instance(name=INSTANCE, url="http://feldera.invalid"),))
_ANY: Final = Request("GET", "/", {}, {})


@cache
def _series(text: str) -> Series:
    name, _, labels = text.partition("{")
    return name, tuple(_LABEL.findall(labels))


_value: Final[Callable[[str], float]] = cache(float)
"""Most samples are the same few values: each is kept once."""


def parse(exposition: str) -> Samples:
    """Return the samples of an exposition."""
    samples: Samples = {}
    for line in exposition.splitlines():
        if not line.startswith("#"):
            series, _, value = line.rpartition(" ")
            samples[_series(series)] = _value(value)
    return samples


class Sight:
    """What an exporter that is asked again and again shows of a Feldera; a view, to be asked for later and later times.

    The world begins at second 0. Asked for a time that has passed, it shows what it last showed: a poll that failed
    changes nothing.

    Args:
        begin: fills the instance with life, once it exists.
        store: what survives the exporter's restart.
        restart: the second from which another process goes on.
    """

    def __init__(
        self, begin: Callable[[Feldera], object], store: Store | None = None, restart: float | None = None
    ) -> None:
        self._clock = ManualClock(0)
        self._feldera = Feldera(self._clock)
        self._api = Api(self._feldera)
        self._surroundings = Surroundings(self._feldera)
        self._driver = Driver(_CONFIGURATION, store)
        self._restart = restart
        self._reached = -1.0
        self._shown: Samples = {}
        begin(self._feldera)

    def __call__(self, now: float) -> Samples:
        """Return what is shown at a second."""
        if now > self._reached:
            self._clock.advance(now - max(self._reached, 0.0))
            if self._restart is not None and now >= self._restart:
                self._restart = None
                self._driver.restart()
            self._reached = now
            self._ask()
            # Whether the last poll succeeded is told by who asks for this view.
            self._shown = {
                key: n for key, n in parse(self._driver.scrape()).items() if key[0] != "feldera_up"
            }
        return self._shown

    def _ask(self) -> None:
        platform = with_config(self._driver.fleet.platform, self._surroundings.config(_ANY).body)
        platform = with_session(platform, self._surroundings.session(_ANY).body)
        platform = with_health(platform, self._surroundings.health(_ANY).body)
        self._driver.fleet = replace(self._driver.fleet, platform=platform)
        self._driver.poll(self._api.list(), self._clock.now(), self._api.log)


def remembered(view: View) -> View:
    """Return a view that may be asked for any time again that it was asked for before."""
    known: dict[float, Samples] = {}

    def show(now: float) -> Samples:
        if now not in known:
            known[now] = view(now)
        return known[now]

    return show
