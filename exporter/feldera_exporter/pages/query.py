"""What a person asked of a page: the part of its address behind the question mark."""

from dataclasses import dataclass, fields, replace
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

_LONGEST: Final = 200
_MOST: Final = 50
_PAUSED: Final = "off"


@dataclass(frozen=True, slots=True)
class Query:
    """A filter and how the page is shown; an empty text asks for nothing.

    Attributes:
        name: a part of the pipeline's name, whatever its case.
        status: the combined status or the program's.
        team: the value of the tag label.
        need: the value of a `overview.NEEDS`.
        instance: the instance's name.
        span: the key of a `timeline.SPANS`.
        refresh: `off` while the page does not refresh itself.
    """

    name: str = ""
    status: str = ""
    team: str = ""
    need: str = ""
    instance: str = ""
    span: str = ""
    refresh: str = ""

    @property
    def paused(self) -> bool:
        """Whether the page does not refresh itself."""
        return self.refresh == _PAUSED

    @property
    def filters(self) -> bool:
        """Whether it asks for some pipelines only."""
        return bool(self.name or self.status or self.team or self.need or self.instance)


FIELDS: Final = tuple(field.name for field in fields(Query))


def parse(text: str) -> Query:
    """Return what the part of an address behind the question mark asks; what cannot be meant is ignored."""
    try:
        pairs = parse_qsl(text, max_num_fields=_MOST)
    except ValueError:
        return Query()
    return Query(**{key: value.strip()[:_LONGEST] for key, value in pairs if key in FIELDS})


def address(query: Query, **changes: Any) -> str:
    """Return a query as an address relative to its page, with some fields changed."""
    changed = replace(query, **changes)
    values = {name: value for name in FIELDS if (value := getattr(changed, name))}
    return f"?{urlencode(values, errors='replace')}"


def paused(query: Query) -> str:
    """Return the address of the same page that does not refresh itself."""
    return address(query, refresh=_PAUSED)


def resumed(query: Query) -> str:
    """Return the address of the same page that refreshes itself."""
    return address(query, refresh="")
