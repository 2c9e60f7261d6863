"""A real nginx serves the exporter below a path and with a password, as configured in docs/install.md."""

import os
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import httpx
import pytest

from feldera_exporter.demo.child_programs import free_port
from installing.machine import blocks, running
from support import loopback
from support.exporter_process import until
from support.nginx import nginx

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
    [location] = blocks("Behind nginx", "nginx")
    usual = "http://127.0.0.1:10058;"
    assert usual in location
    location = location.replace(usual, f"http://{exporter}{request.param};")
    location = location.replace("/etc/nginx/htpasswd", str(tmp_path / "htpasswd"))
    (tmp_path / "htpasswd").write_text(_USER)
    with nginx(tmp_path, location) as (port, _):
        yield f"http://127.0.0.1:{port}"


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
