"""A fleet with every kind of trouble, watched by two replicas of the real program, scraped by a real Prometheus."""

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from boards.documents import Json, Target, everything, filled, merged
from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.stage import beginning, staged
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from feldera_exporter.simulator.serving import serve
from system.program import exporter, prometheus, until
from tools import ROOT

REPLICAS: Final = 2
WATCHED: Final = 14.0
"""Seconds after the first scrape: several samples for each rate, statuses that begin and end."""
WINDOW: Final = 12
"""Seconds that stand for `$__rate_interval`, twelve scrapes; and half of what stands for `$__range`."""


@dataclass(frozen=True)
class World:
    """The fleet, and the Prometheus that knows what the exporters say of it."""

    feldera: Feldera
    url: str
    exporter: str
    client: httpx.Client

    def ask(self, expression: str) -> list[Json]:
        """Return the series that an expression has now."""
        return self._get("query", query=expression)

    def ask_over_time(self, expression: str) -> list[Json]:
        """Return the series that an expression has had in the last seconds."""
        now = time.time()
        return self._get("query_range", query=expression, start=str(now - WATCHED), end=str(now), step="2")

    def answer(self, target: Target, **chosen: str) -> list[Json]:
        """Return what a board's query gives, with all chosen but what is said."""
        expression = filled(target.expression, self.values(target.board) | chosen)
        return self.ask(expression) if target.query["instant"] else self.ask_over_time(expression)

    def values(self, board: str) -> dict[str, str]:
        """Return the values of a board's variables, Grafana's own included, with all chosen."""
        chosen = {"feldera_instance": ".+", "pipeline": ".+"} | everything(board)
        return chosen | {"__rate_interval": f"{WINDOW}s", "__range": f"{2 * WINDOW}s"}

    def table(self, board: str, panel: Json, **chosen: str) -> list[Json]:
        """Return a table's rows as people see them."""
        frames = []
        for query in panel["targets"]:
            series = self.answer(Target(board, panel, query), **chosen)
            value = f"Value #{query['refId']}"
            frames.append([{**each["metric"], value: float(each["value"][1])} for each in series])
        names = panel["transformations"][2]["options"]["renameByName"]
        return [{names[key]: value for key, value in row.items() if key in names} for row in merged(frames)]

    def _get(self, endpoint: str, **parameters: str) -> list[Json]:
        answer: Any = self.client.post(f"{self.url}/api/v1/{endpoint}", data=parameters).json()
        assert answer["status"] == "success", (answer, parameters["query"])
        assert not answer.get("warnings"), (answer, parameters["query"])
        found: list[Json] = answer["data"]["result"]
        return found


@contextmanager
def world(folder: Path) -> Iterator[World]:
    """Run everything until the context ends; what changes while one looks has changed when it begins."""
    clock = StagedClock(beginning(machine()))
    feldera = staged(clock, 0, 0)
    with ExitStack() as stack:
        api = stack.enter_context(serve(FelderaServer(feldera)))
        addresses = []
        for number in range(REPLICAS):
            place = folder / f"replica-{number}"
            place.mkdir()
            addresses.append(stack.enter_context(exporter(api, place))[0].removeprefix("http://"))
        url = stack.enter_context(prometheus(_configuration(folder, addresses), folder / "data"))
        client = stack.enter_context(httpx.Client(trust_env=False, timeout=20))
        found = World(feldera, url, f"http://{addresses[0]}", client)
        scraped = "count(feldera_exporter_last_successful_poll_timestamp_seconds)"
        until(lambda: found.ask(scraped) and float(found.ask(scraped)[0]["value"][1]) == REPLICAS)
        time.sleep(3)  # so that every counter's first value has been scraped before it moves
        feldera.world.crash("payments")
        feldera.stop("inventory", force=True)
        time.sleep(WATCHED - 6)
        feldera.start("inventory")
        time.sleep(6)
        yield found


def _configuration(folder: Path, addresses: Sequence[str]) -> Path:
    """Write Prometheus's configuration: the shipped rules, evaluated each second."""
    rules = folder / "rules.yml"
    text = (ROOT / "alerts/feldera.rules.yml").read_text(encoding="utf-8")
    assert "interval: 15s" in text
    rules.write_text(text.replace("interval: 15s", "interval: 1s"), encoding="utf-8")
    configuration = folder / "prometheus.yml"
    configuration.write_text(
        "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
        f"rule_files: ['{rules}']\n"
        "scrape_configs:\n- job_name: feldera-exporter\n"
        f"  static_configs: [{{targets: {list(addresses)}}}]\n"
    )
    return configuration
