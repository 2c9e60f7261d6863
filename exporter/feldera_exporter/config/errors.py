"""The mistakes in a configuration, one line each: the place, what was found, what was expected."""

import difflib
import re
from collections.abc import Collection
from typing import Final, NamedTuple

Place = tuple[str | int, ...]

_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*|line [0-9]+")
# An API key, a token or a private key in a wrong place, or an address with a password.
SECRET: Final = re.compile(r"apikey:|//[^/\s]*@|\b(?-i:eyJ)[\w-]{8}|-----BEGIN", re.IGNORECASE)
_LONGEST: Final = 60
_KINDS: Final = {type(None): "nothing", list: "a list", dict: "a mapping"}


class RefusedError(ValueError):
    """A value is not what was expected. The text has no secrets; the place is relative to the value that is being read."""

    def __init__(self, found: str, expected: str, place: Place = ()) -> None:
        super().__init__(f"found {found}, expected {expected}")
        self.expected = expected
        self.place = place

    def mistake(self, *outer: str | int) -> "Mistake":
        """Return the mistake with its whole place; `outer` is that of the value that was being read."""
        return Mistake((*outer, *self.place), str(self))


class Mistake(NamedTuple):
    """One mistake in a document."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{path(self.place)}: {self.text}"


def shown(value: object) -> str:
    """Return a value of a YAML document as error messages show it: short and without secrets."""
    match value:
        case str():
            return _quoted(value)
        case bool():
            return str(value).lower()
        case int() | float():
            return str(value)
        case _:
            return _KINDS.get(type(value), f"a value of type {type(value).__name__}")


def _quoted(text: str) -> str:
    if not text:
        return "an empty text"
    if SECRET.search(text):
        return "a text that may hold a secret (not shown)"
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return '"' + "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in cut) + '"'


def path(place: Place) -> str:
    """Return a place as text: `instances[0].tls.ca_file`."""
    text = ""
    for step in place:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step if _PLAIN_KEY.fullmatch(step) and not SECRET.search(step) else shown(step)}"
    return text.removeprefix(".") or "configuration"


def unknown_key(key: str, known: Collection[str]) -> str:
    """Return the text for an unknown key, with the most similar known key if there is one."""
    guess = nearest(key, known)
    expected = f"did you mean {guess}?" if guess else f"expected one of {', '.join(sorted(known))}"
    return f"unknown key, {expected}"


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most similar to a misspelt one; None if none is similar."""
    return next(iter(difflib.get_close_matches(name, known, n=1)), None)
