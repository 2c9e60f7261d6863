"""What a person asked of a page: the part of its address behind the question mark."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from feldera_exporter.pages.levels import LEVEL_TEXTS
from feldera_exporter.pages.timeline import SPANS

_LONGEST: Final = 200
_MOST: Final = 50
SORTS: Final = ("name", "status", "age")
"""By what the fleet page may be sorted instead of by urgency."""

_PAUSED: Final = "off"
_OPEN: Final = "open"
_ALL: Final = "all"
INSTALLATIONS: Final = ("kubernetes", "docker")
"""How Feldera may be installed: the variants of a runbook."""
_EITHER: Final = "either"


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A filter and how the page is shown; an empty text asks for nothing.

    Attributes:
        name: a part of the pipeline's name, whatever its case.
        status: the combined status or the program's.
        team: the value of the tag label.
        level: a key of `LEVEL_TEXTS`.
        instance: the instance's name.
        sort: one of `SORTS`.
        span: a key of `SPANS`.
        refresh: `off` while the page does not refresh itself.
        filter: `open` while a filter is written.
        codes: `all` for every error code of a runbook, not only that of the pipeline.
        installation: one of `INSTALLATIONS` for a runbook with its commands only, `either` for one with all.
    """

    name: str = ""
    status: str = ""
    team: str = ""
    level: str = ""
    instance: str = ""
    sort: str = ""
    span: str = ""
    refresh: str = ""
    filter: str = ""
    codes: str = ""
    installation: str = ""

    @property
    def paused(self) -> bool:
        """Whether the page does not refresh itself: a new page would lose what is being written."""
        return self.refresh == _PAUSED or self.opened

    @property
    def opened(self) -> bool:
        """Whether a filter is written."""
        return self.filter == _OPEN

    @property
    def chosen(self) -> Mapping[str, str]:
        """What it asks of pipelines, by field; empty if it asks for all."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}


FIELDS: Final = tuple(field.name for field in fields(PageQuery))

FILTERS: Final = ("name", "status", "team", "level", "instance")
"""The fields that ask for some pipelines only."""

VALUES: Final[Mapping[str, Collection[str]]] = MappingProxyType(
    {
        "level": LEVEL_TEXTS.keys(),
        "sort": SORTS,
        "span": SPANS.keys(),
        "refresh": {_PAUSED},
        "filter": {_OPEN},
        "codes": {_ALL},
        "installation": {*INSTALLATIONS, _EITHER},
    }
)
"""By field, the only values that mean anything; the other fields may have any."""


def parse(text: str) -> PageQuery:
    """Return what the part of an address behind the question mark asks; what cannot be meant is ignored."""
    try:
        pairs = parse_qsl(text, max_num_fields=_MOST)
    except ValueError:
        return PageQuery()
    told = {key: value.strip()[:_LONGEST] for key, value in pairs if key in FIELDS}
    return PageQuery(**{key: value for key, value in told.items() if value in VALUES.get(key, (value,))})


def address(query: PageQuery, **changes: Any) -> str:
    """Return a query as an address relative to its page, with some fields changed."""
    changed = replace(query, **changes)
    values = {name: value for name in FIELDS if (value := getattr(changed, name))}
    return f"?{urlencode(values, errors='replace')}"


def paused(query: PageQuery) -> str:
    """Return the address of the same page that does not refresh itself."""
    return address(query, refresh=_PAUSED)


def resumed(query: PageQuery) -> str:
    """Return the address of the same page that refreshes itself."""
    return address(query, refresh="", filter="")


def opened(query: PageQuery) -> str:
    """Return the address of the same page with the filter to write in."""
    return address(query, filter=_OPEN)


def closed(query: PageQuery) -> str:
    """Return the address of the same page without what was begun to be written."""
    return address(query, filter="")


def everything(query: PageQuery) -> str:
    """Return the address of the same page with all pipelines."""
    return address(query, filter="", **dict.fromkeys(FILTERS, ""))
