"""The output of `config`."""

from pathlib import Path

import pytest
import yaml

from feldera_exporter import cli
from feldera_exporter.config import load
from feldera_exporter.metrics.catalogue import KNOWN_FAMILIES
from feldera_exporter.rules.alert_names import NAMES
from support.tools import ROOT

FULL = """\
instances:
  - name: prod
    url: https://feldera.example.com
    api_key_file: key
    poll_interval: 1m30s
    timeout: 250ms
    max_response_size: 10MB
    pipelines: {include: ["a.*", b], exclude: [ab]}
  - {name: test, url: "http://localhost:8080"}
limits:
  defaults: {Provisioning: none, Own: 2d}
  overrides: [{name: "etl-.*", limits: {Bootstrapping: none}}, {tag: slow, limits: {Provisioning: 30m}}]
tag_labels: {owner: "owner=(.+)"}
metrics: {exclude: [feldera_pipeline_refresh_version]}
alerts: {FelderaPipelineFlapping: {enabled: false}, FelderaPipelineDeploymentError: {severity: warning, labels: {a: b}}}
alert_labels: {env: prod}
severities: {critical: page}
alertmanager: {urls: ["http://a:9093"], labels: {cluster: eu}, basic_auth: {username: me, password_file: key}}
"""


def printed(capsys: pytest.CaptureFixture[str], *flags: str) -> str:
    """Return what the command prints."""
    assert cli.main(["config", *flags]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


def test_the_default_with_its_comments(capsys: pytest.CaptureFixture[str]) -> None:
    """The default configuration is the example file, byte for byte, also in the wheel."""
    place = "config/exporter.yml"
    assert printed(capsys) == (ROOT / place).read_text(encoding="utf-8")
    assert f'"{place}" = "feldera_exporter/shipped/{place}"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("text", [FULL, "instances: [{name: a, url: 'http://a'}]\n"])
def test_what_a_file_amounts_to(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The printed configuration has every default, and gives the same configuration when it is read."""
    (tmp_path / "key").write_text("apikey:TopSecret")
    (tmp_path / "exporter.yml").write_text(text)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/printed.yml").write_text(
        printed(capsys, f"--config.file={tmp_path / 'exporter.yml'}")
    )
    first, second = (
        load(tmp_path / name, {}, KNOWN_FAMILIES, NAMES) for name in ("exporter.yml", "elsewhere/printed.yml")
    )
    assert second == first
    assert "staleness: 5m" in (tmp_path / "elsewhere/printed.yml").read_text()


def test_secrets_are_hidden(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A key and the values of headers are hidden; the names of headers are shown."""
    (tmp_path / "exporter.yml").write_text(
        "instances: [{name: a, url: 'http://a', api_key: TopSecret, headers: {X-Token: TopSecret too}}]\n"
    )
    said = printed(capsys, f"--config.file={tmp_path / 'exporter.yml'}")
    [instance] = yaml.safe_load(said)["instances"]
    assert (instance["api_key"], instance["headers"]) == ("<secret>", {"X-Token": "<secret>"})
    assert "TopSecret" not in said


def test_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistake is reported as by the other commands."""
    (tmp_path / "exporter.yml").write_text("instances: []\n")
    assert cli.main(["config", f"--config.file={tmp_path / 'exporter.yml'}"]) == cli.BAD_USAGE
    assert "instances: found an empty list" in capsys.readouterr().err
