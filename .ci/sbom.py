"""Print what the package needs to run, with the versions that are installed, as a CycloneDX 1.6 document."""

import json
import os
import re
import sys
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from packaging.markers import Marker

PACKAGE = "feldera-exporter"


def normalized(name: str) -> str:
    """Return a project's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def needed(name: str) -> set[str]:
    """Return the names of what a package needs to run here."""
    found = set()
    for line in metadata.requires(name) or ():
        requirement, _, marker = line.partition(";")
        if "extra" in marker or not holds(marker):
            continue
        found.add(normalized(re.split(r"[^\w.-]", requirement.strip(), maxsplit=1)[0]))
    return found


def holds(marker: str) -> bool:
    """Return whether what a marker says is so here."""
    return not marker.strip() or Marker(marker.strip()).evaluate()


def component(name: str) -> dict[str, Any]:
    """Return a package as CycloneDX has it."""
    about = metadata.metadata(name)
    version = metadata.version(name)
    licence = about.get("License-Expression")
    return {
        "type": "application" if name == PACKAGE else "library",
        "bom-ref": f"pkg:pypi/{name}@{version}",
        "name": name,
        "version": version,
        "purl": f"pkg:pypi/{name}@{version}",
        **({"licenses": [{"expression": licence}]} if licence else {}),
    }


def main() -> None:
    """Print the document."""
    graph: dict[str, set[str]] = {}
    waiting = [PACKAGE]
    while waiting:
        name = waiting.pop()
        if name not in graph:
            graph[name] = needed(name)
            waiting += graph[name]
    parts = {name: component(name) for name in sorted(graph)}
    moment = datetime.fromtimestamp(int(os.environ.get("SOURCE_DATE_EPOCH", "0")), UTC)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"), "component": parts[PACKAGE]},
        "components": [part for name, part in parts.items() if name != PACKAGE],
        "dependencies": [
            {
                "ref": parts[name]["bom-ref"],
                "dependsOn": sorted(parts[each]["bom-ref"] for each in graph[name]),
            }
            for name in parts
        ],
    }
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
