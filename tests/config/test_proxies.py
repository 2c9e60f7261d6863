"""Proxies from the environment."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from feldera_exporter.config import Instance, load
from feldera_exporter.config.loader import from_environment
from feldera_exporter.config.proxies import is_exempt, proxy_for, proxy_mistakes
from feldera_exporter.errors import ConfigError

PROXY = "expected the address of a proxy such as http://proxy.example.com:3128"
P, Q = "http://p:1", "http://q:2"


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("http://feldera", {}, None),
        ("http://feldera", {"HTTP_PROXY": P, "HTTPS_PROXY": Q}, P),
        ("https://feldera", {"HTTP_PROXY": P, "HTTPS_PROXY": Q}, Q),
        ("https://feldera", {"HTTP_PROXY": P}, None),
        ("https://feldera", {"HTTP_PROXY": P, "ALL_PROXY": Q}, Q),
        ("http://feldera", {"HTTP_PROXY": P, "ALL_PROXY": Q}, P),
        # Small letters outweigh capitals, also where they are empty; blanks do not count.
        ("http://feldera", {"http_proxy": P, "HTTP_PROXY": Q}, P),
        ("http://feldera", {"http_proxy": "", "HTTP_PROXY": Q}, None),
        ("http://feldera", {"HTTP_PROXY": f" {P} "}, P),
        ("http://feldera", {"http_proxy": "p:1"}, P),
        ("http://feldera", {"http_proxy": P, "no_proxy": "*"}, None),
        ("http://feldera", {"http_proxy": P, "NO_PROXY": "other,feldera"}, None),
        ("http://feldera:8080", {"http_proxy": P, "NO_PROXY": "feldera:80"}, P),
        ("http://[fd07::1]:8080", {"http_proxy": P, "NO_PROXY": "fd07::/64"}, None),
        ("http://10.1.2.3", {"http_proxy": P, "NO_PROXY": "10.0.0.0/8"}, None),
    ],
)
def test_which_proxy(url: str, environ: Mapping[str, str], proxy: str | None) -> None:
    """The proxy is in the variable of the scheme, else in the one for all; an exempt server has none."""
    assert proxy_for(url, environ) == proxy


@pytest.mark.parametrize(
    ("host", "exemptions"),
    [
        ("feldera.example.com", "feldera.example.com"),
        ("Feldera.Example.com.", "a, FELDERA.example.COM"),
        ("feldera.example.com", "example.com"),
        ("feldera.example.com", ".example.com"),
        ("feldera.example.com", "*.example.com"),
        ("example.com", ".example.com"),
        ("feldera.example.com", "example.com:8080"),
        ("feldera.example.com", "a b\texample.com"),
        ("feldera.example.com", "a,*"),
        ("10.1.2.3", "10.1.2.3"),
        ("10.1.2.3", "10.1.2.3:8080"),
        ("10.1.2.3", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.99/8"),
        ("10.1.2.3", "0.0.0.0/0"),
        ("::1", "::1"),
        ("::1", "[::1]"),
        ("::1", "[::1]:8080"),
        ("::1", "::1/128"),
        ("::1", "[::1]/128"),
        ("fd07::17", "[fd07::]/64"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("fd07::17", "fd07::/64"),
        ("fe80::1%eth0", "fe80::/10"),
    ],
)
def test_what_is_exempt(host: str, exemptions: str) -> None:
    """Exemptions match as in curl and Go, at the port 8080."""
    assert is_exempt(host, 8080, exemptions)


@pytest.mark.parametrize(
    ("host", "exemptions"),
    [
        ("feldera.example.com", ""),
        ("feldera.example.com", ",, ,"),
        ("feldera.example.com", "ample.com"),
        ("example.com", "feldera.example.com"),
        ("example.com.org", "example.com"),
        ("feldera.example.com", "example.com:80"),
        ("feldera.example.com", "10.0.0.0/8,."),
        ("10.1.2.3", "10.1.2.30,1.2.3,.1.2.3"),
        ("10.1.2.3", "11.0.0.0/8"),
        ("10.1.2.3", "10.0.0.0/33,10.0.0.0/-1,10.0.0/8,10/8"),
        ("10.1.2.3", "::/0"),
        ("10.1.2.3", "10.1.2.3:80"),
        ("::1", "[::1]:80"),
        ("::1", "fd07::/64,0.0.0.0/0"),
    ],
)
def test_what_is_not_exempt(host: str, exemptions: str) -> None:
    """An entry that is no name, address or network exempts nothing, and is no mistake."""
    assert not is_exempt(host, 8080, exemptions)
    assert not is_exempt("other", 8080, exemptions)


@pytest.mark.parametrize(
    ("environ", "mistake"),
    [
        ({"ALL_PROXY": "socks5://proxy:1080"}, f'ALL_PROXY: found "socks5://proxy:1080", {PROXY}'),
        ({"HTTP_PROXY": "ftp://proxy"}, f'HTTP_PROXY: found "ftp://proxy", {PROXY}'),
        ({"HTTP_PROXY": "x", "http_proxy": "http://[::1"}, f'http_proxy: found "http://[::1", {PROXY}'),
        ({"HTTP_PROXY": "h:x"}, f'HTTP_PROXY: found "h:x", {PROXY}'),
        (
            {"http_proxy": "me:secret@proxy:x"},
            f"http_proxy: found an address with credentials (not shown), {PROXY}",
        ),
        ({"all_proxy": "http://xn--"}, f'all_proxy: found "http://xn--", {PROXY}'),
        ({"all_proxy": "http://a..b:3128"}, f'all_proxy: found "http://a..b:3128", {PROXY}'),
        ({"all_proxy": "http://"}, f'all_proxy: found "http://", {PROXY}'),
    ],
)
def test_what_cannot_be_used(environ: dict[str, str], mistake: str, tmp_path: Path) -> None:
    """A wrong variable is named, with a configuration file and without, and no password is repeated."""
    (tmp_path / "exporter.yml").write_text(
        "instances: [{name: a, url: http://feldera}, {name: b, url: http://c}]"
    )
    for read in _both(tmp_path / "exporter.yml", environ):
        with pytest.raises(ConfigError) as caught:
            read()
        assert caught.value.mistakes == (mistake,)
        assert "secret" not in repr(caught.value)


@pytest.mark.parametrize(
    "environ",
    [
        {"HTTPS_PROXY": "ftp://proxy"},
        {"ALL_PROXY": "socks5://proxy:1080", "NO_PROXY": "feldera"},
        {"ALL_PROXY": "socks5://proxy:1080", "all_proxy": "http://proxy"},
        {"NO_PROXY": "::1/128,fd07::/64,[::1],[::1"},
        {"http_proxy": "https://me:secret@proxy.example.com"},
    ],
)
def test_what_no_instance_needs_is_no_mistake(environ: dict[str, str]) -> None:
    """A wrong variable that no instance needs is no mistake, nor is a good one."""
    assert list(proxy_mistakes([Instance("a", "http://feldera")], environ)) == []


def _both(path: Path, environ: Mapping[str, str]) -> tuple[Callable[[], object], Callable[[], object]]:
    return (
        lambda: load(path, environ, (), ()),
        lambda: from_environment({"FELDERA_HOST": "http://feldera", **environ}),
    )
