"""A real nginx serves the exporter below a path and with a password, as configured in docs/install.md."""

import os
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from benchmarks.nginx import PROGRAM
from feldera_exporter.demo.child_programs import free_port
from installing.machine import blocks, running
from support import loopback
from support.exporter_process import until
from support.tools import ROOT

_CONFIGURATION: Final = """{user}daemon off;
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
    server {{
        listen 127.0.0.1:{port};
{location}
    }}
}}
"""
_USER: Final = "reader:{PLAIN}secret\n"
_PASSWORD: Final = {"authorization": "Basic " + b64encode(b"reader:secret").decode()}


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the exporter as the page says, and give its address."""
    folder = tmp_path_factory.mktemp("exporter")
    [command] = blocks("Behind nginx")
    address = f"127.0.0.1:{free_port()}"
    words = command.replace("127.0.0.1:10058", address).split()
    assert words[0] == "feldera-exporter"
    environ = {**os.environ, "FELDERA_HOST": "http://127.0.0.1:1"}
    call = [sys.executable, "-m", "feldera_exporter", *words[1:]]
    with running(call, environ, folder / "log") as process:
        until(lambda: process.poll() is not None or _answers(f"http://{address}/-/ready"), 60)
        yield address


@pytest.fixture(params=["", "/"], ids=["keeps the path", "removes it"])
def proxy(request: pytest.FixtureRequest, exporter: str, tmp_path: Path) -> Iterator[str]:
    """Run nginx with the location of the page; it keeps the path in requests, or removes it."""
    subprocess.run([ROOT / ".ci/debian", "nginx"], check=True, capture_output=True)
    [location] = blocks("Behind nginx", "nginx")
    usual = "http://127.0.0.1:10058;"
    assert usual in location
    location = location.replace(usual, f"http://{exporter}{request.param};")
    location = location.replace("/etc/nginx/htpasswd", str(tmp_path / "htpasswd"))
    (tmp_path / "htpasswd").write_text(_USER)
    port = free_port()
    # A process that is root gives its worker to another user, who may not read the folder.
    user = "user root;\n" if os.geteuid() == 0 else ""
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(_CONFIGURATION.format(user=user, folder=tmp_path, port=port, location=location))
    call = [str(PROGRAM), "-p", str(tmp_path), "-c", str(configuration), "-e", "stderr"]
    with running(call, os.environ, tmp_path / "nginx.log") as process:
        address = f"http://127.0.0.1:{port}"
        until(lambda: process.poll() is not None or _answers(f"{address}/feldera/"), 20)
        yield address


def test_pages_metrics_and_links(proxy: str) -> None:
    """Every page is below the path and needs the password; the path without its slash redirects."""
    assert loopback.get(f"{proxy}/feldera/").status_code == 401
    page = loopback.get(f"{proxy}/feldera/", headers=_PASSWORD)
    assert page.status_code == 200
    assert 'href="/feldera/runbooks' in page.text
    assert 'href="/runbooks' not in page.text
    for path in ("runbooks", "runbooks/FelderaApiUnreachable", "-/healthy"):
        assert loopback.get(f"{proxy}/feldera/{path}", headers=_PASSWORD).status_code == 200, path
    text = loopback.get(f"{proxy}/feldera/metrics", headers=_PASSWORD).text
    assert "feldera_exporter_build_info{" in text
    moved = loopback.get(f"{proxy}/feldera", headers=_PASSWORD)
    assert moved.headers["location"].endswith("/feldera/")


def test_prometheus_scrapes_the_exporter_itself(exporter: str) -> None:
    """The exporter also answers directly, without nginx and its password, at the usual path."""
    assert "feldera_exporter_build_info{" in loopback.get(f"http://{exporter}/metrics").text


def _answers(url: str) -> bool:
    try:
        return bool(loopback.get(url, timeout=2).status_code)
    except httpx.HTTPError:
        return False
