"""Which files with secrets every user of the machine may read."""

from pathlib import Path
from types import MappingProxyType

import pytest

from feldera_exporter.config import (
    Alertmanager,
    Authorization,
    BasicAuth,
    Configuration,
    Instance,
    Secret,
    Tls,
)
from feldera_exporter.config.permissions import readable_by_all


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Return files that their owner and group may read."""
    names = ("exporter.yml", "key", "client.key", "password", "token", "tls.key", "ca.pem", "cert.pem")
    paths = {name: tmp_path / name for name in names}
    for path in paths.values():
        path.write_text("x")
        path.chmod(0o640)
    (tmp_path / "store").mkdir(0o750)
    return paths


def places(files: dict[str, Path], key: Secret | None = None) -> list[str]:
    """Return the places that are said to be readable."""
    folder = files["key"].parent
    alertmanager = Alertmanager(
        ("http://a",),
        tls=Tls(files["ca.pem"], files["cert.pem"], files["tls.key"]),
        basic_auth=BasicAuth("me", files["password"]),
        authorization=Authorization(files["token"]),
    )
    instances = (
        Instance("a", "http://a", api_key_file=files["key"]),
        Instance(
            "b", "http://b", api_key=key, tls=Tls(files["ca.pem"], files["cert.pem"], files["client.key"])
        ),
        Instance("c", "http://c", api_key_file=folder / "gone"),
    )
    configuration = Configuration(instances, alertmanager=alertmanager)
    lines = readable_by_all(configuration, files["exporter.yml"], folder / "store")
    return [line.partition(": every user of this machine may read ")[0] for line in lines]


def test_none(files: dict[str, Path]) -> None:
    """A file that only its owner and its group may read causes no warning."""
    assert places(files, Secret("apikey:x")) == []


def test_all(files: dict[str, Path]) -> None:
    """Each secret that others may read is named; certificates and a configuration without secrets are not."""
    for path in files.values():
        path.chmod(0o644)
    (files["key"].parent / "store").chmod(0o755)
    expected = [
        "instances[0].api_key_file",
        "instances[1].tls.key_file",
        "alertmanager.basic_auth.password_file",
        "alertmanager.authorization.credentials_file",
        "alertmanager.tls.key_file",
        "--storage.path",
    ]
    assert places(files) == expected
    assert places(files, Secret("apikey:x")) == ["--config.file", *expected]


def test_a_secret_in_a_mapping_counts(files: dict[str, Path]) -> None:
    """A secret counts however deep it is in the configuration."""
    files["exporter.yml"].chmod(0o644)
    configuration = Configuration((), alerts=MappingProxyType({"x": Secret("y")}))  # type: ignore[dict-item]
    [line] = readable_by_all(configuration, files["exporter.yml"], None)
    assert line.endswith(f"{files['exporter.yml']}, which holds a secret")
