"""The whole demo in this process: its output, and its end."""

import asyncio
import io
import os
import re
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop
from rich.console import Console

from feldera_exporter import cli
from feldera_exporter.demo.composition import play, reachable
from feldera_exporter.demo.settings import Settings
from feldera_exporter.errors import ListenError
from support import tools

PROGRAMS = {"Prometheus": "prometheus", "Alertmanager": "prometheus-alertmanager"}


def run(settings: Settings, data: Path) -> str:
    """Run the demo, and return its output without a terminal."""
    file = io.StringIO()
    uvloop.run(play(settings, data, Console(file=file)))
    return file.getvalue()


@pytest.fixture
def nothing_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A PATH with nothing on it."""
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))


@pytest.mark.usefixtures("nothing_installed")
def test_without_prometheus_it_says_how_to_install_it_and_goes_on(tmp_path: Path) -> None:
    """One line for each missing program says how to install it; the fleet is shown all the same."""
    shown = run(Settings(duration=8), tmp_path)
    assert "Prometheus: not installed" in shown
    assert "apt-get install prometheus\n" in shown
    assert "apt-get install prometheus-alertmanager\n" in shown
    assert "big-join: Provisioning, program Success, storage InUse" in shown
    assert "fires" not in shown


@pytest.mark.parametrize("missing", PROGRAMS)
def test_one_of_the_two_suffices(missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prometheus runs alone; Alertmanager alone is not started."""
    (there,) = PROGRAMS.keys() - {missing}
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / PROGRAMS[there]
    script.write_text(f'#!/bin/sh\nexec {tools.tool(PROGRAMS[there])} "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    data = tmp_path / "data"
    data.mkdir()
    shown = run(Settings(duration=10), data)
    assert f"{missing}: not installed" in shown
    assert ("Prometheus: http://127.0.0.1:" in shown) == (there == "Prometheus")
    assert "Alertmanager: http://" not in shown


def test_both_are_started_where_both_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alertmanager is started first, so that no alert is sent in vain."""
    monkeypatch.setenv("PATH", str(Path(tools.tool("prometheus")).parent), prepend=":")
    shown = run(Settings(duration=10), tmp_path)
    assert shown.index("Alertmanager: http://127.0.0.1:") < shown.index("Prometheus: http://127.0.0.1:")
    assert "not installed" not in shown


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP])
def test_a_signal_ends_it(number: signal.Signals, tmp_path: Path) -> None:
    """Each signal ends the demo, also the one of a closed terminal."""

    async def interrupted() -> None:
        asyncio.get_running_loop().call_later(1, os.kill, os.getpid(), number)
        await play(Settings(), tmp_path, Console(file=io.StringIO()))

    uvloop.run(interrupted())


@pytest.mark.usefixtures("nothing_installed")
def test_the_exporter_listens_at_the_given_address(tmp_path: Path) -> None:
    """The exporter listens at the given address, and the demo prints one that this machine reaches."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    shown = run(Settings(duration=1, listen=(f"0.0.0.0:{port}",)), tmp_path)
    assert f"feldera-exporter: http://127.0.0.1:{port}/metrics" in shown


@pytest.mark.usefixtures("nothing_installed")
def test_a_port_that_is_taken_is_an_error(tmp_path: Path) -> None:
    """A port in use is an error, and nothing is left running."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenError, match=f"cannot listen on {address}"):
            run(Settings(listen=("127.0.0.1:0", address)), tmp_path)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:1"),
        ("0.0.0.0", "http://127.0.0.1:1"),
        ("::", "http://127.0.0.1:1"),
        ("::1", "http://[::1]:1"),
    ],
)
def test_every_host_has_an_address_that_is_reachable(host: str, url: str) -> None:
    """A server on all addresses is reached on loopback."""
    assert reachable(host, 1) == url


@pytest.mark.usefixtures("nothing_installed")
def test_the_command_plays(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command takes the flags of the command line, and removes its files afterwards."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert (
        cli.main(["demo", "--duration", "8", "--seed", "7", "--pipelines", "0", "--log.level", "error"]) == 0
    )
    shown = capsys.readouterr().out
    assert len(re.findall(r"http://127\.0\.0\.1:\d+/", shown)) == 3
    assert "orders: Running" in shown
    assert "job-" not in shown
    assert not list(tmp_path.glob("feldera-exporter-demo-*"))


@pytest.mark.parametrize(
    "words",
    [
        ["--pipelines", "-1"],
        ["--pipelines", "many"],
        ["--duration", "0"],
        ["--duration", "nan"],
        ["--duration", "inf"],
        ["--duration", "soon"],
        ["--seed", "x"],
    ],
)
def test_a_wrong_flag_is_refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong value is refused, with what was found."""
    with pytest.raises(SystemExit) as ended:
        cli.main(["demo", *words])
    assert ended.value.code == 2
    assert repr(words[1]) in capsys.readouterr().err


class _Terminal(io.StringIO):
    """A file that says that it is a terminal."""

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        raise OSError


@pytest.mark.usefixtures("nothing_installed")
def test_on_a_terminal_the_log_keeps_out_of_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal standard error stays empty until the end."""
    out, err = _Terminal(), _Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    assert cli.main(["demo", "--duration", "8"]) == 0
    assert sys.stderr is err
    assert err.getvalue() == ""
    assert "feldera-exporter demo" in out.getvalue()
    assert "big-join" in out.getvalue()


@pytest.fixture
def pipe() -> Callable[[], int]:
    """A pipe without a reader."""

    def make() -> int:
        reading, writing = os.pipe()
        os.close(reading)
        return writing

    return make


@pytest.mark.usefixtures("nothing_installed")
def test_a_reader_that_closes_the_pipe_ends_it(
    pipe: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in `feldera-exporter demo | head`: without any complaint."""
    with os.fdopen(pipe(), "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert cli.main(["demo"]) == 0
