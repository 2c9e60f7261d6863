"""Connection errors in words: what is wrong with an address, instead of the failed step in the library."""

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

import httpx

# OpenSSL's X509_V_ERR_* (x509_vfy.h).
_EXPIRED: Final = 10
_CERTIFICATES: Final = MappingProxyType(
    {
        9: "the certificate of {host} is not valid yet",
        _EXPIRED: "the certificate of {host} has expired",
        18: "the certificate of {host} is self-signed: name its file as tls.ca_file",
        19: "the certificate of {host} is signed by an authority that is not trusted: name its file as tls.ca_file",
        20: "the certificate of {host} is signed by an authority that is not trusted: name its file as tls.ca_file",
        62: "the certificate is not for {host}",
        64: "the certificate is not for {host}",
    }
)
_ADDRESSES: Final = MappingProxyType(
    {
        errno.ECONNREFUSED: "nothing listens at {address}",
        errno.EHOSTUNREACH: "there is no route to {address}",
        errno.ENETUNREACH: "there is no route to {address}",
    }
)
# The text of h11 for a response that begins with a control character, as a TLS alert does.
_TLS_ALERT: Final = "illegal request line"
_PLAIN: Final = frozenset(
    {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"}
)


# The times of a certificate in DER, UTCTime or GeneralizedTime: the first is `notBefore`, the second `notAfter` (RFC 5280).
_TIMES: Final = re.compile(rb"(?:\x17\r|\x18\x0f20)(\d\d)(\d\d)(\d\d)\d{6}Z")
_PAIR: Final = 2
_DER: Final = 2


class DatedHandshake(ssl.SSLObject):
    """A connection whose handshake notes in its error when the server's certificate expired."""

    def do_handshake(self) -> None:
        """Shake hands; see `ssl`."""
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            if error.verify_code == _EXPIRED:
                # Python 3.13 has a method for this; the object inside has had it since 3.10.
                chain = self._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
                times = (_TIMES.findall(each.public_bytes(_DER)) for each in chain)
                # One that ends after 2099 has not expired, and has only one time of this form.
                ends = [pair[1] for pair in times if len(pair) == _PAIR]
                if ends:
                    error.add_note((b"20%b-%b-%b" % min(ends)).decode())
            raise


def connection_error(error: BaseException, url: httpx.URL) -> str:
    """Return what is wrong with the address of a request; without a known reason, the text of the error."""
    own = str(error) or type(error).__name__
    if own.startswith("the proxy "):
        # From `feldera.connections`: the proxy failed, not the address.
        return own
    if own == _TLS_ALERT:
        return "this port speaks HTTPS: use https://"
    text = next(filter(None, map(_text, _causes(error))), None)
    port = url.port or (443 if url.scheme == "https" else 80)
    return own if text is None else text.format(host=url.host, address=f"{url.host}:{port}")


def _text(error: BaseException) -> str:
    """Return the meaning of one error of the chain, empty if it is unknown."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == _EXPIRED and (dates := getattr(error, "__notes__", ())):
            return f"the certificate of {{host}} expired on {dates[0]}"
        return _CERTIFICATES.get(error.verify_code, "")
    if isinstance(error, ssl.SSLError):
        return "this port does not speak HTTPS: use http://" if error.reason in _PLAIN else ""
    if isinstance(error, socket.gaierror):
        return "the name {host} does not resolve"
    if isinstance(error, OSError) and error.errno is not None:
        return _ADDRESSES.get(error.errno, "")
    return ""


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes, and those of each error of a group."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for each in error.exceptions:
                yield from _causes(each)
        error = error.__cause__ or error.__context__
