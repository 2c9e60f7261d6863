"""`demo --bridge` runs the exporter and Alertmanager without Prometheus, and a notification comes."""

import io
from pathlib import Path

import pytest
import uvloop
from rich.console import Console

from feldera_exporter.cli import parser
from feldera_exporter.demo.composition import play
from feldera_exporter.demo.settings import Settings
from support.tools import tool


def test_a_notification_comes_without_prometheus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Prometheus the notification comes after Alertmanager's shipped group_wait, a quarter of a minute."""
    folder, data = tmp_path / "bin", tmp_path / "data"
    folder.mkdir()
    data.mkdir()
    script = folder / "prometheus-alertmanager"
    script.write_text(f'#!/bin/sh\nexec {tool("prometheus-alertmanager")} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    file = io.StringIO()
    uvloop.run(play(Settings(duration=25, bridge=True), data, Console(file=file)))
    shown = file.getvalue()
    assert "Alertmanager: http://127.0.0.1:" in shown
    assert "Prometheus: http://" not in shown
    assert "notified pager: FelderaPipeline" in shown


def test_the_flag() -> None:
    """The bridge of the demo is off by default."""
    assert parser().parse_args(["demo", "--bridge"]).bridge
    assert not parser().parse_args(["demo"]).bridge
