"""Each of the six ways of docs/install.md leads from nothing but Python to the first scraped pipeline.

The first block of each way runs as it stands on a `Machine`, and ends with a scrape. What a test machine does not have is replaced:

* systemd as process 1: `systemctl` enables the unit below another root, and the test starts it as the unit says.
* Docker's daemon and its registries: `tests/image` runs the Dockerfile's build, and the test a container's program with its
  environment, its files and its arguments.
* a cluster: kubectl and Helm render what they would send, and the test runs the pod with its files and arguments.
"""

import argparse
import base64
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from deployment.kustomize import KUBECTL, build
from feldera_exporter import __version__
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.demo.clock import StagedClock
from feldera_exporter.demo.clock import machine as machine_time
from feldera_exporter.demo.simulated_fleet import beginning, prepared_fleet
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.server import FelderaServer
from image.test_dockerfile import LAST, values
from installing.machine import (
    FELDERA,
    Machine,
    answering,
    blocks,
    first_commands,
    running,
    scraped,
    section,
)
from support import loopback
from support.exporter_process import until
from support.tools import INSTALLING, NEWEST, ROOT, THOROUGH, tool

Json = dict[str, Any]

PROGRAM: Final = [sys.executable, "-m", "feldera_exporter"]
INSTALLED: Final = "/opt/feldera-exporter/bin/feldera-exporter"
IMAGE: Final = f"registry.example.com/feldera-exporter:{__version__}"
PUSHED: Final = [f"docker build --tag {IMAGE} .", f"docker push {IMAGE}"]
HELM: Final = ROOT / ".cache/go-tools/helm"


@pytest.fixture(scope="module")
def feldera() -> Iterator[str]:
    """Serve the stand-in."""
    with serve(FelderaServer(prepared_fleet(StagedClock(beginning(machine_time())), 0, 0))) as address:
        yield address


@pytest.fixture(scope="module")
def installed(feldera: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the two commands that pip and systemd begin with, for the wheel of this tree; return what stands for /opt.

    With the dot of the page, pip makes the same wheel of the tree: `tests/test_readme.py` and `tests/image` do so.
    """
    if not INSTALLING:
        pytest.skip("the package is installed in CI and with THOROUGH=1")
    machine = Machine(tmp_path_factory.mktemp("installed"), feldera)
    make_it = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(machine.root)]
    subprocess.run(make_it, cwd=ROOT, check=True, capture_output=True)
    [wheel] = machine.root.glob("*.whl")
    new, install, *_ = first_commands("pip")
    assert [new, install] == first_commands("systemd")[:2]
    assert install.endswith("pip install .")
    machine.run(new, install.removesuffix(".") + str(wheel))
    return machine.root / "opt"


@pytest.fixture
def machine(feldera: str, tmp_path: Path) -> Machine:
    """Return a machine on which nothing is installed."""
    return Machine(tmp_path, feldera)


def listening() -> tuple[str, str]:
    """Return a free address and the flag that replaces the usual one by it."""
    port = free_port()
    return f"http://127.0.0.1:{port}", f"--web.listen-address=127.0.0.1:{port}"


def test_pip(machine: Machine, installed: Path) -> None:
    """The commands lead to a scrape; the wheel has the default configuration; uninstalling deletes every written folder."""
    (machine.root / "opt").symlink_to(installed)
    *before, last = first_commands("pip")[2:]
    assert last.startswith(INSTALLED)
    address, flag = listening()
    call = machine.shell(*before, f"exec {last} {flag}")
    with running(call, machine.environment(), machine.root / "log") as process:
        scraped(address, process, "default")
    assert machine.run(f"{INSTALLED} config") == (ROOT / "config/exporter.yml").read_text("utf-8")
    assert "complete" in machine.run(f"{INSTALLED} --print-completion bash")
    written = [last.partition("--storage.path=")[2], str(Path(INSTALLED).parents[1])]
    assert f"| pip | `rm -rf {' '.join(reversed(written))}` |" in section("Uninstall")


@pytest.mark.skipif(not THOROUGH, reason="it takes a minute")
def test_pip_upgrades(machine: Machine, installed: Path) -> None:
    """The upgrade command installs the tree over an installed version."""
    (machine.root / "opt").symlink_to(installed)
    [upgrade] = re.findall(r"^\| pip \| `([^`]*)`, then start", section("Upgrade"), re.MULTILINE)
    assert "Successfully installed feldera-exporter" in machine.run(upgrade)


def test_systemd(machine: Machine, installed: Path) -> None:
    """Systemctl enables the unit; its program reads the key, reports that it is ready, is scraped, and reloads."""
    (machine.root / "opt").symlink_to(installed)
    *before, last = first_commands("systemd")[2:]
    (machine.root / "etc").mkdir()
    machine.run(*before)
    *words, path = last.split()
    assert words == ["systemctl", "enable", "--now"]
    unit = Path(machine.here(path))
    if shutil.which("systemctl"):
        _enabled(machine.root / "other", path, unit)
    text = machine.here(unit.read_text("utf-8"))
    assert "ProtectSystem=strict" in text
    if shutil.which("systemd-analyze"):
        copy = machine.root / "feldera-exporter.service"
        copy.write_text(text)
        judged = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
        )
        about = [line for line in judged.stderr.splitlines() if "feldera-exporter" in line]
        assert (judged.returncode, about) == (0, []), judged.stderr
    _start_service(machine, text)


def _enabled(root: Path, path: str, unit: Path) -> None:
    """Let systemctl enable and disable a unit below another root."""
    place = Path(f"{root}{path}")
    place.parent.mkdir(parents=True)
    shutil.copy(unit, place)
    link = root / "etc/systemd/system/multi-user.target.wants" / Path(path).name
    for verb, there in (("enable", True), ("disable", False)):
        done = subprocess.run(
            ["systemctl", f"--root={root}", verb, path if there else link.name],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert link.is_symlink() is there
    assert list((root / "etc/systemd/system").glob("feldera-exporter*")) == []


def _start_service(machine: Machine, unit: str) -> None:
    """Do what systemd does at `--now` and at a reload."""
    found = dict(re.findall(r"^(\w+)=(.*)$", unit, re.MULTILINE))
    credential, source = found["LoadCredential"].split(":")
    credentials = machine.root / "run/credentials/feldera-exporter.service"
    credentials.mkdir(parents=True)
    shutil.copy(source, credentials / credential)
    (machine.root / "var/lib/feldera-exporter").mkdir(parents=True)
    environ = dict(each.split("=", 1) for each in found["Environment"].split())
    address, flag = listening()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(machine.root / "notify"))
        manager.settimeout(60)
        environ |= {"NOTIFY_SOCKET": str(machine.root / "notify"), "PATH": "/usr/bin:/bin"}
        log = machine.root / "log"
        with running([*shlex.split(found["ExecStart"]), flag], environ, log) as process:
            assert manager.recv(100) == b"READY=1"
            scraped(address, process, "prod")
            process.send_signal(signal.SIGHUP)
            until(lambda: "configuration reloaded" in log.read_text())
        assert manager.recv(100) == b"STOPPING=1"
    assert (machine.root / "var/lib/feldera-exporter/state.sqlite3").is_file()


def test_container(machine: Machine, installed: Path) -> None:
    """The program runs with the options of `docker run`; a second run finds the store of the first."""
    build_it, run_it, check = first_commands("container")
    assert build_it.split() == ["docker", "build", "--tag", "feldera-exporter:local", "."]
    options = argparse.ArgumentParser()
    for flag in ("--name", "--restart", "--publish"):
        options.add_argument(flag)
    for flag in ("--detach", "--read-only"):
        options.add_argument(flag, action="store_true")
    for flag in ("--volume", "--env"):
        options.add_argument(flag, action="append")
    options.add_argument("image")
    options.add_argument("arguments", nargs="*")
    # What comes behind the image belongs to the program.
    words = shlex.split(run_it)
    image = words.index("feldera-exporter:local")
    chosen = options.parse_args([*words[2 : image + 1], "--", *words[image + 1 :]])
    assert chosen.read_only
    assert chosen.publish == "127.0.0.1:10058:10058"
    assert values(LAST, "EXPOSE") == ["10058"]

    places = {}
    for volume in chosen.volume:
        source, target, *_ = volume.split(":")
        if source.startswith("$PWD/"):
            places[target] = machine.here(source)
        else:
            places[target] = str(machine.root / "volumes" / source)
            Path(places[target]).mkdir(parents=True, exist_ok=True)
            assert f" {target}" in values(LAST, "RUN")[0], "so that a new volume is the user's"

    def inside(text: str) -> str:
        for target, place in places.items():
            text = text.replace(target, place)
        return machine.here(text) if FELDERA in text else text

    environ = dict(inside(each).split("=", 1) for each in chosen.env)
    programs = installed / "feldera-exporter/bin"
    environ |= {"PATH": f"{programs}:/usr/bin:/bin"}
    address, flag = listening()
    [entry] = json.loads(values(LAST, "ENTRYPOINT")[0])
    call = [str(programs / entry), *map(inside, chosen.arguments), flag]
    for _ in range(2):
        with running(call, environ, machine.root / "log") as process:
            scraped(address, process, "default")
            *_, program, command = check.split()
            assert check.split()[:3] == ["docker", "exec", chosen.name]
            subprocess.run([programs / program, command], env=environ, check=True, capture_output=True)
        assert list((machine.root / "volumes/feldera-exporter").glob("state.sqlite3"))


@pytest.mark.parametrize("block", [0, 1], ids=["stand-in", "own"])
def test_compose(machine: Machine, block: int) -> None:
    """The exporter watches the stand-in, or the Feldera of the environment variables; the health checks pass."""
    [command] = blocks("compose")[block].splitlines()
    assert command.endswith("docker compose up --build --detach")
    given = dict(word.split("=", 1) for word in command.split() if "=" in word)
    services = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))["services"]
    ports = {"10058": str(free_port()), "8080": str(free_port())}

    def here(text: str) -> str:
        if given:
            text = text.replace("http://host.docker.internal:8080", machine.feldera)
        for port, free in ports.items():
            text = re.sub(rf"(:|, ){port}\b", rf"\g<1>{free}", text)
        return text

    def expanded(text: str) -> str:
        return re.sub(r"\$\{(\w+):-([^}]*)\}", lambda found: given.get(found[1], found[2]), text)

    store = machine.root / "var/lib/feldera-exporter"
    exporter = services["exporter"]
    environ = {name: here(expanded(value)) for name, value in exporter["environment"].items()}
    environ = {**os.environ, **environ}
    words = [here(word).replace("/var/lib/feldera-exporter", str(store)) for word in exporter["command"]]
    address = f"http://127.0.0.1:{ports['10058']}"
    with ExitStack() as stack:
        if given:
            assert given["COMPOSE_PROFILES"] == ""
        else:
            stand = [*PROGRAM, *map(here, services["stand-in"]["command"])]
            beside = stack.enter_context(running(stand, os.environ, machine.root / "stand-in.log"))
            answering(f"http://127.0.0.1:{ports['8080']}/healthz", beside)
        process = stack.enter_context(running([*PROGRAM, *words], environ, machine.root / "log"))
        scraped(address, process, "default")
        for name in ("exporter",) if given else ("exporter", "stand-in"):
            _, _, *check = services[name]["healthcheck"]["test"]
            subprocess.run([sys.executable, *map(here, check)], check=True)


def secret(machine: Machine, command: str) -> Json:
    """Return the Secret that `kubectl create` makes."""
    words = shlex.split(machine.here(command))
    done = subprocess.run(
        [str(KUBECTL), *words[1:], "--dry-run=client", "--output=yaml"],
        capture_output=True,
        text=True,
        check=True,
    )
    made: Json = yaml.safe_load(done.stdout)
    return made


def pod_runs(machine: Machine, objects: list[Json], template: Json, instance: str | None) -> None:
    """Run the program of a pod with its files and arguments: to a scrape, or without an instance to its end."""
    by_name = {(each["kind"].lower(), each["metadata"]["name"]): each for each in objects}
    files: dict[str, Mapping[str, bytes]] = {}
    for volume in template["spec"]["volumes"]:
        if "configMap" in volume:
            data = by_name["configmap", volume["configMap"]["name"]]["data"]
            files[volume["name"]] = {name: text.encode() for name, text in data.items()}
        else:
            data = by_name["secret", volume["secret"]["secretName"]]["data"]
            items = volume["secret"]["items"]
            files[volume["name"]] = {each["path"]: base64.b64decode(data[each["key"]]) for each in items}
    [container] = template["spec"]["containers"]
    for mount in container["volumeMounts"]:
        place = Path(f"{machine.root}{mount['mountPath']}")
        place.mkdir(parents=True, exist_ok=True)
        for name, content in files.get(mount["name"], {}).items():
            (place / name).write_text(machine.here(content.decode()))
            (place / name).chmod(0o440)
    arguments = [each for each in container["args"] if each != "--web.listen-address=:10058"]
    call = [*PROGRAM, *map(machine.here, arguments)]
    if instance is None:
        done = subprocess.run(call, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return
    address, flag = listening()
    with running([*call, flag], os.environ, machine.root / "log") as process:
        scraped(address, process, instance)
        for probe in ("livenessProbe", "readinessProbe"):
            path = container[probe]["httpGet"]["path"]
            assert loopback.get(f"{address}{path}").is_success


def test_kubernetes(machine: Machine) -> None:
    """The pod of the kustomization runs with the created Secret and is scraped."""
    *pushed, namespace, key, apply = first_commands("Kubernetes")
    assert pushed == PUSHED
    assert secret(machine, namespace)["metadata"]["name"] == "feldera"
    made = secret(machine, key)
    assert apply.split() == ["kubectl", "--namespace", "feldera", "apply", "--kustomize", "config/kubernetes"]
    built = build(ROOT / "config/kubernetes")
    assert built.container["image"] == IMAGE
    template = built.only("StatefulSet")["spec"]["template"]
    pod_runs(machine, [*built.documents, made], template, "prod")


@pytest.mark.skipif(
    not HELM.is_file() and not (os.environ.get("CI") and shutil.which("go")),
    reason="Helm was not built: .ci/go-tools does so where there is Go",
)
def test_helm(machine: Machine) -> None:
    """The pod that Helm renders with the values of the page is scraped; the pod of `helm test` succeeds."""
    *pushed, namespace, key, install = first_commands("Helm")
    assert pushed == PUSHED
    assert secret(machine, namespace)["metadata"]["name"] == "feldera"
    made = secret(machine, key)
    [chosen] = blocks("Helm", "yaml")
    (machine.root / "values.yaml").write_text(chosen)
    words = shlex.split(install.replace("values.yaml", str(machine.root / "values.yaml")))
    done = subprocess.run(
        [tool("helm", NEWEST), *words[1:], "--dry-run=client", "--output=json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    release = json.loads(done.stdout)
    objects = [each for each in yaml.load_all(release["manifest"], Loader=yaml.CSafeLoader) if each]
    [stateful] = [each for each in objects if each["kind"] == "StatefulSet"]
    template = stateful["spec"]["template"]
    assert template["spec"]["containers"][0]["image"] == IMAGE
    pod_runs(machine, [*objects, made], template, "prod")
    assert f"helm --namespace feldera test {release['name']} --logs" in section("Helm")
    [check] = [yaml.safe_load(hook["manifest"]) for hook in release["hooks"]]
    pod_runs(machine, [*objects, made], check, None)
