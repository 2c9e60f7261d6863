"""The objects of a kustomization, as kubectl's own Kustomize builds it."""

import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

Json = dict[str, Any]

KUBECTL: Final = Path(sysconfig.get_path("scripts")) / "kubectl"


@dataclass(frozen=True, slots=True)
class BuiltKustomization:
    """A kustomization with what it came to."""

    folder: Path
    text: str

    @property
    def documents(self) -> list[Json]:
        """Return the resources."""
        return list(yaml.load_all(self.text, Loader=yaml.CSafeLoader))

    def only(self, kind: str) -> Json:
        """Return the one resource of a kind."""
        [found] = [document for document in self.documents if document["kind"] == kind]
        return found

    @property
    def pod(self) -> Json:
        """Return the template of the pods."""
        template: Json = self.only("StatefulSet")["spec"]["template"]
        return template

    @property
    def container(self) -> Json:
        """Return the one container of each pod."""
        [container] = self.pod["spec"]["containers"]
        found: Json = container
        return found

    @property
    def words(self) -> list[str]:
        """Return the arguments that the program gets."""
        found: list[str] = self.container["args"]
        return found


def build(folder: Path) -> BuiltKustomization:
    """Build a kustomization.

    Raises:
        AssertionError: Kustomize refuses it, or has something to say about it.
    """
    done = subprocess.run(
        [str(KUBECTL), "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return BuiltKustomization(folder, done.stdout)
