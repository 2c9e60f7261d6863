"""The addresses at which the program listens, and its errors."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from feldera_exporter import cli
from feldera_exporter.errors import ConfigError, ListenError
from feldera_exporter.server.listener import bind


@pytest.mark.parametrize(
    ("address", "family", "host"),
    [
        ("127.0.0.1:0", socket.AF_INET, "127.0.0.1"),
        ("localhost:0", socket.AF_INET, "127.0.0.1"),
        ("0.0.0.0:0", socket.AF_INET, "0.0.0.0"),
        (":0", socket.AF_INET6, "::"),
        ("[::1]:0", socket.AF_INET6, "::1"),
        ("[::]:0", socket.AF_INET6, "::"),
    ],
)
def test_an_address_is_listened_on(address: str, family: int, host: str) -> None:
    """The address may be of either family, a name, or empty for all addresses."""
    with bind(address) as listener:
        assert (listener.family, listener.getsockname()[0]) == (family, host)


def test_without_ipv6_every_address_is_every_ipv4_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without IPv6 all addresses are those of IPv4."""
    monkeypatch.setattr(socket, "has_dualstack_ipv6", lambda: False)
    with bind(":0") as listener:
        assert (listener.family, listener.getsockname()[0]) == (socket.AF_INET, "0.0.0.0")


@pytest.mark.parametrize(
    "address",
    [
        "",
        "10058",
        "localhost",
        "localhost:",
        "localhost:http",
        "localhost:-1",
        "localhost:65536",
        "localhost:123456",
        "localhost:٣",
        "::1:10058",
        "[::1:10058",
        "[::1]",
        "[localhost]:80",
        "a b:80",
        "http://localhost:80",
        "localhost:80/metrics",
    ],
)
def test_what_is_no_address(address: str) -> None:
    """The error has what was found and what is expected."""
    with pytest.raises(ConfigError) as caught:
        bind(address)
    [mistake] = caught.value.mistakes
    assert mistake == (f"--web.listen-address: found {address!r}, expected host:port, :port or [v6]:port")


@pytest.mark.parametrize("address", ["unknown.invalid:80", "256.0.0.1:80", f"{'x' * 80}.invalid:80"])
def test_a_host_that_is_none(address: str) -> None:
    """A host that does not resolve is an error as well."""
    with pytest.raises(ListenError, match=r"^cannot listen on .*: it is no address or name of this machine$"):
        bind(address)


def test_an_address_of_another_machine() -> None:
    """An address of another machine is an error."""
    with pytest.raises(
        ListenError, match=r"^cannot listen on 192.0.2.1:80: Cannot assign requested address$"
    ):
        bind("192.0.2.1:80")


def test_a_busy_port(tmp_path: Path) -> None:
    """The program ends with one line and exit code 1 where a port is in use."""
    (tmp_path / "exporter.yml").write_text("instances: [{name: prod, url: 'http://127.0.0.1:9'}]\n")
    command = [sys.executable, "-m", "feldera_exporter", f"--config.file={tmp_path}/exporter.yml"]
    with bind("127.0.0.1:0") as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        command.append(f"--web.listen-address={address}")
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    said = f"error: cannot listen on {address}: Address already in use\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


@pytest.mark.parametrize(
    ("flag", "said"),
    [
        ("--web.listen-address=nonsense", "--web.listen-address: found 'nonsense', expected "),
        ("--web.telemetry-path=metrics", "--web.telemetry-path: found 'metrics', expected "),
        ("--web.telemetry-path=", "--web.telemetry-path: found '', expected "),
        ("--web.telemetry-path=/a b", "--web.telemetry-path: found '/a b', expected "),
        ("--web.telemetry-path=/a?b", "--web.telemetry-path: found '/a?b', expected "),
        ("--config.file=/nonexistent", "/nonexistent: found no file that can be read"),
    ],
)
def test_a_wrong_flag(
    flag: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong flag is one line with what was found and expected, and exit code 2."""
    monkeypatch.setenv("FELDERA_HOST", "http://127.0.0.1:9")
    code = cli.main([flag])
    out, text = capsys.readouterr()
    assert (code, out, text.startswith(f"error: {said}"), text.count("\n")) == (2, "", True, 1), text
