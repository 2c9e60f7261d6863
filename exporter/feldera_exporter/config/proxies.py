"""The proxies that the environment names, looked at before the first connection would fail on them."""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Final

import httpx

from feldera_exporter.config.errors import Mistake, shown
from feldera_exporter.config.validators import reachable_scheme

_PROXIES: Final = ("http_proxy", "https_proxy", "all_proxy")
_EXCEPTIONS: Final = "no_proxy"
_REFUSALS: Final = (ValueError, ImportError, httpx.InvalidURL)


def proxy_mistakes(environ: Mapping[str, str]) -> Iterator[Mistake]:
    """Yield every variable with which no client could be made; httpx reads them as urllib does, in either case."""
    exceptions, hosts = _variable(environ, _EXCEPTIONS)
    if "*" in (names := [each.strip() for each in hosts.split(",")]):
        # Then httpx looks at no proxy.
        return
    for name in _PROXIES:
        variable, address = _variable(environ, name)
        if address and not _is_proxy(address):
            found = "an address with credentials (not shown)" if "@" in address else shown(address)
            expected = "the address of a proxy such as http://proxy.example.com:3128"
            yield Mistake((variable,), f"found {found}, expected {expected}")
    for each in names:
        if each and not _is_exception(each):
            expected = "names and addresses without brackets such as localhost,.example.com,::1"
            yield Mistake((exceptions,), f"found {shown(each)}, expected {expected}")


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return how a variable is written and what it says; the one in small letters outweighs the others."""
    written = [each for each in environ if each.lower() == name and environ[each]]
    variable = name if name in environ or not written else written[-1]
    return variable, environ.get(variable, "")


def _is_proxy(address: str) -> bool:
    full = address if "://" in address else f"http://{address}"
    try:
        httpx.AsyncClient(verify=False, trust_env=False, proxy=full)  # noqa: S501 - it connects to nobody
    except _REFUSALS:
        return False
    return reachable_scheme(full) is not None


def _is_exception(host: str) -> bool:
    pattern = host if "://" in host else f"all://[{host}]" if _is_ipv6(host) else f"all://*{host}"
    try:
        httpx.AsyncClient(verify=False, trust_env=False, mounts={pattern: None})  # noqa: S501 - it connects to nobody
    except _REFUSALS:
        return False
    return True


def _is_ipv6(host: str) -> bool:
    try:
        ipaddress.IPv6Address(host.partition("/")[0])
    except ValueError:
        return False
    return True
