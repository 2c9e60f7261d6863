"""TLS of the server: the contexts that `--web.config.file` describes; each connection has the newest one."""

import ssl
from collections.abc import Callable, Collection
from types import MappingProxyType
from typing import Any, Final
from weakref import WeakSet

from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.tls import load_own_certificate
from feldera_exporter.config.web_config import CIPHERS, IF_GIVEN, REQUIRED, TlsServer
from feldera_exporter.server import slow_clients

_VERSIONS: Final = MappingProxyType({"TLS12": ssl.TLSVersion.TLSv1_2, "TLS13": ssl.TLSVersion.TLSv1_3})
_VERIFIED: Final = MappingProxyType({IF_GIVEN: ssl.CERT_OPTIONAL, REQUIRED: ssl.CERT_REQUIRED})


def server_context(tls: TlsServer) -> ssl.SSLContext:
    """Return a new context of the files as they are now.

    Raises:
        RefusedError: a certificate, a key or an authority cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version, context.maximum_version = _VERSIONS[tls.min_version], _VERSIONS[tls.max_version]
    context.set_alpn_protocols(["http/1.1"])
    older = [CIPHERS[each] for each in tls.cipher_suites if each in CIPHERS]
    if older:
        context.set_ciphers(":".join(older))
    elif tls.cipher_suites:
        # Those of TLS 1.3 alone are chosen.
        context.minimum_version = ssl.TLSVersion.TLSv1_3
    load_own_certificate(context, tls.cert_file, tls.key_file)
    if tls.client_auth_type in _VERIFIED:
        try:
            context.load_verify_locations(tls.client_ca_file)
        except OSError:
            expected = "certificates in PEM format"
            raise RefusedError(str(tls.client_ca_file), expected, ("client_ca_file",)) from None
        context.verify_mode = _VERIFIED[tls.client_auth_type]
    if tls.client_allowed_sans:
        context.sslobject_class = _named(frozenset(tls.client_allowed_sans))
    return context


def _named(allowed: Collection[str]) -> type[ssl.SSLObject]:
    """Return a class of connections whose handshake fails where the client's certificate has none of some names."""

    class Named(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            certificate = self.getpeercert()
            if not certificate:
                return
            names: Any = certificate.get("subjectAltName", ())
            if not any(name in allowed for _, name in names):
                raise ssl.SSLCertVerificationError("the client's certificate has none of the allowed names")

    return Named


class RenewedContext(ssl.SSLContext):
    """A context for a listener that uses another one for each connection: what `newest` returns.

    It bounds the connections whose handshake has not ended: the HTTP server counts only those whose handshake has.
    """

    newest: Callable[[], ssl.SSLContext]
    connections: WeakSet[ssl.SSLObject]

    def wrap_bio(self, *arguments: Any, **options: Any) -> ssl.SSLObject:
        """Begin a connection, as asyncio's event loops do.

        Raises:
            ssl.SSLError: there are too many; the event loop closes this one.
        """
        # The HTTP server closes its oldest connection at its own limit; half as many again may be at their handshake.
        if len(self.connections) >= slow_clients.MAX_CONNECTIONS * 3 // 2:
            raise ssl.SSLError("too many connections")
        connection = self.newest().wrap_bio(*arguments, **options)
        self.connections.add(connection)
        return connection
