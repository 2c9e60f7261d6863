"""Authentication and authorization: API keys and roles (pipeline-manager `auth.rs`, `rbac.rs`)."""

from collections.abc import Mapping
from typing import Final

from feldera_exporter.simulator.api_errors import refusal
from feldera_exporter.simulator.http_messages import TEXT, HttpAnswer, HttpRequest, encode

DENIED: Final = "denied"
"""Stands for a path that Feldera knows, asked with a method that it does not."""

UNKNOWN: Final = "unknown"
"""Stands for a path below /v0 that Feldera does not know."""

FREE: Final = frozenset({"healthz", "authentication", "console"})
"""The routes without authentication."""

_PREFIX: Final = "Bearer "
_KEY_PREFIX: Final = "apikey:"


def admit(
    keys: Mapping[str, str] | None, route: str, request: HttpRequest, *, blind: bool = False
) -> HttpAnswer | str:
    """Return the client's role, or the response that refuses the request.

    `keys` has the role of each API key, read or write; it is None where no authentication is configured. While the
    database of the keys cannot be reached, `blind`, no key is known.

    Raises:
        ApiError: 403, the role is too low.
    """
    if keys is None or route in FREE:
        return "admin"
    header = request.headers.get("authorization", "")
    if not header.startswith(_PREFIX):
        return _challenge("Bearer")
    token = header.removeprefix(_PREFIX)
    if not token.startswith(_KEY_PREFIX):
        return _challenge('Bearer error_description="Malformed JWT: missing iss claim"')
    role = None if blind else keys.get(token)
    if role is None:
        return unauthorized()
    # An unknown route needs no role: the response is 404 for every client.
    if role == "read" and request.method != "GET" and route not in {UNKNOWN, DENIED}:
        raise refusal("InsufficientPermissions", required="write", actual="read")
    return role


def unauthorized() -> HttpAnswer:
    """Answer as to an unknown API key, and as during an outage of the database."""
    body = {"message": "Unauthorized API key", "error_code": "AuthenticationFailed"}
    return HttpAnswer(401, encode(body), TEXT)


def denied() -> HttpAnswer:
    """Return the response to a method that a path does not have: no role may use it."""
    message = "This endpoint has no access-control classification and is denied"
    return HttpAnswer(403, encode({"message": message, "error_code": "InsufficientPermissions"}))


def _challenge(scheme: str) -> HttpAnswer:
    return HttpAnswer(401, content_type="", headers={"www-authenticate": scheme})
