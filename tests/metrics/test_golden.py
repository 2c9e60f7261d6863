"""Expositions of given lists are equal to the golden files.

`pytest tests/metrics/test_golden.py --update-golden` writes the files again; read the difference with git.
"""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from feldera_exporter.exposition.text import Format
from feldera_exporter.feldera.statuses import DIMENSIONS, Dimension
from support.exporter_driver import ExporterDriver

HERE = Path(__file__).parent / "golden"
AT = 1_787_314_200_000_000
RUNNING: dict[str, Any] = msgspec.json.decode((HERE / "running.json").read_bytes())

Golden = Callable[[str, str], None]


def _exposition(*elements: dict[str, Any], format_: Format = Format.TEXT) -> str:
    driver = ExporterDriver()
    driver.poll(msgspec.json.encode(elements), AT)
    return driver.scrape(format_)


def _samples(text: str, prefix: str) -> str:
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return "\n".join(
        line
        for line in lines
        if line.partition("{")[0] in {prefix, f"{prefix}_since_timestamp_seconds", f"{prefix}_limit_seconds"}
    )


@pytest.mark.parametrize("dimension", DIMENSIONS, ids=lambda dimension: dimension.name)
def test_every_status_of_a_dimension(dimension: Dimension, golden: Golden) -> None:
    """Each status of a dimension, an unknown one and null are in the families of that dimension."""
    statuses: list[str | None] = [*dimension.statuses, "NeverHeardOf"]
    if dimension.nullable:
        statuses.append(None)
    expositions = []
    for status in statuses:
        element = {**copy.deepcopy(RUNNING), dimension.name: status}
        if status is None:
            element[f"{dimension.name}_since"] = None
        expositions.append(
            f"# {status}\n{_samples(_exposition(element), f'feldera_pipeline_{dimension.name}')}\n"
        )
    golden(f"{dimension.name}.txt", "\n".join(expositions))


@pytest.mark.parametrize("format_", Format)
def test_a_running_pipeline(format_: Format, golden: Golden) -> None:
    """The files have all samples of one running pipeline and its instance, in both formats."""
    golden(f"running.{format_.value}.txt", _exposition(RUNNING, format_=format_))


def test_a_failed_pipeline(golden: Golden) -> None:
    """The files have a pipeline that stopped with an error, and whose tags name a team."""
    failed = {
        **RUNNING,
        **dict.fromkeys(
            (
                "deployment_runtime_status",
                "deployment_runtime_status_since",
                "deployment_runtime_status_details",
                "deployment_runtime_desired_status",
                "deployment_runtime_desired_status_since",
                "deployment_id",
            )
        ),
        "deployment_status": "Stopped",
        "deployment_resources_status": "Stopped",
        "deployment_desired_status": "Stopped",
        "deployment_resources_desired_status": "Stopped",
        "deployment_error": {
            "message": "worker panic",
            "error_code": "RuntimeError.WorkerPanic",
            "details": {},
        },
    }
    golden("failed.txt", _exposition(failed))


def test_no_pipelines(golden: Golden) -> None:
    """An instance without pipelines still has its own samples."""
    golden("none.txt", _exposition())
