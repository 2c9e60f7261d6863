"""Whether both ways to Alertmanager have the same alerts of a changing fleet, in an hour of real time.

python tests/benchmarks/equality.py [minutes]
"""

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "exporter")]

from feldera_exporter.simulator.random_workload import RandomWorkload  # noqa: E402 - see above
from support.both_ways import POSSIBLE, WebhookReceiver, both_ways  # noqa: E402 - see above
from support.two_instances import feldera  # noqa: E402 - see above

PIPELINES: Final = 40
ACTIONS_PER_SECOND: Final = 0.3
SHORT: Final = 5.0
"""Seconds: Prometheus may miss what is over before it scraped, evaluated and sent it."""
LATE: Final = 10.0
"""Seconds by which one way may be behind the other: a scrape, an evaluation and a group interval."""
LIMITS: Final = """\
limits:
  defaults: {Provisioning: 20s, Initializing: 20s, Unavailable: 20s, Stopping: 20s, CompilingRust: 20s, Clearing: 20s}
"""

Labels = frozenset[tuple[str, str]]


class Alert(NamedTuple):
    """One alert from its first notification to its last.

    Attributes:
        began: when it was notified, in seconds since the epoch.
        ended: when its end was notified, None while it is firing.
    """

    began: float
    ended: float | None


def alerts(received: WebhookReceiver) -> dict[Labels, list[Alert]]:
    """Return the alerts of one way by their labels, oldest first; repeated notifications count once."""
    found: defaultdict[Labels, list[Alert]] = defaultdict(list)
    for at, body in received.notifications:
        for alert in body["alerts"]:
            of_labels = found[frozenset(alert["labels"].items())]
            firing = bool(of_labels) and of_labels[-1].ended is None
            if alert["status"] == "firing" and not firing:
                of_labels.append(Alert(at, None))
            elif alert["status"] == "resolved" and firing:
                of_labels[-1] = of_labels[-1]._replace(ended=at)
    return found


def unmatched(ours: list[Alert], theirs: list[Alert]) -> list[Alert]:
    """Return the alerts of one way that the other way does not have, but for delays."""
    rest, alone = list(theirs), []
    for alert in ours:
        match = next(
            (
                other
                for other in rest
                if abs(other.began - alert.began) <= LATE
                and (other.ended is None) == (alert.ended is None)
                and abs((other.ended or 0) - (alert.ended or 0)) <= LATE
            ),
            None,
        )
        if match is None:
            alone.append(alert)
        else:
            rest.remove(match)
    return alone


def main(minutes: float) -> int:
    """Print the difference; return 1 if there is one."""
    instance = feldera()
    with tempfile.TemporaryDirectory() as folder, both_ways(Path(folder), instance, LIMITS) as both:
        workload = RandomWorkload(instance, 1, size=PIPELINES, rate=ACTIONS_PER_SECOND, trouble=0.5)
        end = time.monotonic() + 60 * minutes
        while time.monotonic() < end:
            time.sleep(1)
            instance.settle()
        workload.end()
        # What has just begun or ended comes on both ways.
        time.sleep(3 * LATE)
        found = {way: alerts(both.received[way]) for way in POSSIBLE}
    differences = short = 0
    for way, other in (POSSIBLE, POSSIBLE[::-1]):
        total = sum(map(len, found[way].values()))
        print(f"{way}: {total} alerts of {len(found[way])} kinds of labels")
        for labels, of_labels in found[way].items():
            for alert in unmatched(of_labels, found[other].get(labels, [])):
                length = (alert.ended or time.time()) - alert.began
                short += length <= SHORT
                differences += length > SHORT
                name = dict(labels)
                print(
                    f"  only by {way}: {name['alertname']} {name.get('pipeline_name', '')}"
                    f" {time.strftime('%H:%M:%S', time.gmtime(alert.began))} for {length:.1f} s"
                )
    print(f"{differences} differences, and {short} alerts of at most {SHORT:g} s on one way only")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else 60))
