"""A healthy fleet whose users start, stop, pause, edit and recompile: there is no problem.

Through a restart of the exporter, and polls that fail for a minute.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.feldera.platform import with_config, with_health
from feldera_exporter.problems.table import PIPELINE_PROBLEMS
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.http_messages import HttpRequest
from feldera_exporter.simulator.instance_routes import InstanceRoutes
from feldera_exporter.store.store import Store
from problems.users import Users
from support.clocks import ManualClock
from support.exporter_driver import ExporterDriver, InProcessApi
from support.tools import THOROUGH

DAY: Final = 86_400
PACE: Final = 60
"""Seconds between two polls."""

NOT_NOTIFIED: Final = {row.name for row in PIPELINE_PROBLEMS.values() if row.severity == "info"}

_ANY: Final = HttpRequest("GET", "/", {}, {})


def week(days: int, users: int, store: Store) -> tuple[Counter[str], ExporterDriver]:
    """Return the problems that some poll found, each with the number of those polls, and the exporter at the end.

    Args:
        days: how many.
        users: how many pipelines, each with a user.
        store: the exporter's.
    """
    clock = ManualClock()
    feldera = Feldera(clock)
    Users(feldera, seed=7, size=users)
    api, instance, driver = InProcessApi(feldera), InstanceRoutes(feldera), ExporterDriver(store=store)
    polls, found = days * DAY // PACE, Counter[str]()
    for number in range(polls):
        clock.advance(PACE)
        if number == polls // 2:
            driver.restart()
        if polls // 3 <= number < polls // 3 + 2:
            continue
        platform = with_config(driver.fleet.platform, instance.config(_ANY).body)
        driver.fleet = replace(driver.fleet, platform=with_health(platform, instance.health(_ANY).body))
        driver.poll(api.list(), clock.now(), api.log)
        found.update(each.problem for each in driver.problems.present)
    return found, driver


@pytest.mark.parametrize(("days", "users"), [(7, 24) if THOROUGH else (1, 8)])
def test_there_is_no_problem(days: int, users: int, tmp_path: Path) -> None:
    """Normal use has no problem except CompileFailed, which is info only, and the users did change something."""
    store = Store.open(tmp_path)
    found, driver = week(days, users, store)
    store.close()
    assert set(found) == {"CompileFailed"} <= NOT_NOTIFIED
    histories = driver.ledger._histories.values()
    for dimension in ("resources", "program"):
        changes = sum(sum(getattr(history.counts, dimension).values()) for history in histories)
        assert changes > 4 * days * users, dimension
    assert sum(history.counts.runtime.get("Unavailable", 0) for history in histories) > days
    platform = driver.fleet.platform
    assert platform.license is not None
    assert platform.license.valid
    assert [service.healthy for service in platform.services.values()] == [True] * 3
