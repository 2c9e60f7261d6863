"""The file of `--web.config.file`, in the format of Prometheus's exporter-toolkit (docs/web-configuration.md)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

from feldera_exporter.config import validators
from feldera_exporter.config.conversion import Context, structured
from feldera_exporter.config.errors import RefusedError
from feldera_exporter.config.schema import File, Flag, NonEmptyText, SecretText, Username
from feldera_exporter.config.secret import Secret
from feldera_exporter.config.yaml_document import read
from feldera_exporter.errors import ConfigError

CIPHERS: Final = MappingProxyType(
    {
        "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256": "ECDHE-ECDSA-AES128-GCM-SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "ECDHE-ECDSA-AES256-GCM-SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-ECDSA-CHACHA20-POLY1305",
        "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256": "ECDHE-RSA-AES128-GCM-SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384": "ECDHE-RSA-AES256-GCM-SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256": "ECDHE-RSA-CHACHA20-POLY1305",
    }
)
"""OpenSSL's names of the TLS 1.2 cipher suites that Go calls secure (RFC 5289, RFC 7905)."""

_TLS13_CIPHERS: Final = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""The cipher suites of TLS 1.3, which are always enabled, as in Go."""

NO_CERTIFICATE: Final = "NoClientCert"
IF_GIVEN: Final = "VerifyClientCertIfGiven"
REQUIRED: Final = "RequireAndVerifyClientCert"

# Cost 4 to 31; `crypt` and Go write $2a$, $2b$ and $2y$ for the same.
_BCRYPT: Final = re.compile(r"\$2[aby]\$(0[4-9]|[12][0-9]|3[01])\$[./A-Za-z0-9]{53}")
_HEADERS: Final = (
    "Content-Security-Policy",
    "Strict-Transport-Security",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "X-XSS-Protection",
)


def _password_hash(value: object) -> Secret:
    if not isinstance(value, str) or not _BCRYPT.fullmatch(value):
        raise RefusedError(
            "something else (not shown)", "a password hashed with bcrypt, as `htpasswd -nBC 10` prints it"
        )
    return Secret(value)


def _unavailable(_: object) -> None:
    raise RefusedError("it", "nothing: the exporter cannot do that")


def _file_only(_: object) -> None:
    raise RefusedError("it", "the name of a file instead, with _file behind the key")


def _no_http2(value: object) -> bool:
    if validators.flag(value):
        raise RefusedError("true", "false: the exporter speaks HTTP/1.1")
    return False


ClientAuth = Annotated[str, validators.one_of(NO_CERTIFICATE, IF_GIVEN, REQUIRED)]
Version = Annotated[str, validators.one_of("TLS12", "TLS13")]
Cipher = Annotated[str, validators.one_of(*CIPHERS, *_TLS13_CIPHERS)]
Header = Annotated[str, validators.one_of(*_HEADERS)]
PasswordHash = Annotated[Secret, _password_hash]
Unavailable = Annotated[None, _unavailable]
FileOnly = Annotated[None, _file_only]


@dataclass(frozen=True, slots=True)
class TlsServer:
    """The server's certificate, and which clients it accepts.

    Attributes:
        cert_file: its certificate, with the intermediate certificates.
        key_file: its key, without a passphrase.
        client_auth_type: whether clients must have a certificate.
        client_ca_file: certificates of the authorities that sign clients' certificates.
        client_allowed_sans: names of which a client's certificate must have one; empty for any.
        min_version: of TLS.
        max_version: of TLS.
        cipher_suites: for TLS 1.2, by Go's names; empty for OpenSSL's choice.
        prefer_server_cipher_suites: has no effect, as in Go.
    """

    cert_file: File | None = None
    key_file: File | None = None
    client_auth_type: ClientAuth = NO_CERTIFICATE
    client_ca_file: File | None = None
    client_allowed_sans: tuple[NonEmptyText, ...] = ()
    min_version: Version = "TLS12"
    max_version: Version = "TLS13"
    cipher_suites: tuple[Cipher, ...] = ()
    prefer_server_cipher_suites: Flag = True
    cert: FileOnly = None
    key: FileOnly = None
    client_ca: FileOnly = None
    curve_preferences: Unavailable = None


@dataclass(frozen=True, slots=True)
class HttpServer:
    """The headers of every response; `http2` may only be false."""

    headers: Mapping[Header, SecretText] = field(default_factory=lambda: MappingProxyType({}))
    http2: Annotated[bool, _no_http2] = False


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The whole file.

    Attributes:
        tls_server_config: None for plain HTTP.
        http_server_config: the headers of responses.
        basic_auth_users: users with the hashes of their passwords; empty for no authentication.
        rate_limit: not available.
    """

    tls_server_config: TlsServer | None = None
    http_server_config: HttpServer = HttpServer()
    basic_auth_users: Mapping[Username, PasswordHash] = field(default_factory=lambda: MappingProxyType({}))
    rate_limit: Unavailable = None


def load_web_config(path: Path) -> WebConfig:
    """Return the content of a file; relative paths in it start at its folder. An empty file sets nothing.

    Raises:
        ConfigError: with every mistake, each with the file's name.
    """
    # Users' names are keys: no key says that a hash follows.
    document = read(path, with_line=False)
    tree: Any = {} if document.tree is None else document.tree
    configured, mistakes = structured(tree, WebConfig, Context(path.parent))
    if configured is not None and configured.tls_server_config is not None:
        found = _tls_mistakes(configured.tls_server_config)
        mistakes += [each.mistake("tls_server_config") for each in found]
    mistakes = [*document.repeated, *mistakes]
    if configured is None or mistakes:
        raise ConfigError(*(f"{path}: {mistake}" for mistake in mistakes))
    return configured


def _tls_mistakes(tls: TlsServer) -> Iterator[RefusedError]:
    """Yield the combinations of keys that the exporter-toolkit refuses."""
    for key in ("cert_file", "key_file"):
        if getattr(tls, key) is None:
            yield RefusedError("nothing", "the path of a file", (key,))
    verified = tls.client_auth_type != NO_CERTIFICATE
    if verified and tls.client_ca_file is None:
        yield RefusedError(
            f"nothing beside {tls.client_auth_type}", "the path of a file", ("client_ca_file",)
        )
    if not verified:
        if tls.client_ca_file is not None:
            yield RefusedError(
                "it without client_auth_type", f"{REQUIRED} or {IF_GIVEN} there", ("client_ca_file",)
            )
        if tls.client_allowed_sans:
            yield RefusedError("it without client_auth_type", f"{REQUIRED} there", ("client_allowed_sans",))
    if tls.min_version > tls.max_version:
        yield RefusedError(tls.max_version, f"at least the min_version {tls.min_version}", ("max_version",))
