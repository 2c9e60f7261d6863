"""Requests and replies of pages."""

from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


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
    """A reply; each piece of the body is written at once."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: Iterable[bytes]


Page = Callable[[Request], Coroutine[Any, Any, Reply]]


def text_reply(status: int, text: str, *headers: tuple[str, str]) -> Reply:
    """Return a reply of plain text."""
    body = text.encode()
    plain = (("content-type", "text/plain; charset=utf-8"), ("content-length", str(len(body))))
    return Reply(status, (*plain, *headers), (body,))
