"""Certificates for servers on loopback, made by the `openssl` command."""

import subprocess
from pathlib import Path

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")


def make(folder: Path) -> None:
    """Make an authority (ca.pem), and a server's and a client's certificate that it signed: NAME.pem and NAME.key."""
    _openssl(folder, "req", "-x509", *_KEY, "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    for name, alternative in (("server", "IP:127.0.0.1"), ("client", "DNS:exporter")):
        _openssl(folder, "req", *_KEY[:-2], "-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        (folder / "extensions").write_text(f"subjectAltName={alternative}\n")
        signed = (
            "-CA",
            "ca.pem",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "extensions",
        )
        _openssl(folder, "x509", "-req", "-in", f"{name}.csr", *signed, "-out", f"{name}.pem")


def _openssl(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
