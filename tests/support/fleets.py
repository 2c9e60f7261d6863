"""Fleets for the tests of what is shown, made of rows as Feldera lists them."""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from feldera_exporter.config import Configuration, Instance
from feldera_exporter.feldera.wire import Progress, Row
from feldera_exporter.history.initial import initial_history
from feldera_exporter.history.recent_activity import NOTHING, RecentActivity
from feldera_exporter.problems.alerts import PresentAlert
from feldera_exporter.problems.pipeline_summaries import PipelineSummary, StatusAge, Urgency
from feldera_exporter.state.fleet import Fleet
from feldera_exporter.state.instance_settings import InstanceSettings
from feldera_exporter.state.pipeline import Pipeline
from feldera_exporter.state.runner_activity import Activity

NOW: Final = 1_787_313_600_000_000
"""2026-08-21T12:00:00Z in microseconds."""

_INSTANCE: Final = Instance("demo", "http://127.0.0.1:1")
_POLICY: Final = InstanceSettings(Configuration((_INSTANCE,)), _INSTANCE)


def ago(minutes: float) -> str:
    """Return the instant so many minutes before now, as Feldera writes it."""
    return (datetime.fromtimestamp(NOW / 1e6, UTC) - timedelta(minutes=minutes)).isoformat()


def pipeline(
    name: str, minutes: float = 5, clearing: float = 0, recent: RecentActivity = NOTHING, **fields: Any
) -> Pipeline:
    """Return a pipeline that has been Running, desired and compiled for so many minutes, but for the fields named."""
    dimensions = (
        "deployment",
        "deployment_desired",
        "deployment_resources",
        "deployment_resources_desired",
        "program",
    )
    values: dict[str, Any] = {
        "id": f"id-{name}",
        "name": name,
        "created_at": ago(9999),
        "program_status": "Success",
        "storage_status": "InUse",
        "deployment_status": "Running",
        "deployment_desired_status": "Running",
        "deployment_resources_status": "Provisioned",
        "deployment_resources_desired_status": "Provisioned",
        **{f"{dimension}_status_since": ago(minutes) for dimension in dimensions},
    }
    row = msgspec.convert(values | fields, Row)
    code = row.deployment_error.error_code if row.deployment_error else None
    seen = NOW - round(clearing * 60_000_000)
    history = msgspec.structs.replace(initial_history(row, seen, seen), recent=recent)
    return Pipeline(_POLICY.facts(row, code), Progress(), history, Activity(NOW, NOW))


def fleet(*pipelines: Pipeline) -> Fleet:
    """Return a fleet of these pipelines."""
    return Fleet("demo", up=True, pipelines={each.facts.row.id: each for each in pipelines})


def line(
    name: str,
    *alerts: PresentAlert,
    level: Urgency = Urgency.WELL,
    wait: StatusAge | None = None,
    **fields: str,
) -> PipelineSummary:
    """Return the line of a pipeline that runs well, but for what is named."""
    values = {
        "status": "Running",
        "desired": "Running",
        "program": "Success",
        "storage": "InUse",
        "error_code": "",
        "id": f"id-{name}",
        **fields,
    }
    return PipelineSummary(
        name=name,
        wait=wait or StatusAge(values["status"], 300, math.inf),
        alerts=alerts,
        level=level,
        **values,
    )
