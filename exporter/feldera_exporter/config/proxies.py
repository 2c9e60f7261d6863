"""The proxies of the environment, with the rules of curl and Go."""

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from feldera_exporter.config.errors import Mistake, shown
from feldera_exporter.config.schema import Instance
from feldera_exporter.config.validators import http_scheme

_PORTS: Final = {"http": 80, "https": 443}
_SEPARATORS: Final = re.compile(r"[\s,]+")
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def proxy_for(url: str, environ: Mapping[str, str]) -> str | None:
    """Return the address of the proxy for a server, with its scheme; None for a direct connection.

    `http_proxy` is for http, `https_proxy` for https, `all_proxy` for both if these are not set. A variable in lower case
    overrides one in upper case.
    """
    _, address = _proxy_variable(url, environ)
    return _complete(address) if address else None


def proxy_mistakes(instances: Iterable[Instance], environ: Mapping[str, str]) -> Iterator[Mistake]:
    """Yield a mistake for every variable whose proxy an instance needs and that is not a valid address."""
    for variable, address in dict.fromkeys(_proxy_variable(instance.url, environ) for instance in instances):
        if address and http_scheme(_complete(address)) is None:
            found = "an address with credentials (not shown)" if "@" in address else shown(address)
            expected = "the address of a proxy such as http://proxy.example.com:3128"
            yield Mistake((variable,), f"found {found}, expected {expected}")


def _proxy_variable(url: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the variable of a server's proxy and its value; two empty texts for a direct connection."""
    _, exemptions = _variable(environ, "no_proxy")
    parts = urlsplit(url)
    if not is_exempt(parts.hostname or "", parts.port or _PORTS[parts.scheme], exemptions):
        for name in (f"{parts.scheme}_proxy", "all_proxy"):
            variable, address = _variable(environ, name)
            if address:
                return variable, address
    return "", ""


def is_exempt(host: str, port: int, exemptions: str) -> bool:
    """Return whether a host, which has no brackets, is reached without a proxy.

    The exemptions are the value of `NO_PROXY`, separated by commas or blanks: a domain, which includes its subdomains and
    may begin with a dot or `*.`; an address; a network such as 10.0.0.0/8 or fd00::/8; each also in brackets or with a
    port; `*` for every host. Other texts have no effect.
    """
    name = host.rstrip(".").lower()
    address = _address(name)
    return any(_matches(each, name, address, port) for each in _SEPARATORS.split(exemptions.lower()) if each)


def _matches(exemption: str, name: str, address: _Address | None, port: int) -> bool:
    if exemption == "*":
        return True
    wanted, wanted_port = _split(exemption)
    if wanted_port not in {"", str(port)}:
        return False
    if address is not None:
        try:
            network = ipaddress.ip_network(wanted, strict=False)
        except ValueError:
            return False
        return network.version == address.version and address in network
    wanted = wanted.removeprefix("*").strip(".")
    return bool(wanted) and (name == wanted or name.endswith(f".{wanted}"))


def _split(exemption: str) -> tuple[str, str]:
    """Return the host and the port of an exemption; an IPv6 address has brackets where there is a port."""
    if exemption.startswith("["):
        inside, _, after = exemption[1:].partition("]")
        if after.startswith("/"):
            return inside + after, ""
        return inside, after.removeprefix(":")
    host, colon, port = exemption.partition(":")
    return (host, port) if colon and ":" not in port else (exemption, "")


def _address(host: str) -> _Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _variable(environ: Mapping[str, str], name: str) -> tuple[str, str]:
    """Return a variable's name as it is set, and its value; the lower-case name overrides the other."""
    variable = name if name in environ else name.upper()
    return variable, environ.get(variable, "").strip()


def _complete(address: str) -> str:
    return address if "://" in address else f"http://{address}"
