"""Requests and replies, as pages see and make them."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

PLAIN: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """The part of a request that pages look at.

    Attributes:
        method: in upper case.
        path: without escapes.
        headers: by their names in lower case.
        query: what is behind the question mark, with its escapes.
        raw_path: the path with its escapes, which tell a slash in a name from one between two.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: str = ""
    raw_path: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer.

    Attributes:
        status: of HTTP.
        headers: by name.
        body: in pieces, each written in one go.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Iterable[bytes]


Page = Callable[[Request], Coroutine[Any, Any, Reply]]


def text_reply(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """Return a short plain answer."""
    body = text.encode()
    return Reply(status, (("content-type", PLAIN), ("content-length", str(len(body))), *headers), (body,))
