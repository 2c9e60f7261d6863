"""The wording that alerts share, in Prometheus's templates."""

from typing import Final

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
KEPT: Final = (
    "{{ if eq $value -1.0 }} This is the last known state: Feldera cannot be asked at present.{{ end }}"
)
"""Ends the description of every alert that may be kept."""
