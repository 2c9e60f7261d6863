"""The PromQL of the metrics of each replica."""

from typing import Final

from dashboards.queries import INSTANCE

REPLICA: Final = f'job=~"$job", instance=~"$instance", {INSTANCE}'
PROCESS: Final = 'job=~"$job", instance=~"$instance"'
OF: Final = "{{instance}}: {{feldera_instance}}"
"""The legend of a series for each replica and instance."""


def of_each(name: str) -> str:
    """Return a gauge that every replica has for every instance that it polls."""
    return f"max by (job, instance, feldera_instance) (feldera_exporter_{name}{{{REPLICA}}})"


def increase(name: str, *by: str) -> str:
    """Return the increase of a counter of the exporter, for each replica and `by`."""
    labels = ", ".join(("job", "instance", *by))
    return f"sum by ({labels}) (increase(feldera_exporter_{name}{{{REPLICA}}}[$__rate_interval]))"


def quantile(share: float, name: str, *by: str, matchers: str = REPLICA) -> str:
    """Return a quantile of a histogram of the exporter for each replica and `by`."""
    labels = ", ".join(("le", "job", "instance", *by))
    return f"histogram_quantile({share}, sum by ({labels}) (rate(feldera_exporter_{name}_bucket{{{matchers}}}[$__rate_interval])))"
