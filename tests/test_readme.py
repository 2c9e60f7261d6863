"""README.md and docs/ are true: every command runs, every number and every link is right."""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest
import yaml

from feldera_exporter.cli import parser
from feldera_exporter.demo.child_programs import free_port
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.problems.table import PIPELINE_PROBLEMS
from feldera_exporter.simulator.asgi_thread import serve
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.server import FelderaServer
from support import loopback
from support.tools import ROOT, tool
from support.two_instances import feldera, until

PAGES: Final = {
    name: (ROOT / name).read_text(encoding="utf-8")
    for name in ("README.md", "docs/alerting.md", "docs/operations.md", "docs/architecture.md")
}
README: Final = "\n".join(PAGES.values())
GOLDEN: Final = (ROOT / "tests/metrics/golden/running.text.txt").read_text(encoding="utf-8")


def commands() -> Iterator[str]:
    """Yield every command of every shell block, without its comment."""
    for block in re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL):
        for line in block.replace("\\\n ", "").splitlines():
            yield line.partition("   #")[0].rstrip()


@dataclass
class CommandRunner:
    """Where commands run: a folder with a configuration, and the ports in place of the usual ones."""

    folder: Path
    url: str
    port: int

    def environment(self) -> dict[str, str]:
        """Return what a command finds: this project's programs first, then the servers'."""
        found = dict(os.environ)
        found["PATH"] = os.pathsep.join(
            [str(Path(sys.executable).parent), str(Path(tool("promtool")).parent), found["PATH"]]
        )
        return found

    def translated(self, command: str) -> str:
        """Return the command with this place's addresses in place of the usual ones."""
        command = command.replace("http://localhost:8080", self.url)
        return command.replace("/var/lib/feldera-exporter", str(self.folder / "store"))

    def run(self, command: str, folder: Path | None = None) -> str:
        """Run a command to its end and return what it printed."""
        done = subprocess.run(
            self.translated(command),
            shell=True,
            cwd=folder or self.folder,
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serve(self, command: str) -> str:
        """Run the exporter until it is ready and has polled, and return its metrics."""
        line = f"exec env {self.translated(command)} --web.listen-address=127.0.0.1:{self.port}"
        process = subprocess.Popen(line, shell=True, cwd=self.folder, env=self.environment())
        address = f"http://127.0.0.1:{self.port}"
        try:
            until(lambda: process.poll() is not None or _ready(address), 30)
            return loopback.get(f"{address}/metrics", timeout=10).text
        finally:
            process.terminate()
            assert process.wait(10) == 0


def _ready(address: str) -> bool:
    try:
        return loopback.get(f"{address}/-/ready", timeout=2).is_success
    except httpx.HTTPError:
        return False


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CommandRunner]:
    """Yield a folder beside a stand-in with two pipelines."""
    folder = tmp_path_factory.mktemp("readme")
    instance: Feldera = feldera("orders", "payments")
    with serve(FelderaServer(instance)) as url:
        example = (ROOT / "config/exporter.yml").read_text(encoding="utf-8")
        (folder / "exporter.yml").write_text(example.replace("http://localhost:8080", url), encoding="utf-8")
        yield CommandRunner(folder, url, free_port())


def make_demo(place: CommandRunner, command: str) -> None:
    """Run it in the clone until it has shown its addresses, and end it."""
    with (place.folder / "demo.txt").open("wb") as output:
        process = subprocess.Popen(
            shlex.split(command), cwd=ROOT, stdout=output, stderr=output, start_new_session=True
        )
    try:
        printed = place.folder / "demo.txt"
        until(lambda: process.poll() is not None or "Prometheus: http" in printed.read_text(), 90)
        for program in ("Feldera (stand-in)", "feldera-exporter", "Prometheus", "Alertmanager"):
            assert f"{program}: http://127.0.0.1:" in printed.read_text()
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(30)


def make_test(_place: CommandRunner, command: str) -> None:
    """The command is the one that runs this test: it exists, and runs pytest on all tests."""
    planned = subprocess.run(
        [*shlex.split(command), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert "-m pytest" in planned
    assert not re.search(r"\btests/\w+", planned)


def pip_install(place: CommandRunner, command: str) -> None:
    """Install the package into a folder without its dependencies, which are here already."""
    target = place.folder / "installed"
    options = f"--quiet --disable-pip-version-check --no-deps --no-build-isolation --target={target}"
    place.run(f"{sys.executable} -m {command.replace('install', f'install {options}')}", ROOT)
    done = subprocess.run(
        [sys.executable, "-P", "-m", "feldera_exporter", "--version"],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=place.folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("feldera-exporter ")
    assert any(target.glob("bin/feldera-exporter"))


def served(place: CommandRunner, command: str) -> None:
    """Run the exporter: it shows the pipelines."""
    text = place.serve(command)
    assert 'feldera_up{feldera_instance="default"} 1' in text
    assert 'feldera_pipelines{feldera_instance="default"} 2' in text


def finished(place: CommandRunner, command: str) -> None:
    """Run it to its end."""
    place.run(command)


def docker(_place: CommandRunner, command: str) -> None:
    """Check what Docker is asked for: paths, ports and names are those of the files."""
    words = shlex.split(command)
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    image = compose["services"]["exporter"]["image"]
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    if words[1] == "build":
        assert words[2:] == ["--tag", image, "."]
    elif words[1] == "run":
        place = words.index(image)
        options = dict(zip(words[3:place:2], words[4:place:2], strict=True))
        assert options.keys() == {"--publish", "--env", "--volume"}
        assert words[place + 1 :] == [f"--storage.path={options['--volume'].partition(':')[2]}"]
        assert options["--publish"].startswith("127.0.0.1:")  # the pages have no password
        assert f"EXPOSE {options['--publish'].rpartition(':')[2]}" in text
        assert options["--env"].startswith("FELDERA_HOST=")
    else:
        assert words[1:] == ["compose", "up", "--build"]
        assert compose["services"]["exporter"]["build"] == "."


def kubectl(_place: CommandRunner, command: str) -> None:
    """The command is the one of the kustomization's own introduction, which has a test."""
    introduction = (ROOT / "config/kubernetes/kustomization.yaml").read_text(encoding="utf-8")
    assert f"#   {command}\n" in introduction


HANDLERS: Final[dict[str, Callable[[CommandRunner, str], None]]] = {
    "make demo": make_demo,
    "make test": make_test,
    "pip install": pip_install,
    "FELDERA_HOST=": served,
    "feldera-exporter check": finished,
    "feldera-exporter rules": finished,
    "feldera-exporter backfill": finished,
    "feldera-exporter --config.file": served,
    "promtool": finished,
    "docker": docker,
    "kubectl": kubectl,
}
"""By how a command begins, what runs it."""


def test_every_command_runs(place: CommandRunner) -> None:
    """All commands run in their order, as a reader would type them."""
    ran = Counter[str]()
    for command in commands():
        [handler] = [each for start, each in HANDLERS.items() if command.startswith(start)]
        handler(place, command)
        ran[handler.__name__] += 1
    assert ran.keys() == {each.__name__ for each in HANDLERS.values()}


def test_its_numbers_are_those_of_a_running_pipeline() -> None:
    """The numbers of samples, and what each exclusion saves, are right."""
    lines = [line for line in GOLDEN.splitlines() if "pipeline_name=" in line]
    whole = sum(len(line) + 1 for line in lines)
    assert f"A running pipeline has {len(lines)} samples." in README
    table = re.findall(r"^\| `(feldera_pipeline_\w+)` \| (\d+) \| (\d+) % \|", README, re.MULTILINE)
    assert len(table) >= 5
    for family, samples, share in table:
        assert family in KNOWN_FAMILIES
        own = [line for line in lines if line.startswith(f"{family}{{")]
        assert len(own) == int(samples), family
        assert round(100 * sum(len(line) + 1 for line in own) / whole) == int(share), family


def headings(page: Path) -> set[str]:
    """Return the headings of a page as links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_its_links_lead_somewhere() -> None:
    """Links lead to files of this repository and to headings of the pages."""
    for name, text in PAGES.items():
        for target in re.findall(r"\]\(([^)]+)\)", text):
            if not target.startswith("http"):
                file, _, heading = target.partition("#")
                page = (ROOT / name).parent / file if file else ROOT / name
                assert page.exists(), (name, target)
                assert not heading or heading in headings(page), (name, target)
    assert len(re.findall(r"\]\(([^)]+)\)", README)) > 20


def test_what_users_do_causes_no_page() -> None:
    """The problems that an ordinary stop, start or edit can lead to have the severities that the README says."""
    assert "pages no one. Six stops within an hour, or a change that waits for approval" in PAGES["README.md"]
    severities = {
        "Flapping": "warning",
        "AwaitingApproval": "warning",
        "CompileFailed": "info",
        "UnexpectedlyStopped": "critical",
    }
    assert {name: PIPELINE_PROBLEMS[name].severity for name in severities} == severities


def test_it_is_short() -> None:
    """A newcomer reads the whole README; the rest is in docs/."""
    assert PAGES["README.md"].count("\n") <= 150


def test_its_flags_and_metrics_exist() -> None:
    """Every flag and every family that the page names exists."""
    known = {flag for _, flags in _flags() for flag in flags}
    for flag in set(re.findall(r"`(--[a-z][\w.\-]+)", README)):
        assert flag in known, flag
    own = (ROOT / "docs/metrics.md").read_text(encoding="utf-8")
    for family in set(re.findall(r"`(feldera_[a-z_]+)", README)):
        assert f"`{family}`" in own, family


def _flags() -> Iterator[tuple[str, set[str]]]:
    whole = parser()
    for action in whole._actions:
        if isinstance(action.choices, dict):
            for name, command in action.choices.items():
                yield name, {flag for each in command._actions for flag in each.option_strings}
        yield "", set(action.option_strings)
