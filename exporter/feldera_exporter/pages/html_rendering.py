"""The rendering: a view and a template become a page, in which whatever came from outside is escaped."""

import hashlib
from collections.abc import Mapping
from importlib import resources
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from feldera_exporter.pages import formatting, levels, page_query, status_style, timeline
from feldera_exporter.pages.links import Links

_FILES: Final = resources.files(__package__) / "files"
_TYPES: Final = MappingProxyType({".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"})


def _visible(value: Any) -> Any:
    # What the templates made is of a subclass, and is done already.
    return formatting.visible(value) if type(value) is str else value


_ENVIRONMENT: Final = Environment(
    loader=PackageLoader("feldera_exporter.pages"),
    autoescape=True,
    finalize=_visible,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def _asset(name: str) -> tuple[str, tuple[str, bytes]]:
    content = (_FILES / name).read_bytes()
    path = PurePosixPath(name)
    # The content is in the name: it may be kept for ever, and another version's is another file.
    told = f"/static/{path.stem}-{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
    return told, (_TYPES[path.suffix], content)


_STYLE: Final = _asset("style.css")
_ICON: Final = _asset("icon.svg")

ASSETS: Final[Mapping[str, tuple[str, bytes]]] = MappingProxyType(dict((_STYLE, _ICON)))
"""What pages need besides themselves: media type and content, by path."""

_ENVIRONMENT.globals.update(
    style=_STYLE[0],
    icon=_ICON[0],
    legend=status_style.LEGEND,
    textured=status_style.TEXTURED,
    levels=levels.LEVEL_TEXTS,
    spans=timeline.SPANS,
    address=page_query.address,
    paused=page_query.paused,
    resumed=page_query.resumed,
    opened=page_query.opened,
    closed=page_query.closed,
    everything=page_query.everything,
    PageQuery=page_query.PageQuery,
)


def render(template: str, links: Links, **values: Any) -> bytes:
    """Return a page.

    Args:
        template: the file's name.
        links: where the exporter's pages are.
        values: what the template lays out.
    """
    text = _ENVIRONMENT.get_template(template).render(links=links, **values)
    # What no text may hold (half of a surrogate pair) is replaced rather than answered with an error.
    return text.encode("utf-8", errors="replace")
