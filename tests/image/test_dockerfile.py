"""The content of the Dockerfile, and its build commands."""

import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

import pytest

from feldera_exporter import __version__, healthcheck
from support.tools import INSTALLING, ROOT

Instruction = tuple[str, str]


def instructions() -> list[Instruction]:
    """Return the instructions of the Dockerfile: the word, and the rest in one line."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [
        (word, rest.strip())
        for word, _, rest in (line.partition(" ") for line in joined.splitlines() if line)
    ]


def stages() -> list[list[Instruction]]:
    """Return the instructions of each stage."""
    found: list[list[Instruction]] = []
    for instruction in instructions():
        if instruction[0] == "FROM":
            found.append([])
        if found:
            found[-1].append(instruction)
    return found


BUILD, LAST = stages()
PREFIX: Final = "/opt/feldera-exporter"


def values(stage: list[Instruction], word: str) -> list[str]:
    """Return what a stage says with a word."""
    return [rest for each, rest in stage if each == word]


def test_the_base_is_pinned() -> None:
    """Both stages have the same slim base of an exact version, so that the environment works in both."""
    assert dict(instructions()[:1]) == {"ARG": "PYTHON=3.11.13-slim-bookworm"}
    assert [stage[0][1] for stage in (BUILD, LAST)] == ["python:${PYTHON} AS build", "python:${PYTHON}"]


def test_it_does_not_run_as_root() -> None:
    """The user is a number above zero, set once, after everything that needs root."""
    words = [word for word, _ in LAST]
    [user] = values(LAST, "USER")
    assert all(int(part) > 0 for part in user.split(":"))
    assert words.index("USER") > max(place for place, word in enumerate(words) if word in {"RUN", "COPY"})


def test_the_last_stage_has_no_build_tools() -> None:
    """The last stage copies the environment, installs nothing, and removes the base's build tools."""
    assert values(LAST, "COPY") == [f"--from=build {PREFIX} {PREFIX}"]
    [run] = values(LAST, "RUN")
    assert re.fullmatch(r"python -m pip uninstall .*pip setuptools wheel && install --directory [^&]+", run)
    assert "--without-pip" in values(BUILD, "RUN")[0]


def test_nothing_must_be_written() -> None:
    """There is no volume and no shell form, so the root may be read-only."""
    assert values(LAST, "VOLUME") == []
    assert values(LAST, "ENTRYPOINT") == ['["feldera-exporter"]']
    assert "PYTHONDONTWRITEBYTECODE=1" in values(LAST, "ENV")[0]


def test_the_labels_say_what_it_is() -> None:
    """There are OCI annotations with the package's version."""
    labels = dict(part.split("=", 1) for part in shlex.split(values(LAST, "LABEL")[0]))
    expected = ("title", "description", "licenses", "version", "revision", "created", "base.name")
    assert set(labels) == {f"org.opencontainers.image.{name}" for name in expected}
    assert f"VERSION={__version__}" in values(LAST, "ARG")


class Health(BaseHTTPRequestHandler):
    """Answers that all is well, or with the server's status."""

    def do_GET(self) -> None:
        """Answer."""
        code = getattr(self.server, "code", 200)
        self.send_response(code if self.path == "/-/healthy" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_the_health_check_is_the_packages() -> None:
    """The health check is the package's own, and takes no address."""
    _, _, command = values(LAST, "HEALTHCHECK")[0].partition("CMD ")
    assert json.loads(command) == ["python", "-m", healthcheck.__name__]


@pytest.mark.parametrize(("code", "passes"), [(200, True), (401, True), (404, False), (500, False)])
def test_what_is_healthy(code: int, passes: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    """The check passes for an answer that all is well or that needs a password, whatever proxy is set."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        server.timeout = 10
        server.code = code  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert healthcheck.answers("127.0.0.1", server.server_port) is passes
        assert ("127.0.0.1", server.server_port) in list(healthcheck.listened(os.getpid()))
        thread.join()


def test_no_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check fails if no server listens, or if one of several addresses does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    monkeypatch.setattr(healthcheck, "listened", lambda _: iter([("127.0.0.1", port)]))
    assert healthcheck.main() == 1
    monkeypatch.setattr(healthcheck, "listened", lambda _: iter([]))
    assert healthcheck.main() == 1


@pytest.mark.parametrize(
    ("address", "host"),
    [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::", "127.0.0.1"), ("::1", "::1")],
)
def test_every_kind_of_address(address: str, host: str) -> None:
    """Each kind of address is changed to one that can be connected to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.create_server((address, 0), family=family, dualstack_ipv6=address == "::") as listener:
        assert (host, listener.getsockname()[1]) in list(healthcheck.listened(os.getpid()))


def sent() -> list[str]:
    """Return the paths that .dockerignore lets into the build."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("!").rstrip("/") for line in lines if line.startswith("!")]


def test_only_what_is_needed_is_sent() -> None:
    """The build context has only what the build copies."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    copied = {source for each in values(BUILD, "COPY") for source in each.split()[:-1]}
    assert copied == set(sent())


def made(folder: Path) -> Path:
    """Run the commands of the first stage on what is sent to it, and return what they make."""
    source, target = folder / "source", folder / "opt/feldera-exporter"
    source.mkdir()
    target.parent.mkdir()
    for each in values(BUILD, "COPY"):
        *names, place = each.split()
        for name in names:
            folder = source / place
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, folder / Path(name).name)
    [command] = values(BUILD, "RUN")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        ["/bin/sh", "-eu", "-c", command.replace(PREFIX, str(target))],
        cwd=source,
        env=own | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return target


def run(environment: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a program of the environment as the image does."""
    own = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [str(environment / "bin" / words[0]), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=own, cwd="/")


@pytest.mark.skipif(not INSTALLING, reason="the package is installed in CI and with THOROUGH=1")
def test_the_build_commands(tmp_path: Path) -> None:
    """They make a program that runs from anywhere, compiled, and with neither pip nor the build backend beside it."""
    environment = made(tmp_path)
    done = run(environment, "feldera-exporter", "--version")
    assert (done.returncode, done.stdout) == (0, f"feldera-exporter {__version__}\n")
    done = run(environment, "feldera-exporter", "rules")
    assert (done.returncode, "FelderaPipelineStuckProvisioning" in done.stdout) == (0, True)
    for module in ("pip", "setuptools", "hatchling"):
        assert run(environment, "python", "-c", f"import {module}").returncode == 1
    [package] = environment.glob("lib/python*/site-packages/feldera_exporter")
    assert list(package.glob("__pycache__/app.*.pyc"))
