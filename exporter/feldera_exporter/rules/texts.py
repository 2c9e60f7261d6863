"""The wording that alerts share, in Prometheus's templates."""

from types import MappingProxyType
from typing import Final

from feldera_exporter.rules.model import Scope

PIPELINE: Final = "Pipeline {{ $labels.pipeline_name }} of {{ $labels.feldera_instance }}"
INSTANCE: Final = "Feldera instance {{ $labels.feldera_instance }}"
EXPORTER: Final = "The exporter {{ $labels.instance }}"
STATUS: Final = "{{ $labels.status }}"


def known(text: str) -> str:
    """Return `text` where the alert's value is known, else nothing: an alert that is merely kept has the value -1."""
    return f"{{{{ if ge $value 0.0 }}}}{text}{{{{ end }}}}"


COUNT: Final = known(' {{ printf "%.0f" $value }}')
TIMES: Final = known(' {{ printf "%.0f" $value }} times')
FOR: Final = known(" for {{ humanizeDuration $value }}")


def kept(cause: str) -> str:
    """Return what ends the description of an alert that may be kept: that it is, and for what cause."""
    return f"{{{{ if eq $value -1.0 }}}} This is the last known state: {cause}.{{{{ end }}}}"


_UNASKED: Final = kept("Feldera cannot be asked at present")
KEPT: Final = MappingProxyType(
    {
        Scope.PIPELINE: _UNASKED,
        Scope.INSTANCE: _UNASKED,
        Scope.EXPORTER: kept("no exporter answers at present"),
    }
)
"""Ends the description of every alert that may be kept, by its scope."""
