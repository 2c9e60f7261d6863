"""The query of a page: the part of its address after the question mark."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

from feldera_exporter.pages.status_style import BY_VALUE
from feldera_exporter.pages.timeline import SPANS

_LONGEST: Final = 200
SORTS: Final = ("name", "status", "age")
"""By what the fleet page may be sorted instead of by urgency."""

_PAUSED: Final = "off"
_OPEN: Final = "open"
INSTALLATIONS: Final = ("kubernetes", "docker")
"""How Feldera may be installed: the variants of a runbook."""


@dataclass(frozen=True, slots=True)
class PageQuery:
    """A filter and how the page is shown; an empty text means no choice.

    Attributes:
        name: a part of the pipeline's name, whatever its case.
        status: the combined status or the program's.
        sort: one of `SORTS`.
        span: a key of `SPANS`.
        refresh: `off` while the page does not refresh itself.
        filter: `open` while the filter is being edited.
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
        """Whether the page does not refresh itself; while a filter is edited, a new page would lose the input."""
        return self.refresh == _PAUSED or self.opened

    @property
    def opened(self) -> bool:
        """Whether the filter is being edited."""
        return self.filter == _OPEN

    @property
    def chosen(self) -> Mapping[str, str]:
        """The values of the filter by field; empty without a filter."""
        return {name: value for name in FILTERS if (value := getattr(self, name))}


FIELDS: Final = tuple(field.name for field in fields(PageQuery))

FILTERS: Final = ("name", "status", "team", "level", "instance")
"""The fields of the filter."""

VALUES: Final[Mapping[str, Collection[str]]] = MappingProxyType(
    {
        "level": BY_VALUE.keys(),
        "sort": SORTS,
        "span": SPANS.keys(),
        "refresh": {_PAUSED},
        "filter": {_OPEN},
        "codes": {"all"},
        "installation": {*INSTALLATIONS, "either"},
    }
)
"""The possible values by field; the other fields may have any."""


def parse(text: str) -> PageQuery:
    """Return the query of an address; fields and values that have no meaning are ignored."""
    given = {key: value.strip()[:_LONGEST] for key, value in parse_qsl(text) if key in FIELDS}
    return PageQuery(**{key: value for key, value in given.items() if value in VALUES.get(key, (value,))})


def address(query: PageQuery, **changes: Any) -> str:
    """Return a query as an address relative to its page, with some fields changed."""
    changed = replace(query, **changes)
    values = {name: value for name in FIELDS if (value := getattr(changed, name))}
    return f"?{urlencode(values, errors='replace')}"
