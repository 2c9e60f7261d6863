"""By both ways the same alerts begin and end with the same texts, and one way has the error's message as well."""

import statistics
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pytest

from support.both_ways import POSSIBLE, BothWays, both_ways
from support.notifications import rendered
from support.plans import INSTANT
from support.tools import THOROUGH
from support.two_instances import feldera, until

LIMITS: Final = """\
limits:
  overrides:
    - {name: "waiting.*", limits: {Provisioning: 3s}}
    - {name: "approving", limits: {AwaitingApproval: 3s}}
    - {name: "gone", limits: {Unavailable: 3s}}
tag_labels: {owner: "owner:(.+)"}
alerts:
  FelderaPipelineUnavailable: {severity: warning, labels: {route: night}}
  FelderaPipelineStuckStopping: {enabled: false}
"""
CRASHES: Final = 200 if THOROUGH else 20
LATE: Final = 8.0
"""Seconds between the two ways' beginnings: a poll, a scrape, an evaluation, and a machine with much else to do."""


def _play(both: BothWays) -> None:
    """Let pipelines fail, wait, be deleted and recover, until all of that was notified."""
    inject, fleet = both.feldera.inject, both.feldera
    names = [f"crashing-{number:03}" for number in range(CRASHES)]
    for name in names:
        inject.crash(name)
    for name in ("waiting", "waiting-again"):
        fleet.create(name, ("team:data", "owner:Ann"), plan=replace(INSTANT, provisioning=None))
        fleet.start(name)
    inject.lose("gone")
    alerts = CRASHES + 2 + 1 + (1 if CRASHES >= 5 else 0)
    until(lambda: both.received_alerts("firing", alerts), 120)
    for name in ("waiting", "waiting-again"):
        fleet.replan(name, provisioning=0.0)
    inject.find("gone")
    for name in names:
        fleet.start(name)
    until(lambda: both.received_alerts("resolved", alerts), 120)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    """Return what was heard on both ways."""
    instance = feldera(*(f"crashing-{number:03}" for number in range(CRASHES)), "gone", "calm")
    with both_ways(tmp_path_factory.mktemp("both"), instance, LIMITS) as running:
        _play(running)
        yield running


def test_the_same_alerts(both: BothWays) -> None:
    """Alerts with the same labels begin and end by both ways, each at about the same time."""
    rules, bridge = (both.received[way] for way in POSSIBLE)
    for status in ("firing", "resolved"):
        difference = rules.labels(status) ^ bridge.labels(status)
        print(f"{status}: {len(rules.labels(status))} alerts by the rules, {len(difference)} on one way only")
        assert not difference, difference
    assert rules.alerts.keys() == bridge.alerts.keys()
    for fingerprint, alert in rules.alerts.items():
        began = [datetime.fromisoformat(each["startsAt"]) for each in (alert, bridge.alerts[fingerprint])]
        # The exporter says when the problem began, Prometheus when it first saw it.
        assert 0 <= (began[0] - began[1]).total_seconds() + 1 < LATE, alert["labels"]
    assert {"warning"} == {
        each["labels"]["severity"]
        for each in bridge.alerts.values()
        if each["labels"]["alertname"] == "FelderaPipelineUnavailable"
    }


def test_the_way_is_shorter(both: BothWays) -> None:
    """Straight from the exporter a notification comes sooner than through Prometheus."""
    waits: dict[str, list[float]] = {}
    for way, received in both.received.items():
        began = {
            fingerprint: datetime.fromisoformat(alert["startsAt"]).timestamp()
            for fingerprint, alert in both.received["bridge"].alerts.items()
        }
        waits[way] = sorted(
            at - began[fingerprint] for (fingerprint, status), at in received.at.items() if status == "firing"
        )
    figures = {
        way: (statistics.median(each), each[int(0.99 * (len(each) - 1))]) for way, each in waits.items()
    }
    for way, (median, highest) in figures.items():
        print(f"{way}: median {median:.2f} s, p99 {highest:.2f} s of {len(waits[way])}")
    print(f"the rules take {figures['rules'][0] / figures['bridge'][0]:.1f} times as long")
    assert figures["bridge"][0] < figures["rules"][0]


@pytest.mark.parametrize("way", POSSIBLE)
def test_what_people_see(both: BothWays, way: str, tmp_path: Path) -> None:
    """A notification names the pipeline, the problem and since when; then the error, then what to do, with links."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    # Of many at once, the first are sent before their details are known.
    for body in sorted(both.received[way].bodies, key=lambda body: len(body["alerts"][0]["annotations"])):
        seen[body["alerts"][0]["labels"]["alertname"], body["status"]] = body
    assert len(seen) >= 6
    for (alertname, status), body in seen.items():
        (alert,) = body["alerts"]
        labels, annotations = alert["labels"], alert["annotations"]
        title, link, text, html = rendered(tmp_path, body, "title", "link", "text", "html")
        first, *rest = text.splitlines()
        assert first.startswith(
            f"{labels['pipeline_name']} of prod: " if "pipeline_name" in labels else "prod: "
        )
        assert alertname.removeprefix("Feldera").removeprefix("Pipeline") in first
        assert f" since {alert['startsAt'][:10]} " in first
        assert (", over since " in first) == (status == "resolved")
        assert title == f"{status.upper()}: {first}"
        assert f"<h3>{first}</h3>" in html
        assert link.startswith("http://localhost:")
        assert f"{annotations['summary']} {annotations['description']}" in rest
        for address in ("runbook_url", "dashboard_url", "pipeline_url"):
            assert (annotations.get(address, "nowhere") in text) == (address in annotations)
            assert (f'href="{annotations.get(address)}"' in html) == (address in annotations)
        assert not [
            line for line in (title, link, *text.splitlines(), *html.splitlines()) if not line.strip()
        ]
        assert "<no value>" not in title + link + text + html
        assert "<pre></pre>" not in html
        if way == "bridge" and alertname == "FelderaPipelineDeploymentError" and status == "firing":
            assert rest[0].startswith("Error RuntimeError.WorkerPanic: The pipeline failed")
            assert ("Last transitions:" in rest) == ("last_transitions" in annotations)


def test_what_no_label_can_carry(both: BothWays) -> None:
    """Some alerts straight from the exporter have annotations beyond the error; alerts of Prometheus have none."""
    annotations = {
        way: {name for body in received.bodies for name in body["alerts"][0]["annotations"]}
        for way, received in both.received.items()
    }
    assert annotations["bridge"] - annotations["rules"] >= {"error_code", "error_message", "last_transitions"}
    assert annotations["rules"] < annotations["bridge"]


def test_several_alerts_in_one_text(both: BothWays, tmp_path: Path) -> None:
    """Each alert of a group has its own part in the text."""
    bodies = both.received["bridge"].bodies[:3]
    group = {**bodies[0], "alerts": [each["alerts"][0] for each in bodies]}
    text, title = rendered(tmp_path, group, "text", "title")
    assert len(text.split("\n\n")) == 3
    assert title.endswith(", and 2 more")
