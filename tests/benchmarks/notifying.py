"""What notifications cost: how soon after a change they are sent, and what a thousand problems at once do to the polls.

python tests/benchmarks/notifying.py [changes] [problems]
"""

import json
import statistics
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "exporter")]

from feldera_exporter.simulator.asgi_thread import serve  # noqa: E402 - see above
from feldera_exporter.simulator.server import FelderaServer  # noqa: E402 - see above
from support.alertmanagers import AlertmanagerRecorder, instant  # noqa: E402 - see above
from support.raw_server import Request, serving_raw  # noqa: E402 - see above
from support.two_instances import feldera, running, until  # noqa: E402 - see above

POLL: Final = 1.0
MIB: Final = 2**20


class TimedRecorder(AlertmanagerRecorder):
    """Records when each alert came first."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: dict[str, float] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        count = len(self.posts)
        await super().__call__(scope, receive, send)
        for alert in (each for post in self.posts[count:] for each in post):
            wait = time.time() - instant(alert["startsAt"]).timestamp()
            if alert["labels"]["alertname"] == "FelderaPipelineDeploymentError":
                self.waits.setdefault(alert["labels"]["pipeline_name"], wait)


class ListRequestTimer:
    """Passes requests on, and records when the list was requested."""

    def __init__(self, server: FelderaServer) -> None:
        self.server = server
        self.at: list[float] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        if scope.get("path") == "/v0/pipelines":
            self.at.append(time.monotonic())
        await self.server(scope, receive, send)


def changes(count: int) -> dict[str, float]:
    """Return how soon after a change in Feldera its alert is posted, one change after another."""
    names = [f"p{number:03}" for number in range(count)]
    # Among many others, so that it is no trouble of the whole fleet.
    instance, recorder = feldera(*names), TimedRecorder()
    with (
        tempfile.TemporaryDirectory() as folder,
        serve(FelderaServer(instance)) as api,
        serve(recorder) as url,
        running(Path(folder), _configuration(api, url)) as program,
    ):
        until(lambda: 'feldera_up{feldera_instance="prod"} 1' in program.page())
        for name in names:
            instance.inject.crash(name)
            time.sleep(0.13)
        until(lambda: len(recorder.waits) == count, 60)
    waits = sorted(recorder.waits.values())
    p99 = waits[int(0.99 * (count - 1))]
    return {
        "median of change to POST, s": statistics.median(waits),
        "p99, s": p99,
        "p99 beyond a poll interval, s": p99 - POLL,
    }


def many(count: int, *, notified: bool) -> tuple[float, float, float]:
    """Return how late the latest poll was, in seconds, and the latest after the first rush, and the most memory, in MiB.

    Args:
        count: problems that begin at once.
        notified: whether two Alertmanagers are notified, of which one answers nothing.
    """
    names = [f"p{number:04}" for number in range(count)]
    instance, recorder = feldera(*names), TimedRecorder()
    polled = ListRequestTimer(FelderaServer(instance))

    def silent(request: Request) -> None:
        request.pause(600)

    with (
        tempfile.TemporaryDirectory() as folder,
        serve(polled) as api,
        serve(recorder) as url,
        serving_raw(act=silent) as raw_server,
        running(Path(folder), _configuration(api, *((url, raw_server.url) if notified else ()))) as program,
    ):
        until(lambda: 'feldera_up{feldera_instance="prod"} 1' in program.page(), 60)
        time.sleep(5)
        for name in names:
            instance.inject.crash(name)
        if notified:
            until(lambda: len(recorder.waits) == count, 60)
        time.sleep(10)
        settled = time.monotonic()
        time.sleep(30)
        memory = program.rss() / MIB
    gaps = {before: after - before for before, after in pairwise(polled.at)}
    later = [gap for before, gap in gaps.items() if before > settled]
    return max(gaps.values()) - POLL, max(later) - POLL, memory


def _configuration(api: str, *urls: str) -> str:
    instances = f"instances: [{{name: prod, url: '{api}', poll_interval: {POLL:.0f}s}}]\n"
    return instances + (f"alertmanager: {{urls: {json.dumps(urls)}, timeout: 5s}}\n" if urls else "")


def main(soon: int = 200, at_once: int = 1000) -> int:
    """Measure, and print the figures as JSON."""
    figures = changes(soon)
    late, later, memory = many(at_once, notified=True)
    late_before, later_before, memory_before = many(at_once, notified=False)
    figures |= {
        "latest poll with a silent Alertmanager, s": late,
        "latest poll without Alertmanager, s": late_before,
        "the same after the first rush, s": later,
        "and without Alertmanager, s": later_before,
        "memory more, MiB": memory - memory_before,
    }
    print(json.dumps(figures, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
