"""The text of an exposition: escaping, numbers, labels and headers.

Sample lines are the same in Prometheus's text format 0.0.4 and in OpenMetrics 1.0; only the lines that begin with
`#` differ: OpenMetrics names a counter without its `_total` and ends with `# EOF`.
"""

from collections.abc import Iterable
from enum import StrEnum
from math import inf
from typing import Final

from feldera_exporter.micros import SECOND, Micros


class Format(StrEnum):
    """The two formats; the value is that of the label `format`."""

    TEXT = "text"
    OPENMETRICS = "openmetrics"

    @property
    def content_type(self) -> str:
        """The `Content-Type` of a response in this format."""
        if self is Format.OPENMETRICS:
            return "application/openmetrics-text; version=1.0.0; charset=utf-8"
        return "text/plain; version=0.0.4; charset=utf-8"

    @property
    def end(self) -> bytes:
        """The end of an exposition in this format: `# EOF` or nothing."""
        return b"# EOF\n" if self is Format.OPENMETRICS else b""


_LABEL_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_HELP_ESCAPES: Final = {
    Format.TEXT: str.maketrans({"\\": r"\\", "\n": r"\n"}),
    Format.OPENMETRICS: _LABEL_ESCAPES,
}


def labels(pairs: Iterable[tuple[str, str]]) -> str:
    """Return label pairs as the text between the braces of a sample."""
    return ",".join(f'{name}="{value.translate(_LABEL_ESCAPES)}"' for name, value in pairs)


def number(value: float) -> str:
    """Return a number as text for both formats; a whole number has no fraction."""
    if value == inf:
        return "+Inf"
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    return repr(value)


def seconds(micros: Micros) -> str:
    """Return microseconds as the text of seconds, exactly (without floating-point numbers)."""
    if micros < 0:
        return f"-{seconds(-micros)}"
    whole, fraction = divmod(micros, SECOND)
    return f"{whole}.{fraction:06d}".rstrip("0") if fraction else str(whole)


def header(name: str, kind: str, text: str, format_: Format) -> bytes:
    """Return the TYPE and HELP lines of a family; `name` is without `_total`."""
    shown = f"{name}_total" if kind == "counter" and format_ is Format.TEXT else name
    return f"# HELP {shown} {text.translate(_HELP_ESCAPES[format_])}\n# TYPE {shown} {kind}\n".encode()
