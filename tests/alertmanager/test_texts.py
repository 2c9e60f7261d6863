"""The texts of notifications about several alerts, by each edition of Alertmanager."""

import json
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from feldera_exporter.alertmanager.alerts import MAX_CHARACTERS
from feldera_exporter.demo import child_programs
from feldera_exporter.demo.child_programs import HOST, free_port
from feldera_exporter.simulator.asgi_thread import serve
from support import loopback
from support.child_process import ChildProcess
from support.notifications import receiving, rendered
from support.tools import DEBIAN, ROOT, editions, tool
from support.two_instances import until

each_edition = pytest.mark.parametrize("edition", editions("amtool"))

LONG: Final = dict.fromkeys(
    ("error_message", "error_details", "waiting_for", "last_transitions"), MAX_CHARACTERS * "<"
)
"""Annotations as long as they can be, with the character that takes most bytes in JSON."""


def alert(
    name: str, ended: str = "", alertname: str = "FelderaPipelineDeploymentError", **annotations: str
) -> dict[str, Any]:
    """Return an alert of a notification."""
    return {
        "status": "resolved" if ended else "firing",
        "labels": {"alertname": alertname, "feldera_instance": "prod", "pipeline_name": name},
        "annotations": {"summary": "A sentence.", "pipeline_url": f"http://localhost/{name}", **annotations},
        "startsAt": "2026-08-21T12:00:00Z",
        "endsAt": ended or "0001-01-01T00:00:00Z",
    }


def group(*alerts: dict[str, Any]) -> dict[str, Any]:
    """Return a notification."""
    firing = any(each["status"] == "firing" for each in alerts)
    return {"status": "firing" if firing else "resolved", "alerts": alerts}


OVER = alert("ledger", "2026-08-21T12:30:13Z")


@each_edition
def test_a_firing_alert_is_in_title_and_link(tmp_path: Path, edition: str) -> None:
    """While an alert of a group fires, title and link are about those that fire, wherever they stand."""
    mixed = group(OVER, alert("orders"), OVER)
    title, link = rendered(tmp_path, mixed, "title", "link", edition=edition)
    assert title == "FIRING: orders of prod: DeploymentError since 2026-08-21 12:00:00 UTC"
    assert link == "http://localhost/orders"
    mixed = group(OVER, alert("orders"), alert("invoices"))
    [title] = rendered(tmp_path, mixed, "title", edition=edition)
    assert title.endswith(", and 1 more")


@each_edition
def test_the_end_is_in_title_and_link(tmp_path: Path, edition: str) -> None:
    """When no alert of a group fires any more, title and link are about those that ended."""
    title, link = rendered(tmp_path, group(OVER, OVER), "title", "link", edition=edition)
    assert title == (
        "RESOLVED: ledger of prod: DeploymentError since 2026-08-21 12:00:00 UTC, over since 12:30:13 UTC, and 1 more"
    )
    assert link == "http://localhost/ledger"


@each_edition
def test_a_status_is_named_once(tmp_path: Path, edition: str) -> None:
    """The status stands beside the problem unless it has the same name."""
    for problem, status, shown in (
        ("AwaitingApproval", "AwaitingApproval", "AwaitingApproval"),
        ("StuckProvisioning", "Provisioning", "StuckProvisioning (Provisioning)"),
    ):
        one = alert("a", alertname=f"FelderaPipeline{problem}")
        one["labels"]["status"] = status
        [title] = rendered(tmp_path, group(one), "title", edition=edition)
        assert title == f"FIRING: a of prod: {shown} since 2026-08-21 12:00:00 UTC"


def headings(text: str) -> list[str]:
    """Return the first line of each part of a text."""
    return [part.splitlines()[0] for part in text.split("\n\n")]


@each_edition
def test_few_alerts_are_in_full(tmp_path: Path, edition: str) -> None:
    """Up to ten firing alerts are in full, and those that ended by name."""
    few = group(OVER, *(alert(f"p{number}") for number in range(10)))
    text, html = rendered(tmp_path, few, "text", "html", edition=edition)
    assert [line.partition(" ")[0] for line in headings(text)] == [
        *(f"p{number}" for number in range(10)),
        "1",
    ]
    assert text.endswith("\n\n1 over: ledger of prod")
    assert html.count("<h3>") == 10
    assert html.endswith("<p>1 over: ledger of prod</p>\n")
    [text] = rendered(tmp_path, group(OVER, OVER), "text", edition=edition)
    assert len(headings(text)) == 2


@each_edition
def test_many_alerts_are_named(tmp_path: Path, edition: str) -> None:
    """Of more than ten alerts, the further ones are counted, and fifty of them are named."""
    for name, end in (("text", "\n\nAnd 2 more: {}"), ("html", "\n<p>And 2 more: {}</p>\n")):
        twelve = group(*(alert(f"p{number}") for number in range(12)))
        [text] = rendered(tmp_path, twelve, name, edition=edition)
        assert text.endswith(end.format("p10 of prod, p11 of prod"))
        many = group(*(alert("p" * 100, **LONG) for _ in range(300)), *(300 * [OVER]))
        [text] = rendered(tmp_path, many, name, edition=edition)
        assert "And 290 more: " in text
        assert "300 over: ledger of prod, " in text
        assert text.count("p of prod, ") == text.count("ledger of prod, ") == 50
        assert text.count(", …") == 2
        assert len(text.replace("&lt;", "<")) < 10 * (4 * MAX_CHARACTERS + 600) + 50 * 200


def shown_receiver() -> dict[str, Any]:
    """Return the receiver in the comment of the shipped configuration."""
    text = (ROOT / "config/alertmanager.yml").read_text("utf-8")
    _, _, shown = text.partition("# Examples for each PLACEHOLDER.")
    lines = [line.removeprefix("#   ") for line in shown.splitlines() if line.startswith("#   ")]
    return {"name": "all", **yaml.safe_load("\n".join(lines))}


def configured(folder: Path, receiver: dict[str, Any], **route: Any) -> Path:
    """Return a configuration of Alertmanager with one receiver and the shipped texts."""
    document = {
        "templates": [f"{ROOT}/config/templates/*.tmpl"],
        "route": {"receiver": "all", **route},
        "receivers": [receiver],
    }
    file = folder / "alertmanager.yml"
    file.write_text(yaml.safe_dump(document))
    return file


def test_the_receivers_that_are_shown(tmp_path: Path) -> None:
    """Alertmanager accepts the receivers in the comment."""
    receiver = shown_receiver()
    assert set(receiver) == {"name", "slack_configs", "pagerduty_configs", "email_configs"}
    words = [tool("amtool"), "check-config", str(configured(tmp_path, receiver))]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 templates" in done.stdout


@each_edition
def test_many_alerts_reach_the_receivers(tmp_path: Path, edition: str) -> None:
    """Alertmanager drops nothing of a notification about many alerts, and repeats nothing in it."""
    received: dict[str, dict[str, Any]] = {}

    def take(path: str, body: bytes) -> None:
        received[path] = json.loads(body)

    with serve(receiving(take, 202)) as url:
        receiver = shown_receiver()
        del receiver["email_configs"]
        [slack], [pager] = receiver["slack_configs"], receiver["pagerduty_configs"]
        del slack["api_url_file"], pager["routing_key_file"]
        slack["api_url"] = f"{url}/slack"
        pager |= {"url": f"{url}/pager", "routing_key": "key"}
        file = configured(tmp_path, receiver, group_by=["alertname"], group_wait="1s")
        port = free_port()
        program = Path(tool("prometheus-alertmanager" if edition == DEBIAN else "alertmanager", edition))
        words = child_programs.alertmanager(program, lambda _: file, tmp_path / "data")
        process = ChildProcess(f"http://{HOST}:{port}", words(port), tmp_path / "alertmanager.log")
        process.start()
        try:
            until(lambda: process.ready)
            alerts = [alert(f"pipeline-{number:03}", **LONG) for number in range(200)]
            kept = [{"labels": each["labels"], "annotations": each["annotations"]} for each in alerts]
            sent = loopback.request("POST", f"{process.url}/api/v2/alerts", json=kept)
            assert sent.is_success, sent.text
            until(lambda: received.keys() >= {"/slack", "/pager"}, 30)
        finally:
            process.stop()
    [attachment] = received["/slack"]["attachments"]
    details = received["/pager"]["payload"]["custom_details"]
    for text in (attachment["text"], details["text"]):
        assert "\n\nAnd 190 more: " in text
    assert not details["firing"]
    assert not details["resolved"]
