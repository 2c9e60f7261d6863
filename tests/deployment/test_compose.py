"""Docker accepts `compose.yaml`, and each path, port, image and flag in it exists."""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import jsonschema
import pytest
import yaml

from feldera_exporter.cli import parser
from feldera_exporter.simulator.versions import NEWEST
from support.page_examples import page_state
from support.served_pages import FixedPageSource, get
from support.tools import ROOT, newest

DOCUMENT: Final[dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: Final[dict[str, Any]] = DOCUMENT["services"]
OWN: Final = "feldera-exporter:local"
NETWORK: Final = "network"
"""The service whose network all others share."""
OWN_HOME: Final = {"feldera"}
"""Feldera itself compiles Rust in its home: neither read-only nor another user than its image's."""
PORTS: Final = {
    "exporter": 10058,
    "stand-in": 8080,
    "feldera": 8080,
    "prometheus": 9090,
    "alertmanager": 9093,
    "grafana": 3000,
}


def _docker_composes() -> bool:
    docker = shutil.which("docker")
    return (
        docker is not None
        and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    )


@pytest.mark.skipif(not _docker_composes(), reason="Docker's client with its compose plugin is not installed")
@pytest.mark.parametrize("profile", ["stand-in", "feldera", ""])
def test_docker_takes_it(profile: str) -> None:
    """Docker accepts the file with each profile, without a warning."""
    done = subprocess.run(
        ["docker", "compose", "--file", str(ROOT / "compose.yaml"), "config", "--quiet"],
        env={"COMPOSE_PROFILES": profile, "PATH": "/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_follows_the_specification() -> None:
    """The file follows the schema of the Compose specification, as check-jsonschema ships it."""
    schema = json.loads(
        files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text()
    )
    jsonschema.validate(DOCUMENT, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**DOCUMENT, "services": {"exporter": {"imag": "x"}}}, schema)


def test_images_are_pinned() -> None:
    """Each image has a version; the exporter's is built from this tree, and used by its services alone."""
    for name, service in SERVICES.items():
        if service["image"] == OWN:
            continue
        assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+\.\d+", service["image"]), name
    assert SERVICES["exporter"]["build"] == "."
    assert [name for name, service in SERVICES.items() if "build" in service] == ["exporter"]
    assert {name for name, service in SERVICES.items() if service["image"] == OWN} == {
        "exporter",
        "stand-in",
        NETWORK,
    }


def test_the_images_are_what_is_tested() -> None:
    """The images are of the newest Prometheus, Alertmanager and Feldera that the tests know."""
    for name in ("prometheus", "alertmanager"):
        assert SERVICES[name]["image"] == f"prom/{name}:v{newest()[name]}"
    assert SERVICES["feldera"]["image"].endswith(f":{NEWEST}")


def test_mounts_exist_and_are_read_only() -> None:
    """Each mounted path of this tree exists; volumes are declared and used once."""
    named = []
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source, target, *mode = mount.split(":")
            assert Path(target).is_absolute()
            if source.startswith("."):
                assert (ROOT / source).exists(), source
                assert mode == ["ro"], mount
            else:
                named.append(source)
    assert sorted(named) == sorted(DOCUMENT["volumes"])


def test_everything_is_confined() -> None:
    """No service is root, has capabilities, gains privileges, or writes outside of its volumes."""
    for name, service in SERVICES.items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        if name in OWN_HOME:
            continue
        assert re.fullmatch(r"[1-9]\d*:\d+", service["user"]), name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name


def test_one_service_holds_the_network() -> None:
    """One service, which runs no program that could fail, holds the network; all others share it."""
    network = SERVICES[NETWORK]
    assert (network["entrypoint"], network["init"]) == (["sleep", "infinity"], True)
    assert network["healthcheck"] == {"disable": True}
    assert network.keys().isdisjoint({"command", "network_mode", "profiles", "depends_on", "volumes"})
    assert {
        name: service.get("network_mode") for name, service in SERVICES.items() if name != NETWORK
    } == dict.fromkeys(PORTS, f"service:{NETWORK}")


def test_everything_comes_back() -> None:
    """Every service is restarted after a crash, and with Docker itself."""
    assert {service["restart"] for service in SERVICES.values()} == {"unless-stopped"}


def test_everything_is_reached_where_it_listens() -> None:
    """The ports are open to this machine alone, and each service has its health check."""
    published = [mapping.rpartition(":") for mapping in SERVICES[NETWORK]["ports"]]
    # A Feldera on this machine's own port 8080 must not be in the way.
    moved = {str(PORTS["stand-in"]): "18080"}
    assert sorted(host for host, _, _ in published) == sorted(
        f"127.0.0.1:{moved.get(port, port)}" for _, _, port in published
    )
    assert SERVICES[NETWORK]["extra_hosts"] == ["host.docker.internal:host-gateway"]
    assert {int(port) for _, _, port in published} == set(PORTS.values())
    assert [name for name, service in SERVICES.items() if "ports" in service] == [NETWORK]
    for name in PORTS:
        service = SERVICES[name]
        check = " ".join(service["healthcheck"]["test"])
        assert re.search(rf"http://127\.0\.0\.1:{PORTS[name]}/|'127\.0\.0\.1', {PORTS[name]}\b", check), name
        assert service["healthcheck"]["retries"] > 0
        words = [word for word in service.get("command", ()) if word.startswith("--web.listen-address")]
        assert all(word == f"--web.listen-address=:{PORTS[name]}" for word in words), name
    assert SERVICES["grafana"]["environment"]["GF_SERVER_HTTP_PORT"] == str(PORTS["grafana"])
    assert SERVICES["exporter"]["environment"]["FELDERA_HOST"].endswith(
        f"http://127.0.0.1:{PORTS['stand-in']}}}"
    )


class Health(BaseHTTPRequestHandler):
    """Healthy at the paths that the checks request, and at no other."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200 if self.path in {"/-/ready", "/healthz"} else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize(("path", "code"), [("", 0), ("/elsewhere", 1)])
@pytest.mark.parametrize("name", ["exporter", "stand-in"])
def test_checks_in_python_ask_no_proxy(name: str, path: str, code: int) -> None:
    """The health checks in Python use no proxy, and pass only for an answer that all is well."""
    kind, program, flag, text = SERVICES[name]["healthcheck"]["test"]
    assert (kind, program, flag) == ("CMD", "python", "-c")
    with HTTPServer(("127.0.0.1", 0), Health) as server:
        server.timeout = 10
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        text = text.replace(str(PORTS[name]), str(server.server_port))
        text = text.replace("'GET', '", f"'GET', '{path}")
        nowhere = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
        done = subprocess.run([sys.executable, flag, text], env=os.environ | nowhere, check=False)
        thread.join()
    assert done.returncode == code


def test_the_shipped_configurations_name_these_ports() -> None:
    """In the mounted configurations Prometheus finds the exporter, Alertmanager and the rules."""
    prometheus = yaml.safe_load((ROOT / "config/prometheus.yml").read_text(encoding="utf-8"))
    [job] = prometheus["scrape_configs"]
    assert job["static_configs"] == [{"targets": [f"127.0.0.1:{PORTS['exporter']}"]}]
    [manager] = prometheus["alerting"]["alertmanagers"]
    assert manager["static_configs"] == [{"targets": [f"127.0.0.1:{PORTS['alertmanager']}"]}]
    [rules] = prometheus["rule_files"]
    inside = _inside("prometheus", f"/etc/feldera/config/{rules}")
    assert inside == ROOT / "alerts/feldera.rules.yml"
    for name in ("prometheus", "alertmanager"):
        [flag] = [word for word in SERVICES[name]["command"] if word.startswith("--config.file=")]
        assert _inside(name, flag.removeprefix("--config.file=")) == ROOT / f"config/{name}.yml"
    assert Path(SERVICES["prometheus"]["command"][1].partition("=")[2]) == Path("/prometheus")


def test_grafana_shows_the_boards_at_once() -> None:
    """The data source is this Prometheus, the boards are where the provider looks, and one of them is the home page."""
    folder = _inside("grafana", "/etc/grafana/provisioning")
    [source] = yaml.safe_load((folder / "datasources/prometheus.yml").read_text(encoding="utf-8"))[
        "datasources"
    ]
    assert (source["type"], source["url"]) == ("prometheus", f"http://127.0.0.1:{PORTS['prometheus']}")
    assert source["jsonData"]["httpMethod"] == "POST"
    assert "isDefault" not in source, "there may be a default one already: Grafana refuses to start with two"
    scrape = yaml.safe_load((ROOT / "config/prometheus.yml").read_text(encoding="utf-8"))["global"][
        "scrape_interval"
    ]
    assert source["jsonData"]["timeInterval"] == scrape
    [provider] = yaml.safe_load((folder / "dashboards/feldera.yml").read_text(encoding="utf-8"))["providers"]
    boards = _inside("grafana", provider["options"]["path"])
    assert {path.name for path in boards.iterdir()} == {"fleet.json", "pipeline.json", "exporter.json"}
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert _inside("grafana", home) == boards / "fleet.json"


def test_links_to_the_exporter_lead_to_its_port() -> None:
    """Links of the boards to the exporter use the port that Docker publishes."""
    fleet = json.loads((ROOT / "config/grafana/dashboards/fleet.json").read_text(encoding="utf-8"))
    [variable] = [each for each in fleet["templating"]["list"] if each["name"] == "exporter"]
    assert variable["query"] == f"http://localhost:{PORTS['exporter']}"


def test_the_alerts_link_to_the_exporters_runbooks() -> None:
    """Links of the alerts lead to existing runbooks at the port that Docker publishes."""
    for annotations in _annotations():
        url = urlsplit(annotations["runbook_url"])
        assert (url.scheme, url.netloc) == ("http", f"localhost:{PORTS['exporter']}")
        assert get(FixedPageSource(page_state()), url.path).status_code == 200


def test_the_alerts_link_to_grafanas_boards() -> None:
    """Links of the alerts lead to existing boards and variables at the port that Docker publishes."""
    documents = [
        json.loads(path.read_text("utf-8")) for path in (ROOT / "config/grafana/dashboards").iterdir()
    ]
    boards = {
        each["uid"]: {f"var-{variable['name']}" for variable in each["templating"]["list"]}
        for each in documents
    }
    for annotations in _annotations():
        url = urlsplit(annotations["dashboard_url"])
        assert (url.scheme, url.netloc) == ("http", f"localhost:{PORTS['grafana']}")
        assert parse_qs(url.query).keys() <= boards[url.path.removeprefix("/d/")]


def test_the_commands_are_the_programs() -> None:
    """The command line of the exporter accepts the commands."""
    for name in ("exporter", "stand-in"):
        parser().parse_args(SERVICES[name]["command"])


def test_the_store_is_the_users() -> None:
    """A new volume belongs to the user that owns the directory in the image."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    exporter = SERVICES["exporter"]
    [mount] = exporter["volumes"]
    user, _, group = exporter["user"].partition(":")
    assert (
        f"install --directory --owner={user} --group={group} --mode=1777 {mount.partition(':')[2]}\n" in text
    )
    assert f"USER {exporter['user']}\n" in text


def test_the_stand_in_is_what_comes_without_a_choice() -> None:
    """The file `.env` chooses the profile, which the environment overrides."""
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not line.startswith("#")] == ["COMPOSE_PROFILES=stand-in"]
    assert {name: service.get("profiles") for name, service in SERVICES.items() if "profiles" in service} == {
        "stand-in": ["stand-in"],
        "feldera": ["feldera"],
    }


def _annotations() -> list[dict[str, str]]:
    """Return those of every alert that the stack's Prometheus loads."""
    text = (ROOT / "alerts/feldera.rules.yml").read_text(encoding="utf-8")
    groups = yaml.load(text, Loader=yaml.CSafeLoader)["groups"]
    return [rule["annotations"] for group in groups for rule in group["rules"] if "alert" in rule]


def _inside(service: str, path: str) -> Path:
    """Return which file of this tree a path in a service's container is."""
    wanted = Path(re.sub(r"/[^/]+/\.\./", "/", path))
    for mount in SERVICES[service]["volumes"]:
        source, target, *_ = mount.split(":")
        if source.startswith(".") and wanted.is_relative_to(target):
            found: Path = ROOT / source / wanted.relative_to(target)
            assert found.exists(), found
            return found.resolve()
    raise AssertionError(f"{path} is not mounted into {service}")
