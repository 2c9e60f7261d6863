"""nginx with the same bytes in a file: what sending them costs where nothing else is done."""

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

ROOT: Final = Path(__file__).resolve().parents[2]
PROGRAM: Final = ROOT / ".cache/debian/usr/sbin/nginx"

_CONFIGURATION: Final = """daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr crit;
events {{ worker_connections 128; }}
http {{
    access_log off;
    sendfile {sendfile};
    keepalive_requests 1000000;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    default_type text/plain;
    server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


@contextmanager
def nginx(folder: Path, *, sendfile: bool) -> Iterator[tuple[int, int]]:
    """Serve the files of `folder/files` while the context lasts; give the port and the process id of the worker."""
    port = free_port()
    configuration = folder / "nginx.conf"
    text = _CONFIGURATION.format(folder=folder, port=port, sendfile="on" if sendfile else "off")
    # As root the worker would run as an unprivileged user, who may not read the folder.
    configuration.write_text(("user root;\n" if os.geteuid() == 0 else "") + text)
    master = subprocess.Popen([PROGRAM, "-p", folder, "-c", configuration, "-e", "stderr"])
    try:
        yield port, _worker(master.pid, port)
    finally:
        master.terminate()
        master.wait(10)


def _worker(master: int, port: int) -> int:
    deadline = time.monotonic() + 10
    while True:
        try:
            loopback.get(f"http://127.0.0.1:{port}/", timeout=1)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
            return int(children[0])
