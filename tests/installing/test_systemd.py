"""The systemd unit, and the program's messages to systemd."""

import os
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter.cli import parser
from feldera_exporter.systemd_notification import notify
from support.tools import ROOT

UNIT: Final = ROOT / "config/systemd/feldera-exporter.service"
_WORST: Final = 2.0
"""Of systemd's own scale from 0, where nothing is exposed, to 10."""


def settings() -> dict[str, list[str]]:
    """Return what the unit sets, by key."""
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", UNIT.read_text("utf-8"), re.MULTILINE):
        found.setdefault(key, []).append(value)
    return found


def test_the_unit_runs_the_program_as_it_is() -> None:
    """The unit's flags exist, and readiness, reload and key work as in the program."""
    unit = settings()
    [start] = unit["ExecStart"]
    _, command, *flags = start.split()
    assert [flag.partition("=")[0] for flag in flags] == ["--config.file", "--storage.path"]
    assert parser().parse_args([command, *flags]).command == "run"
    assert unit["Type"] == ["notify"]
    assert unit["ExecReload"] == ["/bin/kill -HUP $MAINPID"]
    assert unit["LoadCredential"] == ["api-key:/etc/feldera-exporter/api-key"]
    assert unit["DynamicUser"] == ["yes"]
    assert f"--storage.path=/var/lib/{unit['StateDirectory'][0]}" in start


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd on this machine")
def test_little_is_exposed() -> None:
    """The unit's exposure is low by the rating of `systemd-analyze security`."""
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", UNIT],
        capture_output=True,
        text=True,
        check=True,
    )
    [exposure] = re.findall(r"exposure level for feldera-exporter.service: ([\d.]+)", judged.stdout)
    assert float(exposure) <= _WORST


@pytest.mark.parametrize("abstract", [False, True])
def test_a_state_is_sent(abstract: bool, tmp_path: Path) -> None:  # noqa: FBT001
    """A state is sent to a path, or to a name in the abstract namespace."""
    name = f"@feldera-exporter-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name[1:]}" if abstract else name)
        manager.settimeout(10)
        notify("READY=1", {"NOTIFY_SOCKET": name})
        assert manager.recv(100) == b"READY=1"


def test_without_a_socket(tmp_path: Path) -> None:
    """Without a socket nothing is sent, and a failure to send is ignored."""
    notify("READY=1", {})
    notify("READY=1", {"NOTIFY_SOCKET": str(tmp_path / "none")})


def test_the_program_says_when_it_is_ready(tmp_path: Path) -> None:
    """The program reports that it is ready once it answers, and that it ends."""
    (tmp_path / "exporter.yml").write_text("instances: [{name: a, url: 'http://127.0.0.1:9'}]\n")
    words = [sys.executable, "-m", "feldera_exporter", f"--config.file={tmp_path}/exporter.yml"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        environ = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify")}
        with subprocess.Popen(
            [*words, "--web.listen-address=127.0.0.1:0"], env=environ, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                assert manager.recv(100) == b"READY=1"
            finally:
                process.terminate()
            assert manager.recv(100) == b"STOPPING=1"
            _, log = process.communicate(timeout=30)
    assert "msg=started" in log
    assert process.returncode == 0
