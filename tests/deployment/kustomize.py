"""What a kustomization comes to, as kubectl's own Kustomize builds it, and how Kubernetes reads the pods in it."""

import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tools import ROOT

Json = dict[str, Any]

KUBECTL: Final = Path(sysconfig.get_path("scripts")) / "kubectl"
OFFER: Final = "# components:\n#   - sharded\n"
"""The lines of the kustomization that shard the exporter where they are no comment."""


@dataclass(frozen=True, slots=True)
class Built:
    """A kustomization with what it came to."""

    folder: Path
    text: str

    @property
    def documents(self) -> list[Json]:
        """Return the resources."""
        return list(yaml.load_all(self.text, Loader=yaml.CSafeLoader))

    def one(self, kind: str) -> Json:
        """Return the one resource of a kind."""
        [found] = [document for document in self.documents if document["kind"] == kind]
        return found

    @property
    def pod(self) -> Json:
        """Return the template of the pods."""
        template: Json = self.one("StatefulSet")["spec"]["template"]
        return template

    @property
    def container(self) -> Json:
        """Return the one container of each pod."""
        [container] = self.pod["spec"]["containers"]
        found: Json = container
        return found

    def words(self, number: int = 0) -> list[str]:
        """Return the arguments that the program gets in a pod, counted from 0."""
        labels = {"metadata.labels['apps.kubernetes.io/pod-index']": str(number)}
        values = {
            each["name"]: each["value"]
            if "value" in each
            else labels[each["valueFrom"]["fieldRef"]["fieldPath"]]
            for each in self.container.get("env", ())
        }
        return [_expanded(word, values) for word in self.container["args"]]


def _expanded(word: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\$\((\w+)\)", lambda found: values[found[1]], word)


def build(folder: Path) -> Built:
    """Build a kustomization.

    Raises:
        AssertionError: Kustomize refuses it, or has something to say about it.
    """
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return Built(folder, done.stdout)


def sharded(place: Path) -> Path:
    """Copy the kustomization to a place, with its offer of shards taken, and return its folder."""
    for name in ("alerts", "config"):
        shutil.copytree(ROOT / name, place / name)
    folder = place / "config/kubernetes"
    file = folder / "kustomization.yaml"
    text = file.read_text(encoding="utf-8")
    assert OFFER in text
    file.write_text(text.replace(OFFER, OFFER.replace("# ", "")), encoding="utf-8")
    return folder
