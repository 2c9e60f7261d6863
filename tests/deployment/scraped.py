"""A real Prometheus that scrapes exporters as the Prometheus operator configures it for the ServiceMonitor."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import yaml

from support.exporter_process import prometheus

Json = dict[str, Any]

OF_THE_OPERATOR: Final = ("namespace", "service", "pod", "container", "endpoint")
"""The labels that it gives to every target beside `job` and `instance`."""


def scrape(
    monitor: Json,
    target: str,
    pod: str,
    *,
    honor_labels: bool | None = None,
    labels: Mapping[str, str] | None = None,
) -> Json:
    """Return the scrape that the operator makes of a ServiceMonitor, for one pod.

    Source: prometheus-operator `pkg/prometheus/promcfg.go`.

    Args:
        monitor: the ServiceMonitor, with one endpoint.
        target: the `host:port` of the exporter.
        pod: the name of its pod.
        honor_labels: whether a sample's labels win over the target's; None for what the ServiceMonitor says.
        labels: further ones of the target, as `podTargetLabels` or another configuration give them.
    """
    [endpoint] = monitor["spec"]["endpoints"]
    discovered = {
        "namespace": "feldera",
        "service_name": monitor["metadata"]["name"],
        "pod_name": pod,
        "pod_container_name": "exporter",
    }
    meta = {f"__meta_kubernetes_{name}": value for name, value in discovered.items()}
    found = {"namespace": "namespace", "service_name": "service", "pod_name": "pod"}
    found["pod_container_name"] = "container"
    return {
        "job_name": f"serviceMonitor/feldera/{monitor['metadata']['name']}/{pod}",
        "honor_labels": endpoint.get("honorLabels", False) if honor_labels is None else honor_labels,
        "metrics_path": endpoint["path"],
        "scrape_interval": "1s",
        "static_configs": [{"targets": [target], "labels": {**meta, **(labels or {})}}],
        "relabel_configs": [
            *(
                {"source_labels": [f"__meta_kubernetes_{name}"], "target_label": label}
                for name, label in found.items()
            ),
            {"source_labels": ["__meta_kubernetes_service_name"], "target_label": "job"},
            {"target_label": "endpoint", "replacement": endpoint["port"]},
            *map(_relabeling, endpoint["relabelings"]),
        ],
    }


def _relabeling(rule: Json) -> Json:
    names = {"sourceLabels": "source_labels", "targetLabel": "target_label"}
    return {names.get(key, key): value for key, value in rule.items()}


@contextmanager
def scraping(folder: Path, scrapes: Sequence[Json], rules: Sequence[Path] = ()) -> Iterator[str]:
    """Run a Prometheus with these scrapes and rule files until the context ends, and give its address."""
    configuration = folder / "prometheus.yml"
    document = {
        "global": {"evaluation_interval": "1s"},
        "rule_files": [str(path.resolve()) for path in rules],
        "scrape_configs": list(scrapes),
    }
    configuration.write_text(yaml.safe_dump(document), encoding="utf-8")
    with prometheus(configuration, folder / "data") as url:
        yield url
