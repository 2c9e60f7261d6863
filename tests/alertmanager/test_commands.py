"""`rules` and `check` with `alertmanager:`, and the alert about failing notifications."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from feldera_exporter import cli
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.rules.exporter_alerts import EXPORTER_ALERTS, TRUSTED
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support.alertmanagers import AlertmanagerRecorder, alertmanager
from support.notifications import NotificationRecord
from support.tools import tool
from support.two_instances import feldera, running, until

INSTANCES = "instances: [{name: prod, url: 'http://127.0.0.1:1'}]\n"

Command = Callable[..., tuple[int, str]]


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return what runs a command on a configuration: its exit code and what it said."""

    def call(name: str, configuration: str, *flags: str) -> tuple[int, str]:
        path = tmp_path / "exporter.yml"
        path.write_text(configuration)
        code = cli.main([name, f"--config.file={path}", *flags])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


def test_rules_about_the_exporter_alone(command: Command) -> None:
    """With a configured Alertmanager, `rules` prints only the rules about the exporter."""
    code, said = command("rules", f"{INSTANCES}alertmanager: {{urls: ['http://am:9093']}}\n")
    assert code == 0
    rules = [rule for group in yaml.safe_load(said)["groups"] for rule in group["rules"]]
    assert {rule.get("alert", TRUSTED) for rule in rules} == {*EXPORTER_ALERTS, TRUSTED}
    assert "FelderaExporterNotificationsFailing" in EXPORTER_ALERTS


def test_check_shows_version_and_cluster_state(command: Command, tmp_path: Path) -> None:
    """`check` prints version and cluster state, and sends no alert."""
    closed, fake = f"http://127.0.0.1:{free_port()}", AlertmanagerRecorder(lambda *_: (401, {}, b""))
    with (
        serve(FelderaServer(feldera("a"))) as api,
        alertmanager(tmp_path / "am", NotificationRecord()) as real,
        serve(fake) as refusing,
    ):
        until(lambda: real.ready)
        instances = f"instances: [{{name: prod, url: '{api}'}}]\n"
        code, said = command("check", f"{instances}alertmanager: {{urls: ['{real.url}']}}\n")
        assert code == 0
        place = real.url.removeprefix("http://")
        assert f"alertmanager {real.url}: {place}: version 0." in said
        assert ", cluster disabled" in said
        urls = f"['{real.url}', '{closed}', '{refusing}', 'http://no-such-name.invalid:9093']"
        code, said = command("check", f"{instances}alertmanager: {{urls: {urls}, timeout: 3s}}\n")
        assert code == 1
        assert f"alertmanager {closed}: failed: {closed.removeprefix('http://')}: " in said
        assert (
            f"alertmanager {refusing}: failed: {refusing.removeprefix('http://')}: 401 Unauthorized" in said
        )
        assert "alertmanager http://no-such-name.invalid:9093: failed: no-such-name.invalid:9093: " in said
        assert fake.posts == []
        assert real.alerts() == []
        assert fake.paths == ["/api/v2/status"]


URL, BOARDS = "--web.external-url", "--dashboard-url"


@pytest.mark.parametrize(
    ("flags", "warning"),
    [
        ((), f"http://localhost:10058 and http://localhost:3000; {URL} and {BOARDS} set another address"),
        ((f"{URL}=https://e.example",), f"http://localhost:3000; {BOARDS} sets another address"),
        ((f"{BOARDS}=https://g.example",), f"http://localhost:10058; {URL} sets another address"),
        ((f"{URL}=https://e.example", f"{BOARDS}=https://g.example"), ""),
    ],
)
def test_links_to_this_machine(command: Command, flags: tuple[str, ...], warning: str) -> None:
    """`check` warns if the exporter's alerts link to localhost, and only then."""
    more = "alertmanager: {urls: ['http://am:9093']}\n"
    code, said = command("check", INSTANCES + more, "--offline", *flags)
    assert code == 0
    assert said.splitlines()[1:] == ([f"warning: alertmanager: alerts link to {warning}"] if warning else [])
    assert "warning" not in command("check", INSTANCES, "--offline", *flags)[1]


def test_run_warns_once_of_links_to_this_machine(tmp_path: Path) -> None:
    """The log says once that alerts link to localhost."""
    with serve(FelderaServer(feldera("a"))) as api:
        text = f"instances: [{{name: prod, url: '{api}'}}]\nalertmanager: {{urls: ['http://127.0.0.1:1']}}\n"
        with running(tmp_path, text) as exporter:
            warned = [line for line in exporter.lines() if line["msg"] == "alerts link to this machine"]
    assert len(warned) == 1
    assert "--web.external-url" in warned[0]["problem"]


def test_check_offline_does_without_files(command: Command) -> None:
    """`check --offline` does not read the credential files."""
    more = "alertmanager: {urls: ['https://am'], authorization: {credentials_file: absent}, tls: {ca_file: gone}}\n"
    assert command("check", INSTANCES + more, "--offline")[0] == 0
    assert command("check", INSTANCES + more)[0] == 2


FAILING = "FelderaExporterNotificationsFailing"
WHO = 'job="e", instance="e:1", alertmanager="am:9093"'


@pytest.mark.parametrize(
    ("failed", "success", "fires"),
    [
        # Each minute; an Alertmanager that takes all.
        ("0+0x40", "0+60x40", False),
        # One that was away for three minutes.
        ("0+0x10 1+1x3 4+0x26", "0+60x10 600+0x3 840+60x26", False),
        # One that refuses a single alert each minute.
        ("0+0x10 1+1x29", "0+60x40", True),
        # One that takes nothing, while there is nothing to send.
        ("0+0x40", "0+60x10 600+0x29", True),
        # One that never took anything.
        ("0+0x40", "0+0x40", True),
    ],
)
def test_the_alert_about_failing_notifications(
    tmp_path: Path, failed: str, success: str, *, fires: bool
) -> None:
    """The alert about failing notifications fires for a lasting failure, not for a short one."""
    rule = EXPORTER_ALERTS[FAILING]
    rules = [
        {"alert": rule.name, "expr": rule.expression, "for": rule.for_, "labels": {"severity": rule.severity}}
    ]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "a", "rules": rules}]}))
    labels = {"job": "e", "instance": "e:1", "alertmanager": "am:9093", "severity": rule.severity}
    test = {
        "interval": "1m",
        "input_series": [
            {"series": f"feldera_exporter_notifications_failed_total{{{WHO}}}", "values": failed},
            {
                "series": f"feldera_exporter_alertmanager_last_success_timestamp_seconds{{{WHO}}}",
                "values": success,
            },
        ],
        "alert_rule_test": [
            {
                "eval_time": f"{minute}m",
                "alertname": FAILING,
                "exp_alerts": [{"exp_labels": labels}] if fires else [],
            }
            for minute in ((30, 38) if fires else range(0, 40, 3))
        ],
    }
    (tmp_path / "test.yml").write_text(
        yaml.safe_dump({"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [test]})
    )
    done = subprocess.run(
        [tool("promtool"), "test", "rules", tmp_path / "test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
