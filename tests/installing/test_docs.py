"""The flags, files and commands of docs/install.md exist."""

import re
import subprocess
from pathlib import Path
from typing import Final

import pytest
import yaml

from feldera_exporter import cli
from feldera_exporter.config.web_config import CIPHERS, TlsServer
from installing.machine import TEXT, blocks, first_commands
from support.tools import ROOT, tool

WAYS: Final = ("pip", "systemd", "container", "compose", "Kubernetes", "Helm")


@pytest.mark.parametrize("way", WAYS)
def test_each_way_takes_at_most_five_commands(way: str) -> None:
    """The first block of each way has at most five commands."""
    assert 1 <= len(first_commands(way)) <= 5


def test_every_heading_is_linked() -> None:
    """Every heading is linked from the top."""
    titles = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    links = dict(re.findall(r"\[([^]]+)\]\(#([^)]+)\)", TEXT))
    assert [title.lower() for title in titles] == [name.lower() for name in links]
    assert list(links.values()) == [title.lower().replace(" ", "-") for title in titles]


def test_files_exist() -> None:
    """Each named file of this tree exists."""
    names = set(re.findall(r"\b(?:config|alerts)/[\w./-]+\b", TEXT))
    assert "config/kubernetes/kustomization.yaml" in names
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_commands_of_the_program() -> None:
    """The command line accepts each command."""
    found = re.findall(
        r"(?<=feldera-exporter )((?:--(?:storage|web|print)|(?:check|config|rules)(?![\w/]))[^`\n>]*)", TEXT
    )
    assert len(found) > 4
    for words in found:
        arguments = [word for word in words.split() if word != "prints"]
        is_flag = arguments[0].startswith("--") and "completion" not in arguments[0]
        cli.parser().parse_args(["run", *arguments] if is_flag else arguments)


@pytest.mark.parametrize("way", ["Kubernetes", "TLS and passwords"])
def test_prometheus_accepts_the_scrape_configurations(way: str, tmp_path: Path) -> None:
    """Prometheus accepts the scrape configurations of the page."""
    [scrapes] = [each for each in map(yaml.safe_load, blocks(way, "yaml")) if isinstance(each, list)]
    assert [each["honor_labels"] for each in scrapes] == [True]
    for each in scrapes:
        # Debian's Prometheus is built without this.
        for found in each.pop("kubernetes_sd_configs", ()):
            assert found == {"role": "pod", "namespaces": {"names": ["feldera"]}}
    file = tmp_path / "prometheus.yml"
    file.write_text(yaml.safe_dump({"scrape_configs": scrapes}))
    done = subprocess.run(
        [tool("promtool"), "check", "config", "--syntax-only", file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_web_configuration_has_known_keys() -> None:
    """The example has known keys only, and an unknown one is refused."""
    documents = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
    [web] = [each for each in documents if "tls_server_config" in each]
    assert set(web["tls_server_config"]) <= set(TlsServer.__dataclass_fields__)
    assert CIPHERS
