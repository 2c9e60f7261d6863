"""The kustomization is one that Kubernetes takes, and its parts fit each other and the program."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from feldera_exporter import __version__, config
from feldera_exporter.cli import parser
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.rules.promql import JOB
from feldera_exporter.rules.table import NAMES
from tools import ROOT

Json = dict[str, Any]

FOLDER: Final = ROOT / "config/kubernetes"
VERSIONS: Final = ("1.29", "1.33")
"""Of Kubernetes, whose schemas the manifests must follow to the letter."""
LABELS: Final = {"app.kubernetes.io/name": "feldera-exporter"}
OPERATORS: Final = "monitoring.coreos.com/v1"
SERVICE_MONITOR: Final = {
    "spec": {"selector", "endpoints"},
    "endpoint": {"port", "path", "interval", "scrapeTimeout", "relabelings"},
    "relabeling": {"sourceLabels", "separator", "targetLabel", "replacement", "action"},
}
"""The fields of prometheus-operator's ServiceMonitor that are in use (`pkg/apis/monitoring/v1/servicemonitor_types.go`)."""


def _read(path: Path) -> Json:
    document: Json = yaml.safe_load(path.read_text(encoding="utf-8"))
    return document


def _resources(folder: Path) -> Iterator[tuple[Path, Json]]:
    """Yield the manifests of a kustomization, those of folders that it refers to included."""
    for name in _read(folder / "kustomization.yaml").get("resources", ()):
        path = (folder / name).resolve()
        if path.is_dir():
            yield from _resources(path)
            continue
        # Kustomize refuses files from elsewhere: LoadRestrictionsRootOnly.
        assert path.is_relative_to(folder.resolve()), path
        yield path, _read(path)


MANIFESTS: Final = dict(_resources(FOLDER))


def _one(kind: str) -> Json:
    [found] = [document for document in MANIFESTS.values() if document["kind"] == kind]
    return found


POD: Final[Json] = _one("StatefulSet")["spec"]["template"]
[CONTAINER] = POD["spec"]["containers"]


def _validate(path: Path, version: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "kubernetes_validate",
        "--strict",
        "-k",
        version,
        str(path),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "path",
    [path for path, manifest in MANIFESTS.items() if manifest["apiVersion"] != OPERATORS],
    ids=lambda path: path.name,
)
def test_kubernetes_takes_them(path: Path, version: str) -> None:
    """No field is unknown and each has its type."""
    done = _validate(path, version)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_misspelt_field_is_found(tmp_path: Path) -> None:
    """So that the test above means something."""
    document = _one("Service")
    wrong = tmp_path / "service.yaml"
    wrong.write_text(yaml.safe_dump({**document, "spec": {**document["spec"], "portz": []}}))
    assert _validate(wrong, VERSIONS[-1]).returncode != 0


def test_all_kinds_are_there_and_every_file_is_used() -> None:
    """Under one name and label; what is no resource is the configuration, or is offered beside."""
    assert sorted(document["kind"] for document in MANIFESTS.values()) == [
        "NetworkPolicy",
        "PrometheusRule",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
        "StatefulSet",
    ]
    for document in MANIFESTS.values():
        assert document["metadata"]["name"] == "feldera-exporter"
        assert document["metadata"]["labels"] == LABELS
    beside = {path.name for path in FOLDER.iterdir()} - {path.name for path in MANIFESTS}
    assert beside - {"sharded.yaml"} == {"kustomization.yaml", "exporter.yml"}


def test_selectors_choose_the_pod() -> None:
    """The StatefulSet's, the Service's, the NetworkPolicy's; the ServiceMonitor's chooses the Service."""
    assert POD["metadata"]["labels"] == LABELS
    assert _one("StatefulSet")["spec"]["selector"]["matchLabels"] == LABELS
    assert _one("Service")["spec"]["selector"] == LABELS
    assert _one("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == LABELS
    assert _one("ServiceMonitor")["spec"]["selector"]["matchLabels"] == _one("Service")["metadata"]["labels"]
    assert _one("StatefulSet")["spec"]["serviceName"] == _one("Service")["metadata"]["name"]
    assert POD["spec"]["serviceAccountName"] == _one("ServiceAccount")["metadata"]["name"]


def test_ports_are_the_programs() -> None:
    """One port with one name, from the flag to the policy."""
    assert CONTAINER["ports"] == [{"name": "http", "containerPort": 10058, "protocol": "TCP"}]
    assert "--web.listen-address=:10058" in CONTAINER["args"]
    [port] = _one("Service")["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("http", 10058, "http")
    [endpoint] = _one("ServiceMonitor")["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    [ingress] = _one("NetworkPolicy")["spec"]["ingress"]
    assert ingress["ports"] == [{"port": "http", "protocol": "TCP"}]
    for probe, path in (("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready")):
        assert CONTAINER[probe]["httpGet"] == {"path": path, "port": "http"}


def test_the_monitor_keeps_instance_and_job() -> None:
    """`instance` is the pod's name, which outlasts its replacement; `job` is what the rules look for."""
    spec = _one("ServiceMonitor")["spec"]
    [endpoint] = spec["endpoints"]
    assert spec.keys() == SERVICE_MONITOR["spec"]
    assert endpoint.keys() == SERVICE_MONITOR["endpoint"]
    by_label = {rule["targetLabel"]: rule for rule in endpoint["relabelings"]}
    assert all(rule.keys() <= SERVICE_MONITOR["relabeling"] for rule in by_label.values())
    assert by_label["instance"]["sourceLabels"] == [
        "__meta_kubernetes_namespace",
        "__meta_kubernetes_pod_name",
    ]
    assert f'job="{by_label["job"]["replacement"]}"' == JOB
    scrape = _read(ROOT / "config/prometheus.yml")
    assert endpoint["interval"] == scrape["global"]["scrape_interval"]
    assert endpoint["scrapeTimeout"] == scrape["scrape_configs"][0]["scrape_timeout"]


def test_the_pod_may_do_nothing_but_its_work() -> None:
    """The restricted profile of Kubernetes' pod security standards, and a root that is read-only."""
    assert POD["spec"]["automountServiceAccountToken"] is False
    pod = POD["spec"]["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] == pod["runAsGroup"] == pod["fsGroup"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert CONTAINER["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    compose = _read(ROOT / "compose.yaml")
    assert compose["services"]["exporter"]["user"] == f"{pod['runAsUser']}:{pod['runAsGroup']}"
    assert CONTAINER["resources"]["requests"].keys() == {"cpu", "memory"}
    assert "memory" in CONTAINER["resources"]["limits"]


def test_the_program_finds_what_it_is_told(tmp_path: Path) -> None:
    """Its flags are known; configuration, key and store lie where they are mounted; the configuration loads."""
    parsed = parser().parse_args(CONTAINER["args"])
    mounts = {mount["mountPath"]: mount for mount in CONTAINER["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in POD["spec"]["volumes"]}
    configured = volumes[mounts[str(parsed.config_file.parent)]["name"]]["configMap"]["name"]
    [generator] = _read(FOLDER / "kustomization.yaml")["configMapGenerator"]
    assert (generator["name"], generator["files"]) == (configured, [parsed.config_file.name])
    [claim] = _one("StatefulSet")["spec"]["volumeClaimTemplates"]
    assert mounts[str(parsed.storage)]["name"] == claim["metadata"]["name"]
    assert [path for path, mount in mounts.items() if not mount.get("readOnly")] == [str(parsed.storage)]
    text = (FOLDER / parsed.config_file.name).read_text(encoding="utf-8")
    key = Path(yaml.safe_load(text)["instances"][0]["api_key_file"])
    secret = volumes[mounts[str(key.parent)]["name"]]["secret"]
    assert [item["path"] for item in secret["items"]] == [key.name]
    (tmp_path / key.name).write_text("apikey:test\n")
    file = tmp_path / "exporter.yml"
    file.write_text(text.replace(str(key), key.name), encoding="utf-8")
    loaded = config.load(file, {}, KNOWN_FAMILIES, NAMES)
    assert [instance.name for instance in loaded.instances] == ["prod"]
    introduction = (FOLDER / "kustomization.yaml").read_text(encoding="utf-8").partition("apiVersion")[0]
    assert (
        f"create secret generic {secret['secretName']} --from-file={secret['items'][0]['key']}="
        in introduction
    )


def test_the_image_is_this_version() -> None:
    """Under the name that the StatefulSet uses."""
    [image] = _read(FOLDER / "kustomization.yaml")["images"]
    assert (image["name"], image["newTag"]) == (CONTAINER["image"], __version__)


def test_the_rule_is_that_of_the_operator() -> None:
    """The same groups as the rule file of Prometheus."""
    rule = _one("PrometheusRule")
    assert rule["apiVersion"] == OPERATORS
    assert rule["spec"] == _read(ROOT / "alerts/feldera.rules.yml")


def test_grafanas_sidecar_gets_every_board() -> None:
    """Each in a ConfigMap of its own, small enough for the copy that kubectl keeps in an annotation."""
    folder = ROOT / "config/grafana"
    document = _read(folder / "kustomization.yaml")
    listed = [name for generator in document["configMapGenerator"] for name in generator["files"]]
    assert sorted(listed) == sorted(f"dashboards/{path.name}" for path in (folder / "dashboards").iterdir())
    assert all(len(generator["files"]) == 1 for generator in document["configMapGenerator"])
    for name in listed:
        assert (folder / name).stat().st_size * 1.1 < 256 * 1024
