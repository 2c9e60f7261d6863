"""Kubernetes accepts the kustomization, and its parts fit each other and the program."""

import re
import shlex
import shutil
from pathlib import Path
from typing import Final

import pytest
import yaml
from kubernetes_validate import ValidationError, validate  # type: ignore[import-untyped]

from deployment.kustomize import BuiltKustomization, Json, build
from feldera_exporter import __version__, config
from feldera_exporter.cli import main, parser
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.rules.alert_names import NAMES
from support.tools import ROOT

FOLDER: Final = ROOT / "config/kubernetes"
VERSIONS: Final = ("1.29", "1.33", "1.37")
"""Of Kubernetes, whose schemas the manifests must follow to the letter."""
LABELS: Final = {"app.kubernetes.io/name": "feldera-exporter"}
OPERATORS: Final = "monitoring.coreos.com/v1"
SERVICE_MONITOR: Final = {
    "spec": {"selector", "endpoints"},
    "endpoint": {"port", "path", "interval", "scrapeTimeout", "honorLabels", "relabelings"},
    "relabeling": {"sourceLabels", "separator", "targetLabel", "replacement", "action"},
}
"""The fields of prometheus-operator's ServiceMonitor that are in use (`pkg/apis/monitoring/v1/servicemonitor_types.go`)."""

VERBS: Final = {"create", "apply", "rules", "port-forward", "label"}
"""What each command of the introduction is known by."""


def _introduction() -> dict[str, str]:
    """Return the commands of the kustomization's introduction by their verbs."""
    text = (FOLDER / "kustomization.yaml").read_text(encoding="utf-8").partition("apiVersion")[0]
    lines = re.findall(r"^#   ( *\S.*)$", text, re.MULTILINE)
    commands = "\n".join(lines).replace("\\\n ", "").splitlines()
    return {next(word for word in each.split()[1:] if word in VERBS): each for each in commands}


INTRODUCTION: Final = _introduction()


def _read(path: Path) -> Json:
    document: Json = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
    return document


@pytest.fixture(scope="module")
def built() -> BuiltKustomization:
    """Build the kustomization."""
    return build(FOLDER)


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_it(built: BuiltKustomization, version: str) -> None:
    """Each field is known and has its type."""
    for document in built.documents:
        if document["apiVersion"] != OPERATORS:
            validate(document, version, strict=True)


def test_a_misspelt_field_is_found(built: BuiltKustomization) -> None:
    """A wrong field fails the test above."""
    service = built.only("Service")
    service["spec"]["portz"] = []
    with pytest.raises(ValidationError, match="'portz' was unexpected"):
        validate(service, VERSIONS[-1], strict=True)


def test_all_kinds_are_there(built: BuiltKustomization) -> None:
    """All objects have one label and one name, except for the hash of the configuration."""
    assert sorted(document["kind"] for document in built.documents) == [
        "ConfigMap",
        "NetworkPolicy",
        "PrometheusRule",
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
        "StatefulSet",
    ]
    for document in built.documents:
        name = document["metadata"]["name"]
        assert re.fullmatch(r"feldera-exporter(-\w{10})?", name)
        assert (name == "feldera-exporter") == (document["kind"] != "ConfigMap")
        assert document["metadata"]["labels"] == LABELS


def test_every_file_is_used() -> None:
    """The kustomization uses every file."""
    document = _read(FOLDER / "kustomization.yaml")
    used = {Path(name).name for name in document["resources"]}
    used |= {name for generator in document["configMapGenerator"] for name in generator["files"]}
    there = {path.name for path in FOLDER.iterdir()}
    assert there - {"kustomization.yaml", "openshift"} == used - {"alerts"}


def test_the_choices_of_the_introduction(tmp_path: Path, built: BuiltKustomization) -> None:
    """`labels:` adds `release` to every object without selecting by it; `components:` removes the fixed user."""
    shutil.copytree(FOLDER, tmp_path / "config/kubernetes")
    shutil.copytree(ROOT / "alerts", tmp_path / "alerts")
    file = tmp_path / "config/kubernetes/kustomization.yaml"
    text = file.read_text(encoding="utf-8")
    for line in ("labels:", "  - pairs:", "components:"):
        assert text.count(f"\n# {line}") == 1
        text = text.replace(f"\n# {line}", f"\n{line}")
    file.write_text(text, encoding="utf-8")

    changed = build(file.parent)

    for document, before in zip(changed.documents, built.documents, strict=True):
        assert document["metadata"]["labels"] == {**LABELS, "release": "kube-prometheus-stack"}
        assert document.get("spec", {}).get("selector") == before.get("spec", {}).get("selector")
    [stateful] = [document for document in changed.documents if document["kind"] == "StatefulSet"]
    assert stateful["spec"]["template"]["spec"]["securityContext"] == {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def test_selectors_choose_the_pod(built: BuiltKustomization) -> None:
    """StatefulSet, Service and NetworkPolicy select the pod; the ServiceMonitor selects the Service."""
    assert built.pod["metadata"]["labels"] == LABELS
    assert built.only("StatefulSet")["spec"]["selector"]["matchLabels"] == LABELS
    service = built.only("Service")
    assert service["spec"]["selector"] == LABELS
    assert built.only("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == LABELS
    assert built.only("ServiceMonitor")["spec"]["selector"]["matchLabels"] == service["metadata"]["labels"]
    assert built.only("StatefulSet")["spec"]["serviceName"] == service["metadata"]["name"]
    assert built.pod["spec"]["serviceAccountName"] == built.only("ServiceAccount")["metadata"]["name"]


def test_ports_are_the_programs(built: BuiltKustomization) -> None:
    """One port with one name is used from the flag to the policy."""
    assert built.container["ports"] == [{"name": "http", "containerPort": 10058, "protocol": "TCP"}]
    assert parser().parse_args(built.words).listen == [":10058"]
    [port] = built.only("Service")["spec"]["ports"]
    assert (port["name"], port["port"], port["targetPort"]) == ("http", 10058, "http")
    [endpoint] = built.only("ServiceMonitor")["spec"]["endpoints"]
    assert (endpoint["port"], endpoint["path"]) == ("http", "/metrics")
    [ingress] = built.only("NetworkPolicy")["spec"]["ingress"]
    assert ingress["ports"] == [{"port": "http", "protocol": "TCP"}]
    for probe, path in (("livenessProbe", "/-/healthy"), ("readinessProbe", "/-/ready")):
        assert built.container[probe]["httpGet"] == {"path": path, "port": "http"}


def test_the_network_policy(built: BuiltKustomization) -> None:
    """Prometheus and namespaces with the label reach the pod, as the introduction says."""
    [ingress] = built.only("NetworkPolicy")["spec"]["ingress"]
    prometheus, pages = [peer["namespaceSelector"]["matchLabels"] for peer in ingress["from"]]
    assert prometheus.keys() == {"kubernetes.io/metadata.name"}
    [(key, value)] = pages.items()
    assert re.fullmatch(rf"kubectl label namespace \S+ {key}={value}", INTRODUCTION["label"])
    name, port = built.only("Service")["metadata"]["name"], built.container["ports"][0]["containerPort"]
    assert INTRODUCTION["port-forward"].endswith(f" port-forward service/{name} {port}")


def test_the_monitor_keeps_instance_and_job(built: BuiltKustomization) -> None:
    """`instance` is the pod's name, which a replacement keeps; `job` is what the rules use."""
    spec = built.only("ServiceMonitor")["spec"]
    [endpoint] = spec["endpoints"]
    assert spec.keys() == SERVICE_MONITOR["spec"]
    assert endpoint.keys() == SERVICE_MONITOR["endpoint"]
    by_label = {rule["targetLabel"]: rule for rule in endpoint["relabelings"]}
    assert all(rule.keys() <= SERVICE_MONITOR["relabeling"] for rule in by_label.values())
    assert by_label["instance"]["sourceLabels"] == [
        "__meta_kubernetes_namespace",
        "__meta_kubernetes_pod_name",
    ]
    assert by_label["job"]["replacement"] == "feldera-exporter"
    scrape = _read(ROOT / "config/prometheus.yml")
    assert endpoint["interval"] == scrape["global"]["scrape_interval"]
    assert endpoint["scrapeTimeout"] == scrape["scrape_configs"][0]["scrape_timeout"]
    assert endpoint["honorLabels"] is scrape["scrape_configs"][0]["honor_labels"] is True


def test_the_pod_may_do_nothing_but_its_work(built: BuiltKustomization) -> None:
    """The pod has the restricted profile of the pod security standards and a read-only root."""
    assert built.pod["spec"]["automountServiceAccountToken"] is False
    pod = built.pod["spec"]["securityContext"]
    assert pod["runAsNonRoot"] is True
    assert pod["runAsUser"] == pod["runAsGroup"] == pod["fsGroup"] > 0
    assert pod["seccompProfile"] == {"type": "RuntimeDefault"}
    assert built.container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    compose = _read(ROOT / "compose.yaml")
    assert compose["services"]["exporter"]["user"] == f"{pod['runAsUser']}:{pod['runAsGroup']}"
    assert built.container["resources"]["requests"].keys() == {"cpu", "memory"}
    assert built.container["resources"]["limits"].keys() == {"memory"}


def test_memory_is_what_the_documentation_says() -> None:
    """Of a single exporter: the limit, and the measured figure that explains it."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    [allowed], [measured] = re.findall(r"allow (\d+Mi)", text), re.findall(r"up to (\d+Mi)", text)
    assert build(FOLDER).container["resources"]["limits"]["memory"] == allowed
    for file in ("kubernetes/statefulset.yaml", "helm/feldera-exporter/values.yaml"):
        manifest = (ROOT / "config" / file).read_text(encoding="utf-8")
        assert re.findall(r"memory: (\d+Mi) #.* (\d+Mi)", manifest) == [(allowed, measured)]


def test_flags_and_mounts_agree(built: BuiltKustomization, tmp_path: Path) -> None:
    """Flags are known, and configuration, key and store are where they are mounted; the configuration loads."""
    parsed = parser().parse_args(built.words)
    mounts = {mount["mountPath"]: mount for mount in built.container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in built.pod["spec"]["volumes"]}
    configured = built.only("ConfigMap")
    assert volumes[mounts[str(parsed.config_file.parent)]["name"]]["configMap"] == {
        "name": configured["metadata"]["name"]
    }
    [claim] = built.only("StatefulSet")["spec"]["volumeClaimTemplates"]
    assert mounts[str(parsed.storage)]["name"] == claim["metadata"]["name"]
    assert [path for path, mount in mounts.items() if not mount.get("readOnly")] == [str(parsed.storage)]
    text = configured["data"][parsed.config_file.name]
    key = Path(yaml.safe_load(text)["instances"][0]["api_key_file"])
    secret = volumes[mounts[str(key.parent)]["name"]]["secret"]
    assert [item["path"] for item in secret["items"]] == [key.name]
    (tmp_path / key.name).write_text("apikey:test\n")
    file = tmp_path / "exporter.yml"
    file.write_text(text.replace(str(key), key.name), encoding="utf-8")
    loaded = config.load(file, {}, KNOWN_FAMILIES, NAMES)
    assert [instance.name for instance in loaded.instances] == ["prod"]
    assert (
        f" create secret generic {secret['secretName']} --from-file={secret['items'][0]['key']}="
        in INTRODUCTION["create"]
    )


def test_the_runbooks_know_the_pod(built: BuiltKustomization) -> None:
    """Runbooks use the pod's namespace, label, name and files, and commands of the program or of the image."""
    [namespace] = re.findall(r" --namespace (\S+) apply ", INTRODUCTION["apply"])
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "alerts/runbooks").glob("*.md"))]
    inside = [
        found
        for text in texts
        for found in re.findall(r"kubectl (.*) exec (feldera-exporter\S*) -- (.*)", text)
    ]
    assert len(inside) > 5
    for place, pod, command in inside:
        assert (place, pod) == (f"-n {namespace}", f"{built.only('StatefulSet')['metadata']['name']}-0")
        program, *words = shlex.split(command)
        if program == "feldera-exporter":
            assert parser().parse_args(words).config_file == parser().parse_args(built.words).config_file
        else:
            assert program in {"df", "ls", "date"}
    [(key, value)] = LABELS.items()
    chosen = [found for text in texts for found in re.findall(r"kubectl (.*) -l (\S+)", text)]
    assert {(place.split()[1], label) for place, label in chosen} == {(namespace, f"{key}={value}")}
    [common] = [text for text in texts if text.startswith("# Runbooks\n")]
    assert f"export STORAGE_PATH={parser().parse_args(built.words).storage} " in common


def test_the_image_is_this_version(built: BuiltKustomization) -> None:
    """The image has this version, in the registry of the kustomization."""
    assert built.container["image"] == f"registry.example.com/feldera-exporter:{__version__}"


def test_the_rule_is_that_of_the_operator(built: BuiltKustomization) -> None:
    """The PrometheusRule has the same groups as the rule file of Prometheus."""
    rule = built.only("PrometheusRule")
    assert rule["apiVersion"] == OPERATORS
    assert rule["spec"] == _read(ROOT / "alerts/feldera.rules.yml")


def test_the_rule_with_other_addresses(capsys: pytest.CaptureFixture[str]) -> None:
    """The command of the introduction replaces the rule file of the kustomization by one with other addresses."""
    words, _, target = INTRODUCTION["rules"].partition(" > ")
    assert main(shlex.split(words)[1:]) == 0
    rule = yaml.load(capsys.readouterr().out, yaml.CSafeLoader)
    assert rule["metadata"] == _read(ROOT / target)["metadata"]
    for group in rule["spec"]["groups"]:
        for each in group["rules"]:
            if "alert" in each:
                annotations = each["annotations"]
                assert annotations["runbook_url"].startswith("https://feldera-exporter.example.com/runbooks/")
                assert annotations["dashboard_url"].startswith("https://grafana.example.com/d/")


def test_grafanas_sidecar_gets_every_board() -> None:
    """Each board has a separate ConfigMap, small enough for the copy that kubectl keeps in an annotation."""
    folder = ROOT / "config/grafana"
    document = _read(folder / "kustomization.yaml")
    listed = [name for generator in document["configMapGenerator"] for name in generator["files"]]
    assert sorted(listed) == sorted(f"dashboards/{path.name}" for path in (folder / "dashboards").iterdir())
    assert all(len(generator["files"]) == 1 for generator in document["configMapGenerator"])
    for name in listed:
        assert (folder / name).stat().st_size * 1.1 < 256 * 1024
