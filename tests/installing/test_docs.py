"""The flags, files and commands of docs/install.md exist."""

import re
from typing import Final

import pytest
import yaml

from feldera_exporter import cli
from feldera_exporter.config.web_config import CIPHERS, TlsServer
from support.tools import ROOT

TEXT: Final = (ROOT / "docs/install.md").read_text(encoding="utf-8")
WAYS: Final = ("pip", "systemd", "container", "compose", "Kubernetes", "Helm")


def section(title: str) -> str:
    """Return what stands below a heading."""
    return TEXT.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_takes_at_most_five_commands(way: str) -> None:
    """The first block of each way has at most five commands."""
    [first, *_] = re.findall(r"```sh\n(.*?)```", section(way), re.DOTALL)
    commands = first.replace("\\\n", "").splitlines()
    assert 1 <= len(commands) <= 5


def test_every_heading_is_linked() -> None:
    """Every heading is linked from the top."""
    titles = re.findall(r"^## (.*)$", TEXT, re.MULTILINE)
    links = dict(re.findall(r"\[([^]]+)\]\(#([^)]+)\)", TEXT))
    assert [title.lower() for title in titles] == [name.lower() for name in links]
    assert list(links.values()) == [title.lower().replace(" ", "-") for title in titles]


def test_files_exist() -> None:
    """Each named file of this tree exists."""
    names = set(re.findall(r"\b(?:config|alerts)/[\w./-]+\b", TEXT))
    assert "config/systemd/feldera-exporter.service" in names
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


def test_the_web_configuration_has_known_keys() -> None:
    """The example has known keys only, and an unknown one is refused."""
    documents = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
    [web] = [each for each in documents if "tls_server_config" in each]
    assert set(web["tls_server_config"]) <= set(TlsServer.__dataclass_fields__)
    assert CIPHERS
