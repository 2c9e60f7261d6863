"""The proxies that the environment names."""

from collections.abc import Callable, Mapping
from pathlib import Path

import httpx
import pytest

from feldera_exporter.config import from_environment, load
from feldera_exporter.config.proxies import proxy_mistakes
from feldera_exporter.errors import ConfigError

PROXY = "expected the address of a proxy such as http://proxy.example.com:3128"
EXCEPTION = "expected names and addresses without brackets such as localhost,.example.com,::1"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTPS_PROXY": ""},
        {"HTTP_PROXY": "proxy:3128", "https_proxy": "https://me:secret@proxy.example.com"},
        {"NO_PROXY": "localhost, .example.com,::1,10.0.0.0/8,http://a,,"},
        # Small letters outweigh capitals, and * switches every proxy off.
        {"ALL_PROXY": "socks5://x", "all_proxy": ""},
        {"ALL_PROXY": "socks5://x", "all_proxy": "http://x"},
        {"HTTPS_PROXY": "ftp://x", "no_proxy": "a,*"},
    ],
)
def test_what_httpx_takes(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A client can be made of it, and nothing is said."""
    _set(environ, monkeypatch)
    httpx.AsyncClient(verify=False)
    assert list(proxy_mistakes(environ)) == []


@pytest.mark.parametrize(
    ("environ", "mistake"),
    [
        ({"ALL_PROXY": "socks5://proxy:1080"}, f'ALL_PROXY: found "socks5://proxy:1080", {PROXY}'),
        ({"HTTPS_PROXY": "ftp://proxy"}, f'HTTPS_PROXY: found "ftp://proxy", {PROXY}'),
        ({"HTTPS_PROXY": "x", "https_proxy": "http://[::1"}, f'https_proxy: found "http://[::1", {PROXY}'),
        ({"Http_Proxy": "h:x"}, f'Http_Proxy: found "h:x", {PROXY}'),
        (
            {"http_proxy": "me:secret@proxy:x"},
            f"http_proxy: found an address with credentials (not shown), {PROXY}",
        ),
        ({"NO_PROXY": "localhost,[::1"}, f'NO_PROXY: found "[::1", {EXCEPTION}'),
        ({"no_proxy": "[::1]"}, f'no_proxy: found "[::1]", {EXCEPTION}'),
        ({"no_proxy": "fe80::/10"}, f'no_proxy: found "fe80::/10", {EXCEPTION}'),
    ],
)
def test_what_httpx_refuses(
    environ: dict[str, str], mistake: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The variable is named, with a configuration file and without one, and no password is repeated."""
    _set(environ, monkeypatch)
    with pytest.raises((ValueError, ImportError, httpx.InvalidURL)):
        httpx.AsyncClient(verify=False)
    (tmp_path / "exporter.yml").write_text("instances: [{name: a, url: http://feldera}]")
    for read in _both(tmp_path / "exporter.yml", environ):
        with pytest.raises(ConfigError) as caught:
            read()
        assert caught.value.mistakes == (mistake,)
        assert "secret" not in repr(caught.value)


@pytest.mark.parametrize("address", ["http://xn--", "http://a..b:3128", "http://"])
def test_a_proxy_that_nobody_finds(address: str) -> None:
    """What httpx only refuses with the first request is a mistake as well."""
    assert [str(each) for each in proxy_mistakes({"all_proxy": address})] == [
        f'all_proxy: found "{address}", {PROXY}'
    ]


def _set(environ: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        for written in (name, name.upper()):
            monkeypatch.delenv(written, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)


def _both(path: Path, environ: Mapping[str, str]) -> tuple[Callable[[], object], Callable[[], object]]:
    return (
        lambda: load(path, environ, (), ()),
        lambda: from_environment({"FELDERA_HOST": "http://feldera", **environ}),
    )
