"""The alerts about a pipeline that fails: errors, crashes, flapping, a runner that no longer looks at it."""

from typing import Final

from feldera_exporter.rules import texts
from feldera_exporter.rules.model import Alert, Pace, Scope
from feldera_exporter.rules.promql import ERROR, ON_PIPELINE, age, highest, last

_P: Final = Scope.PIPELINE


def _rises(counter: str, window: str) -> str:
    """Return how many scrapes found a counter greater than the one before did: whole numbers, where `increase` extrapolates.

    One scrape after an outage brings all that happened meanwhile: as one rise, for nobody knows that it came to a head now.
    """
    return f"changes({counter}[{window}]) - resets({counter}[{window}])"


_ERRORS: Final = "feldera_pipeline_deployment_errors_total"
_AGAIN: Final = _rises(_ERRORS, "10m")
_OVER_AND_OVER: Final = _rises(_ERRORS, "1h")
_INITIALIZED: Final = _rises(
    'feldera_pipeline_deployment_runtime_status_transitions_total{to="Initializing"}', "1h"
)
_STARTS: Final = _rises(
    'feldera_pipeline_deployment_resources_status_transitions_total{to="Provisioned"}', "1h"
)
"""Whatever was seen before: who only polls may miss a short Provisioning."""
_GONE_SILENT: Final = (
    'increase(feldera_pipeline_deployment_runtime_status_transitions_total{to="Unavailable"}[1h])'
)
_STOPS: Final = (
    "increase(feldera_pipeline_deployment_resources_status_transitions_total"
    '{from="Stopping", to="Stopped"}[1h])'
)
"""Every start ends with one of these, whatever became of it."""
_RESTARTS: Final = f"{_INITIALIZED} - ignoring (to) sum without (from) ({_STARTS})"
"""Initializations that no start explains: on Kubernetes a crashed process comes back by itself, without an error."""

_CONNECTOR_ERRORS: Final = tuple(
    f"rate(feldera_pipeline_connector_errors_total[10m]{offset})"
    for offset in ("", " offset 10m", " offset 20m")
)
"""Errors in each of three windows: one batch of bad records touches two of them at most."""

_RATE: Final = texts.known(', now {{ printf "%.1f" $value }} a second')
_CODE: Final = (
    '{{ with printf "feldera_pipeline_deployment_error_info{feldera_instance=%q, pipeline=%q} == 1" '
    "$labels.feldera_instance $labels.pipeline | query }}, error code "
    '{{ . | first | label "error_code" }}{{ end }}'
)

FAULTS: Final = (
    Alert(
        "FelderaPipelineDeploymentError",
        _P,
        f"{ERROR}\nor {ON_PIPELINE} {highest(_P, f'{_AGAIN} > 1.5')}",
        "warning",
        "Feldera stopped a pipeline because of an error.",
        # Twice within ten minutes counts as one lasting error: something starts the pipeline, which dismisses the
        # error, and it fails again.
        f"{texts.PIPELINE} has a deployment error{_CODE}. Feldera does not start it again by itself.",
        critical_if='eq $labels.tier "critical"',
    ),
    Alert(
        "FelderaPipelineCrashLooping",
        _P,
        f"{highest(_P, f'{_OVER_AND_OVER} > 2.5')}\nor {ON_PIPELINE}\n{highest(_P, f'{_RESTARTS} > 2.5')}",
        "critical",
        "A pipeline fails again and again.",
        f"{texts.PIPELINE} failed or restarted by itself{texts.TIMES} within an hour.",
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineFlapping",
        _P,
        highest(_P, f"{_STOPS} > 5.5"),
        "warning",
        "A pipeline is started and stopped again and again.",
        f"{texts.PIPELINE} went through more than five starts and stops within an hour.",
        yields_to="FelderaPipelineCrashLooping",
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineRuntimeFlapping",
        _P,
        highest(_P, f"{_GONE_SILENT} > 7.5"),
        "warning",
        "A pipeline becomes unavailable again and again.",
        f"{texts.PIPELINE} became Unavailable{texts.TIMES} within an hour and came back each time.",
        yields_to="FelderaPipelineCrashLooping",
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineRunnerFrozen",
        _P,
        f"{highest(_P, last('feldera_pipeline_refresh_version'))}\n"
        f"== {highest(_P, last('feldera_pipeline_refresh_version', '15m'))}\n"
        f'and {ON_PIPELINE} {age("deployment_resources_status")}{{status="Provisioned"}} > 900',
        "critical",
        "Feldera's runner no longer looks at a pipeline.",
        f"{texts.PIPELINE} has not been refreshed by the runner for 15 minutes, which must happen every ten. "
        "What Feldera shows of it may be long out of date.",
        pace=Pace.SLOW,
    ),
    Alert(
        "FelderaPipelineConnectorErrors",
        _P,
        f"\nand {ON_PIPELINE} ".join(highest(_P, f"{rate} > 0.1") for rate in _CONNECTOR_ERRORS),
        "warning",
        "A pipeline's connectors keep reporting errors.",
        f"{texts.PIPELINE} has had connector errors for half an hour{_RATE}: data may be missing.",
        pace=Pace.SLOW,
    ),
)
