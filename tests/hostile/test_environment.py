"""In a hostile environment the process polls, answers and ends in order."""

import json
import os
import resource
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.ask_once import KEY
from support.two_instances import RunningExporter, feldera, until

DESCRIPTORS = 64


def _limited() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


def _handles(pid: int, number: signal.Signals) -> bool:
    """Return whether a process has a handler for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [mask] = [int(line.split()[1], 16) for line in lines if line.startswith("SigCgt:")]
    return bool(mask & 1 << (number - 1))


def test_everything_at_once(tmp_path: Path) -> None:
    """The exporter survives many SIGHUPs, a log without a reader, few descriptors and many idle clients."""
    with ExitStack() as stack:
        api = stack.enter_context(serve(FelderaServer(feldera("orders"), {KEY: "read"})))
        environment = {
            **os.environ,
            "FELDERA_HOST": api,
            "FELDERA_API_KEY": f"{KEY}\n",
            "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "gone"),
            "ALL_PROXY": "socks5://127.0.0.1:1",
            "no_proxy": "::1/128,[::1],127.0.0.0/8",
        }
        command = [sys.executable, "-m", "feldera_exporter", "--web.listen-address=127.0.0.1:0"]
        command += ["--log.format=json", f"--storage.path={tmp_path}/store"]
        process = stack.enter_context(
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                preexec_fn=_limited,  # noqa: PLW1509 - this process starts no thread meanwhile
            )
        )
        stack.callback(process.kill)
        until(lambda: process.poll() is not None or _handles(process.pid, signal.SIGHUP))
        process.send_signal(signal.SIGHUP)
        assert process.stderr is not None
        lines = (json.loads(line) for line in process.stderr)
        started = next(line for line in lines if line["msg"] == "started")
        # From now on the log has no reader.
        process.stderr.close()
        program = RunningExporter(f"http://{started['addresses']}", process, tmp_path / "log")
        until(lambda: program.value("feldera_up", feldera_instance="default") == 1, 30)
        address = urlsplit(program.url)
        for _ in range(2 * DESCRIPTORS):
            idle = socket.create_connection((address.hostname, address.port or 0), timeout=5)
            stack.callback(idle.close)
        for _ in range(200):
            process.send_signal(signal.SIGHUP)
        polled = program.polls("default", "success")
        until(lambda: program.polls("default", "success") > polled, 30)
        assert set(program.outcomes("default").values()) == {0.0, program.polls("default", "success")}
        until(lambda: (program.value("feldera_exporter_log_lines_dropped_total") or 0) > 0)
        assert program.value("feldera_exporter_store_errors_total", feldera_instance="default") == 0
        assert loopback.get(program.url, timeout=10).status_code == 200
        process.terminate()
        assert process.wait(10) == 0
