"""Who may ask: API keys and roles (pipeline-manager `auth.rs`, `rbac.rs`)."""

from collections.abc import Mapping
from typing import Final

from feldera_exporter.simulator.answers import Answer, Request, empty, encode
from feldera_exporter.simulator.refusals import refusal

_PREFIX: Final = "Bearer "
_FREE: Final = frozenset({"healthz", "authentication", "console"})
"""The routes that need no key: the web console asks for a login itself."""


def admit(keys: Mapping[str, str] | None, route: str, request: Request) -> Answer | str:
    """Return the role of whoever asks, or the answer that sends them away.

    Args:
        keys: the role of each API key, "read" or "write"; None where no authentication is configured.
        route: the route's name.
        request: the request.

    Raises:
        ApiError: 403, the role is too low.
    """
    if keys is None or route in _FREE:
        return "admin"
    header = request.headers.get("authorization", "")
    if not header.startswith(_PREFIX):
        answer = empty(401)
        return Answer(401, content_type=answer.content_type, headers={"www-authenticate": "Bearer"})
    role = keys.get(header.removeprefix(_PREFIX))
    if role is None:
        return unauthorized()
    # What is no route has no role either: it is a 404 for everybody.
    if role == "read" and request.method != "GET" and route != "unknown":
        raise refusal("InsufficientPermissions", required="write", actual="read")
    return role


def unauthorized() -> Answer:
    """Answer as to an unknown API key, and as during an outage of the database."""
    body = {"message": "Unauthorized API key", "error_code": "AuthenticationFailed"}
    return Answer(401, encode(body), "text/plain; charset=utf-8")
