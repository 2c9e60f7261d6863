"""Several exporters that share the pipelines: as many shards as pods, and else what one exporter has."""

from pathlib import Path

import pytest

from deployment.kustomize import Built, Json, build, sharded
from feldera_exporter.cli import parser
from feldera_exporter.fleet.shard import Shard, parsed
from tools import ROOT

PATCH = "sharded/statefulset.yaml"


def _shards(built: Built) -> list[Shard]:
    pods = range(built.one("StatefulSet")["spec"]["replicas"])
    return [parsed(parser().parse_args(built.words(number)).shard) for number in pods]


@pytest.mark.parametrize("replicas", [3, 5])
def test_each_pod_has_a_shard_and_each_shard_a_pod(replicas: int, tmp_path: Path) -> None:
    """Their number is changed in one place."""
    folder = sharded(tmp_path)
    text = (folder / PATCH).read_text(encoding="utf-8")
    assert text.count("replicas: 3\n") == 1
    (folder / PATCH).write_text(text.replace("replicas: 3\n", f"replicas: {replicas}\n"), encoding="utf-8")
    assert _shards(build(folder)) == [Shard(number, replicas) for number in range(replicas)]


def test_nothing_else_is_changed_but_memory(tmp_path: Path) -> None:
    """Every other resource, and all the rest of the StatefulSet, is that of a single exporter."""
    alone, shared = build(ROOT / "config/kubernetes"), build(sharded(tmp_path))
    assert _rest(shared) == _rest(alone)
    assert _memory(shared, "requests") > _memory(alone, "requests")
    assert _memory(shared, "limits") > _memory(alone, "limits")


def _rest(built: Built) -> list[Json]:
    documents = built.documents
    [spec] = [each["spec"] for each in documents if each["kind"] == "StatefulSet"]
    [container] = spec["template"]["spec"]["containers"]
    del spec["replicas"]
    container.pop("env", None)
    container["args"] = [word for word in container["args"] if not word.startswith("--shard=")]
    for kind in container["resources"].values():
        del kind["memory"]
    return documents


def _memory(built: Built, kind: str) -> int:
    return int(built.container["resources"][kind]["memory"].removesuffix("Mi"))
