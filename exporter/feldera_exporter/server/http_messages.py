"""Requests and replies of pages."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """The part of a request that pages use.

    Attributes:
        method: in upper case.
        path: with its escapes: a slash in a name is escaped.
        headers: by their names in lower case.
        query: the part after the question mark, with its escapes.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply.

    Attributes:
        status: the HTTP status code.
        headers: pairs of name and value.
        body: in pieces, each written at once.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Iterable[bytes]


Page = Callable[[Request], Coroutine[Any, Any, Reply]]


def text_reply(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """Return a reply of plain text."""
    body = text.encode()
    return Reply(status, (("content-type", PLAIN), ("content-length", str(len(body))), *headers), (body,))
