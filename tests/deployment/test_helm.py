"""The Helm chart gives the objects of the kustomization under other names, and Kubernetes accepts its choices."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from kubernetes_validate import validate  # type: ignore[import-untyped]

from deployment.kustomize import BuiltKustomization, Json, build
from deployment.test_kubernetes import FOLDER, OPERATORS, VERSIONS
from feldera_exporter import __version__
from feldera_exporter.rules.rendering import rules
from support.tools import NEWEST, ROOT, tool

CHART: Final = ROOT / "config/helm/feldera-exporter"
HELMS_OWN: Final = {
    "app.kubernetes.io/instance",
    "app.kubernetes.io/version",
    "app.kubernetes.io/managed-by",
    "helm.sh/chart",
}

pytestmark = pytest.mark.skipif(
    not (ROOT / ".cache/go-tools/helm").is_file() and not (os.environ.get("CI") and shutil.which("go")),
    reason="Helm was not built: .ci/go-tools does so where there is Go",
)


def helm(*words: str) -> subprocess.CompletedProcess[str]:
    """Run Helm."""
    return subprocess.run([tool("helm", NEWEST), *words], capture_output=True, text=True, check=False)


def rendered(
    *words: str, release: str = "feldera-exporter", values: Json | None = None, folder: Path | None = None
) -> list[Json]:
    """Return the objects that a release comes to, without those of tests."""
    if values is not None and folder is not None:
        (folder / "values.yaml").write_text(yaml.safe_dump(values))
        words = (*words, "--values", str(folder / "values.yaml"))
    done = helm("template", release, str(CHART), "--namespace", "feldera", "--skip-tests", *words)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if each]


@pytest.fixture(scope="module")
def plain() -> list[Json]:
    """Return the objects with every value as it is."""
    return rendered()


def only(objects: list[Json], kind: str, name: str = "") -> Json:
    """Return the one object of a kind."""
    [found] = [each for each in objects if each["kind"] == kind and name in each["metadata"]["name"]]
    return found


def without_names(value: Any) -> Any:
    """Return an object without the names that Helm and Kustomize give differently."""
    if isinstance(value, list):
        return [without_names(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: without_names(each)
        for key, each in value.items()
        if key not in HELMS_OWN and key not in {"annotations", "imagePullPolicy"}
    }


def test_it_is_what_the_kustomization_is(plain: list[Json]) -> None:
    """The chart gives the same objects with the same content as the kustomization."""
    ours = [each for each in plain if "-board-" not in each["metadata"]["name"]]
    theirs = BuiltKustomization(FOLDER, build(FOLDER).text)
    assert sorted(each["kind"] for each in ours) == sorted(each["kind"] for each in theirs.documents)
    for kind in (
        "Service",
        "ServiceAccount",
        "ServiceMonitor",
        "PrometheusRule",
        "NetworkPolicy",
        "StatefulSet",
    ):
        found, expected = without_names(only(ours, kind)), without_names(theirs.only(kind))
        if kind == "StatefulSet":
            for each in (found, expected):
                volumes = each["spec"]["template"]["spec"]["volumes"]
                # The kustomization adds a hash to this name.
                assert volumes[0]["configMap"].pop("name").startswith("feldera-exporter")
        if kind == "NetworkPolicy":
            for each in (found, expected):
                each["spec"]["egress"] = sorted(
                    (port["port"], port["protocol"])
                    for rule in each["spec"]["egress"]
                    for port in rule["ports"]
                )
        assert found == expected, kind
    [found, expected] = (
        yaml.safe_load(each["data"]["exporter.yml"])
        for each in (only(ours, "ConfigMap"), theirs.only("ConfigMap"))
    )
    assert found == expected
    assert yaml.load(rules(), yaml.CSafeLoader) == only(ours, "PrometheusRule")["spec"]


def test_the_boards_are_those_of_grafana(plain: list[Json]) -> None:
    """The boards are those of the provisioning, byte for byte, with the sidecar's label."""
    boards = build(ROOT / "config/grafana").documents
    ours = [each for each in plain if "-board-" in each["metadata"]["name"]]
    assert sorted(str(each["data"]) for each in ours) == sorted(str(each["data"]) for each in boards)
    for each in ours:
        assert each["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert each["metadata"]["annotations"] == {"grafana_folder": "Feldera"}


CHOICES: Final[Json] = {
    "replicas": 2,
    "openshift": True,
    "config": {"instances": [{"name": "a", "url": "https://a", "headers": {"X-Token": "secret"}}]},
    "configInSecret": True,
    "apiKey": {"value": "apikey:x"},
    "extraArgs": ["--web.enable-lifecycle"],
    "storage": {"storageClassName": "fast", "size": "2Gi"},
    "serviceMonitor": {"additionalLabels": {"release": "kube-prometheus-stack"}},
    "prometheusRule": {
        "additionalLabels": {"release": "kube-prometheus-stack"},
        "exporterUrl": "https://exporter.example.com/",
        "dashboardUrl": "https://grafana.example.com",
    },
    "podDisruptionBudget": {"enabled": True},
    "nodeSelector": {"a": "b"},
    "tolerations": [{"key": "a", "operator": "Exists"}],
    "priorityClassName": "high",
    "imagePullSecrets": [{"name": "pull"}],
    "podAnnotations": {"a": "b"},
    "podLabels": {"c": "d"},
    "serviceAccount": {"annotations": {"e": "f"}},
}


LINKED: Final = (
    "--web.external-url=https://exporter.example.com/",
    "--dashboard-url=https://grafana.example.com",
)


@pytest.fixture(scope="module")
def chosen(tmp_path_factory: pytest.TempPathFactory) -> list[Json]:
    """Return the objects of another release, with many choices."""
    return rendered(release="prod", values=CHOICES, folder=tmp_path_factory.mktemp("chosen"))


def test_choices(chosen: list[Json]) -> None:
    """Each value is where it should be, under the release's name."""
    pod = only(chosen, "StatefulSet")["spec"]["template"]
    security = pod["spec"]["securityContext"]
    assert security == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert pod["spec"]["volumes"][0]["secret"] == {"secretName": "prod-feldera-exporter"}
    assert pod["spec"]["volumes"][1]["secret"]["secretName"] == "prod-feldera-exporter-api-key"
    assert pod["spec"]["containers"][0]["args"][-3:] == [*LINKED, "--web.enable-lifecycle"]
    assert only(chosen, "Secret", "api-key")["stringData"] == {"api-key": "apikey:x"}
    configured = [
        each for each in chosen if each["kind"] == "Secret" and "exporter.yml" in each["stringData"]
    ]
    assert yaml.safe_load(configured[0]["stringData"]["exporter.yml"]) == CHOICES["config"]
    for kind in ("ServiceMonitor", "PrometheusRule"):
        assert only(chosen, kind)["metadata"]["labels"]["release"] == "kube-prometheus-stack"
    text = json.dumps(only(chosen, "PrometheusRule"))
    assert "localhost" not in text
    assert "https://exporter.example.com/runbooks/FelderaWatchdog" in text
    assert "https://grafana.example.com/d/feldera-fleet" in text
    boards = [each for each in chosen if "-board-" in each["metadata"]["name"]]
    assert [str(each["data"]).count("https://exporter.example.com") for each in boards] == [3, 3, 3]
    assert "localhost:10058" not in str(boards)
    budget = only(chosen, "PodDisruptionBudget")["spec"]
    selector = only(chosen, "StatefulSet")["spec"]["selector"]
    assert budget == {"maxUnavailable": 1, "selector": selector}
    assert selector["matchLabels"].items() <= pod["metadata"]["labels"].items()
    assert only(chosen, "Service")["spec"]["selector"] == selector["matchLabels"]
    assert only(chosen, "ServiceMonitor")["spec"]["selector"] == selector


def test_the_check_has_the_same_addresses(tmp_path: Path) -> None:
    """The pod of `helm test` gets the addresses that the exporter has, so that it does not warn of others."""
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(CHOICES))
    check = ("--show-only", "templates/tests/check.yaml")
    done = helm("template", "prod", str(CHART), *check, "--values", str(tmp_path / "values.yaml"))
    [container] = yaml.safe_load(done.stdout)["spec"]["containers"]
    assert container["args"] == ["check", "--config.file=/etc/feldera-exporter/exporter.yml", *LINKED]


def test_less_is_possible(tmp_path: Path) -> None:
    """Objects that are switched off are left out; without a key none is mounted."""
    off = {"enabled": False}
    names = ("serviceMonitor", "prometheusRule", "dashboards", "networkPolicy")
    values = {**dict.fromkeys(names, off), "apiKey": {"existingSecret": ""}, "existingConfigSecret": "mine"}
    values |= {"serviceAccount": {"create": False, "name": "theirs"}}
    objects = rendered(values=values, folder=tmp_path)
    assert sorted(each["kind"] for each in objects) == ["Service", "StatefulSet"]
    pod = only(objects, "StatefulSet")["spec"]["template"]["spec"]
    assert pod["volumes"] == [{"name": "config", "secret": {"secretName": "mine"}}]
    assert pod["serviceAccountName"] == "theirs"


def test_no_alert_is_sent_twice(tmp_path: Path) -> None:
    """If the exporter sends alerts itself, the chart wants the rules for that, or none."""
    values: Json = {
        "config": {
            "instances": [{"name": "a", "url": "https://a"}],
            "alertmanager": {"urls": ["http://alertmanager:9093"]},
        }
    }
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(values))
    done = helm("template", "a", str(CHART), "--values", str(tmp_path / "values.yaml"))
    assert done.returncode != 0
    assert "feldera-exporter rules --config.file=exporter.yml" in done.stderr
    for rule in ({"enabled": False}, {"rules": "groups: []"}):
        objects = rendered(values={**values, "prometheusRule": rule}, folder=tmp_path)
        assert [each["spec"] for each in objects if each["kind"] == "PrometheusRule"] in (
            [],
            [{"groups": []}],
        )


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_it(version: str, chosen: list[Json], plain: list[Json]) -> None:
    """Each field is known and has its type, also in the pod of `helm test`."""
    check = yaml.safe_load(
        helm("template", "prod", str(CHART), "--show-only", "templates/tests/check.yaml").stdout
    )
    assert check["kind"] == "Pod"
    for each in (*plain, *chosen, check):
        if each["apiVersion"] != OPERATORS:
            validate(each, version, strict=True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"replica": 2},
        {"apiKey": {"key": "x"}},
        {"config": {"instances": []}},
        {"extraArgs": ["run"]},
        {"serviceMonitor": {"additionalLabels": {"a": 1}}},
        {"networkPolicy": {"egressPorts": [0]}},
    ],
)
def test_values_are_checked(wrong: Json, tmp_path: Path) -> None:
    """Helm checks values against the schema, which knows every value."""
    (tmp_path / "values.yaml").write_text(yaml.safe_dump(wrong))
    done = helm("template", "a", str(CHART), "--values", str(tmp_path / "values.yaml"))
    assert done.returncode != 0
    assert "values.schema.json" in done.stderr or "schema" in done.stderr


def test_the_schema_knows_every_value() -> None:
    """The schema has every value of the first two levels."""
    schema = json.loads((CHART / "values.schema.json").read_text("utf-8"))["properties"]
    values = yaml.safe_load((CHART / "values.yaml").read_text("utf-8"))
    assert set(schema) - {"global"} == set(values)
    for name, each in schema.items():
        if each.get("additionalProperties") is False:
            assert set(each["properties"]) == set(values[name]), name


def test_the_version_is_the_exporters() -> None:
    """The versions of the chart and its image are the exporter's."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text("utf-8"))
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_lint() -> None:
    """`helm lint` has no complaints."""
    done = helm("lint", "--strict", str(CHART))
    assert done.returncode == 0, done.stdout + done.stderr
