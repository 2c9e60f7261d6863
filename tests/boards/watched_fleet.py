"""A fleet with every kind of trouble and three more instances, watched by real exporters, scraped by a real Prometheus.

Two replicas, `a` and `b`, watch them all. `default` has the demo's scenarios; `b` can no longer reach it and shows what it saw
last. The clock of `edge` is wrong, its compiler is unwell and its license ends soon. All pipelines of `storm` have failed, and
its license is not confirmed. `gone` no longer answers. `a` sends its problems to two Alertmanagers, of which one refuses them.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from signal import SIGHUP
from typing import Any, Final

import httpx
import yaml

from feldera_exporter.demo.clock import StagedClock, machine
from feldera_exporter.demo.simulated_fleet import beginning, prepared_fleet
from feldera_exporter.ledger.visible_counters import HOLD
from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support.alertmanagers import AlertmanagerRecorder
from support.clocks import SkewedClock
from support.dashboards import Json, PanelQuery, everything, filled, merged
from support.exporter_process import configured, prometheus, until
from support.plans import INSTANT
from support.tools import ROOT

REPLICAS: Final = 2
WATCHED: Final = 14.0
"""Seconds after the first scrape: several samples for each rate, statuses that begin and end."""
WINDOW: Final = 12
"""Seconds that stand for `$__rate_interval`, twelve scrapes; and half of what stands for `$__range`."""

SKEW: Final = 120
"""By how many seconds the clock of `edge` is ahead."""
LEFT: Final = 2 * 86_400
"""In how many seconds the license of `edge` ends."""
PARTS: Final = tuple(f"part-{number}" for number in range(8))
"""The pipelines of `storm` that fail while Prometheus watches."""
FAILED: Final = "part-8"
"""One that failed before."""

_LIVED: Final = 3600


@dataclass(frozen=True)
class WatchedFleet:
    """The fleet, and the Prometheus that knows what the exporters say of it.

    Attributes:
        feldera: the instance `default`.
        url: of Prometheus.
        exporters: the address of each exporter by its name here: `a` and `b`.
        alertmanagers: the address of each Alertmanager by its name here: `accepting` and `refusing`.
        client: asks.
    """

    feldera: Feldera
    url: str
    exporters: Mapping[str, str]
    alertmanagers: Mapping[str, str]
    client: httpx.Client

    def ask(self, expression: str) -> list[Json]:
        """Return the series that an expression has now."""
        return self._get("query", query=expression)

    def ask_over_time(self, expression: str) -> list[Json]:
        """Return the series that an expression has had in the last seconds."""
        now = time.time()
        return self._get("query_range", query=expression, start=str(now - WATCHED), end=str(now), step="2")

    def problems(self, instance: str) -> list[Mapping[str, str]]:
        """Return the labels of every problem that the replica `a`, which sees all but `gone`, says there is."""
        matchers = f'{{feldera_instance="{instance}", instance="{self.exporters["a"]}"}}'
        families = (f"feldera_{about}_problem_since_timestamp_seconds" for about in ("pipeline", "instance"))
        return [each["metric"] for family in families for each in self.ask(f"{family}{matchers} > 0")]

    def answer(self, target: PanelQuery, **chosen: str) -> list[Json]:
        """Return what a board's query gives, of `default` and all that is in it but for what is said."""
        expression = filled(target.expression, self.values(target.board) | chosen)
        return self.ask(expression) if target.query["instant"] else self.ask_over_time(expression)

    def values(self, board: str) -> dict[str, str]:
        """Return the values of a board's variables, Grafana's own included, with all of `default` chosen."""
        chosen = {"pipeline": ".+"} | everything(board) | {"feldera_instance": "default"}
        return chosen | {"__rate_interval": f"{WINDOW}s", "__range": f"{2 * WINDOW}s"}

    def table(self, board: str, panel: Json, **chosen: str) -> list[Json]:
        """Return a table's rows as people see them."""
        frames = []
        for query in panel["targets"]:
            series = self.answer(PanelQuery(board, panel, query), **chosen)
            value = f"Value #{query['refId']}"
            frames.append([{**each["metric"], value: float(each["value"][1])} for each in series])
        names = panel["transformations"][2]["options"]["renameByName"]
        return [{names[key]: value for key, value in row.items() if key in names} for row in merged(frames)]

    def named(self, text: str) -> str:
        """Return a text with the programs' names here in place of their addresses."""
        for name, address in {**self.exporters, **self.alertmanagers}.items():
            text = text.replace(address, name)
        return text

    def _get(self, endpoint: str, **parameters: str) -> list[Json]:
        answer: Any = self.client.post(f"{self.url}/api/v1/{endpoint}", data=parameters).json()
        assert answer["status"] == "success", (answer, parameters["query"])
        assert not answer.get("warnings"), (answer, parameters["query"])
        found: list[Json] = answer["data"]["result"]
        return found


class _DelayedClock:
    """The machine's time, less the first-sample hold of new pipelines' counters, until `release`."""

    def __init__(self) -> None:
        self._late = HOLD

    def now(self) -> int:
        """Return the instant in microseconds since the epoch."""
        return machine() - self._late

    def catch_up(self) -> None:
        """Go on with the machine's time."""
        self._late = 0


@contextmanager
def watched(folder: Path) -> Iterator[WatchedFleet]:
    """Run everything until the context ends; what changes while one looks has changed when it begins."""
    late = _DelayedClock()
    # The stage is set for the time to which it catches up.
    feldera = prepared_fleet(StagedClock(beginning(machine()), late.now), 0, 0)
    storm = _lived(late.now, *PARTS, FAILED)
    edge, lost = _lived(machine, "sensor-hub", skew=SKEW), _lived(machine, "far-away")
    edge.inject.service("compiler", "It does not answer.")
    lost.inject.crash("far-away")
    # An error code that is new would be held as well.
    storm.inject.crash(FAILED)
    wrong, unconfirmed = FelderaServer(edge), FelderaServer(storm)
    wrong.instance.license_until = machine() + LEFT * SECOND
    unconfirmed.instance.has_license = False
    with ExitStack() as stack, ExitStack() as gone:
        others = {
            "edge": stack.enter_context(serve(wrong)),
            "gone": gone.enter_context(serve(FelderaServer(lost))),
            "storm": stack.enter_context(serve(unconfirmed)),
        }
        reached = {
            "a": stack.enter_context(serve(FelderaServer(feldera))),
            "b": gone.enter_context(serve(FelderaServer(feldera))),
        }
        alertmanagers = {
            "accepting": stack.enter_context(serve(AlertmanagerRecorder())),
            "refusing": stack.enter_context(serve(AlertmanagerRecorder(lambda _path, _body: (503, {}, b"")))),
        }
        sending = f"alertmanager: {{urls: [{', '.join(alertmanagers.values())}], resend_interval: 5s}}\n"
        starting = {
            name: configured(
                _exporter({"default": url, **others}) + (sending if name == "a" else ""), _made(folder / name)
            )
            for name, url in reached.items()
        }
        with ThreadPoolExecutor() as pool:
            started = dict(zip(starting, pool.map(stack.enter_context, starting.values()), strict=True))
        exporters = {name: address.removeprefix("http://") for name, (address, _) in started.items()}
        url = stack.enter_context(prometheus(_prometheus(folder, exporters), folder / "data"))
        client = stack.enter_context(httpx.Client(trust_env=False, verify=False, timeout=20))
        addresses = {name: each.removeprefix("http://") for name, each in alertmanagers.items()}
        found = WatchedFleet(feldera, url, exporters, addresses, client)
        scraped = "count(feldera_exporter_last_successful_poll_timestamp_seconds)"
        until(lambda: found.ask(scraped) and float(found.ask(scraped)[0]["value"][1]) == 4 * REPLICAS)
        time.sleep(3)  # so that every counter's first value has been scraped before it moves
        late.catch_up()
        until(lambda: not found.ask("feldera_exporter_api_clock_skew_seconds < -5"))
        gone.close()
        (folder / "b/exporter.yml").write_text("instances: []\n")
        started["b"][1].send_signal(SIGHUP)
        edge.inject.report("sensor-hub", "Dreaming")
        for part in PARTS:
            storm.inject.crash(part)
        feldera.inject.crash("payments")
        feldera.stop("inventory", force=True)
        time.sleep(WATCHED - 6)
        feldera.start("inventory")
        time.sleep(6)
        yield found


def _lived(present: Callable[[], int], *names: str, skew: float = 0) -> Feldera:
    """Return an instance whose pipelines have been running for about an hour."""
    clock = StagedClock(present() - _LIVED * SECOND, present)
    feldera = Feldera(SkewedClock(clock, skew))
    for name in names:
        feldera.create(name, plan=INSTANT)
        feldera.later(60, feldera.start, name)
    clock.release()
    feldera.settle()
    return feldera


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _exporter(instances: Mapping[str, str]) -> str:
    """Return an exporter's configuration: it polls each second, and soon forgets `gone`, which will not answer."""
    listed = (
        f"- {{name: {name}, url: '{url}', poll_interval: 1s, staleness: {'2s' if name == 'gone' else '5m'}}}\n"
        for name, url in instances.items()
    )
    return "instances:\n" + "".join(listed)


def _prometheus(folder: Path, exporters: Mapping[str, str]) -> Path:
    """Write Prometheus's configuration: the shipped rules, evaluated each second.

    The targets have the labels that the Prometheus operator gives them; at one of the two the exporter's own would win.
    """
    rules = folder / "rules.yml"
    text = (ROOT / "alerts/feldera.rules.yml").read_text(encoding="utf-8")
    quick = re.sub(r"^    interval: \w+$", "    interval: 1s", text, flags=re.MULTILINE)
    assert quick.count("interval: 1s") == text.count("- name:")
    rules.write_text(quick, encoding="utf-8")
    operators = ("namespace", "service", "pod", "container", "endpoint")
    jobs = [
        {
            "job_name": f"exporter-{name}",
            "honor_labels": name == "a",
            "static_configs": [{"targets": [address], "labels": dict.fromkeys(operators, "metrics")}],
        }
        for name, address in exporters.items()
    ]
    configuration = folder / "prometheus.yml"
    every = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    document = {"global": every, "rule_files": [str(rules)], "scrape_configs": jobs}
    configuration.write_text(yaml.safe_dump(document), encoding="utf-8")
    return configuration
