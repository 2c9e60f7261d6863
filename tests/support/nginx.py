"""nginx as a child process, with one server."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

from feldera_exporter.demo.child_programs import free_port
from support import loopback
from support.tools import ROOT

_CONFIGURATION: Final = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/plain;
    server {{
        listen 127.0.0.1:{port};
{server}
    }}
}}
"""


@contextmanager
def nginx(folder: Path, server: str) -> Iterator[tuple[int, int]]:
    """Run nginx while the context lasts; give its port and the process id of its worker.

    Args:
        folder: for its files.
        server: the directives of the server.
    """
    subprocess.run([ROOT / ".ci/debian", "nginx"], check=True, capture_output=True)
    port = free_port()
    configuration = folder / "nginx.conf"
    text = _CONFIGURATION.format(folder=folder, port=port, server=server)
    # As root the worker would run as an unprivileged user, who may not read the folder.
    configuration.write_text(("user root;\n" if os.geteuid() == 0 else "") + text)
    program = ROOT / ".cache/debian/usr/sbin/nginx"
    master = subprocess.Popen([program, "-p", folder, "-c", configuration, "-e", "stderr"])
    try:
        yield port, _worker(master, port)
    finally:
        master.terminate()
        master.wait(10)


def _worker(master: subprocess.Popen[bytes], port: int) -> int:
    """Wait until nginx answers, and return the process id of its worker."""
    deadline = time.monotonic() + 20
    while True:
        try:
            loopback.get(f"http://127.0.0.1:{port}/", timeout=1)
        except httpx.TransportError:
            if time.monotonic() > deadline or master.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text().split()
            return int(children[0])
