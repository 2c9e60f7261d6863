"""Fixtures of the tests of the configuration."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from feldera_exporter.config import Configuration, load


@pytest.fixture(scope="session")
def families() -> frozenset[str]:
    """Return the metric families that a configuration may exclude."""
    return frozenset({"feldera_pipeline_info", "feldera_pipeline_refresh_version"})


@pytest.fixture
def read(tmp_path: Path, families: frozenset[str]) -> Callable[[str], Configuration]:
    """Return a function that loads a YAML text from a file."""

    def load_text(text: str) -> Configuration:
        path = tmp_path / "exporter.yml"
        path.write_text(text, encoding="utf-8")
        return load(path, {}, families, frozenset({"FelderaPipelineFlapping"}))

    return load_text


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with cert.pem, its key.pem, locked.pem (the key behind a passphrase) and other.pem (another key)."""
    folder = tmp_path_factory.mktemp("certificates")
    for command, *words in (
        (
            "req",
            "-x509",
            "-subj",
            "/CN=localhost",
            "-days",
            "2",
            "-keyout",
            "key.pem",
            "-out",
            "cert.pem",
            "-nodes",
        ),
        (
            "req",
            "-x509",
            "-subj",
            "/CN=other",
            "-days",
            "2",
            "-keyout",
            "other.pem",
            "-out",
            "other.crt",
            "-nodes",
        ),
        ("pkcs8", "-topk8", "-in", "key.pem", "-out", "locked.pem", "-passout", "pass:secret"),
    ):
        new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"] if command == "req" else []
        subprocess.run(["openssl", command, *new_key, *words], cwd=folder, check=True, capture_output=True)
    return folder
