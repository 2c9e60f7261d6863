"""The rendering of a page from a view and a template; every value is escaped."""

import hashlib
from collections.abc import Mapping
from functools import cache, partial
from importlib import resources
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from feldera_exporter import __version__
from feldera_exporter.feldera.statuses import DEPLOYMENT, PROGRAM, STORAGE
from feldera_exporter.pages import formatting, page_query, status_style, timeline
from feldera_exporter.pages.links import Links

if TYPE_CHECKING:
    from jinja2 import Environment

_FILES: Final = resources.files(__package__) / "files"
_TYPES: Final = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


def _visible(value: Any) -> Any:
    # Text that a template made is `Markup`, a subclass, and is escaped already.
    return formatting.visible(value) if type(value) is str else value


def _asset(name: str) -> tuple[str, tuple[str, bytes]]:
    content = (_FILES / name).read_bytes()
    path = PurePosixPath(name)
    # The hash of the content is in the name, so browsers may keep the file for ever.
    address = f"/static/{path.stem}-{hashlib.sha256(content).hexdigest()[:12]}{path.suffix}"
    return address, (_TYPES[path.suffix], content)


_STYLE: Final = _asset("style.css")
_ICON: Final = _asset("icon.svg")

ASSETS: Final[Mapping[str, tuple[str, bytes]]] = MappingProxyType(dict((_STYLE, _ICON)))
"""The files that pages load: media type and content, by path."""


@cache
def _environment() -> "Environment":
    # Imported with the first page: a tenth of the program's start.
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415

    environment = Environment(
        loader=PackageLoader("feldera_exporter.pages"),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        version=__version__,
        style=_STYLE[0],
        icon=_ICON[0],
        legend=status_style.LEGEND,
        textured=status_style.TEXTURED,
        levels=status_style.BY_VALUE,
        level_of=status_style.LEVELS,
        deployment_style=partial(status_style.style_of, DEPLOYMENT),
        program_style=partial(status_style.style_of, PROGRAM),
        storage_style=partial(status_style.style_of, STORAGE),
        count=formatting.count,
        duration=formatting.duration,
        limit=formatting.limit,
        spans=timeline.SPANS,
        address=page_query.address,
        PageQuery=page_query.PageQuery,
    )
    return environment


def render(template: str, links: Links, **values: Any) -> bytes:
    """Return a page, made of a template and the values of its variables."""
    text = _environment().get_template(template).render(links=links, **values)
    # Half of a surrogate pair cannot be encoded: it is replaced.
    return text.encode("utf-8", errors="replace")
