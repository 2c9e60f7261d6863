"""Evaluates the boards' queries on written series, for scenarios that take too long to run."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import yaml

from feldera_exporter.feldera.statuses import Dimension
from support.dashboards import filled, targets
from support.tools import tool

NOW: Final = 7200
"""When it is asked, in seconds after the first sample."""
EVERY: Final = 15
_SAMPLES: Final = NOW // EVERY + 1
_VALUES: Final = {
    "feldera_instance": ".+",
    "pipeline": ".+",
    "team": ".*",
    "tier": ".*",
    "__range": "1h",
    "__rate_interval": "1m",
}

Series = dict[str, str]
Samples = Sequence[tuple[Mapping[str, str], float]]
"""Labels and value of each series that a query is to give."""


def series(name: str, value: float | str, **labels: str) -> Series:
    """Return a series of always the same value, or of what promtool's notation says."""
    values = value if isinstance(value, str) else f"{value}x{_SAMPLES}"
    return {"series": f"{name}{{{_listed(labels)}}}", "values": values}


def replica(name: str, heard: float, up: int = 1) -> Iterator[Series]:
    """Yield what an exporter says of the instance `prod` and of its way to it."""
    labels = {**_target(name), "feldera_instance": "prod"}
    yield series("feldera_up", up, **labels)
    yield series("feldera_exporter_last_successful_poll_timestamp_seconds", heard, **labels)


def pipeline(
    target: str,
    name: str,
    statuses: Sequence[tuple[Dimension, str, float, float]],
    *,
    error: str = "",
    team: str = "",
) -> Iterator[Series]:
    """Yield what an exporter says of a pipeline of `prod`.

    Args:
        target: the exporter.
        name: the pipeline's.
        statuses: some dimensions, each with its present status, since when, and how long that may last.
        error: the code of its error.
        team: the tag.
    """
    labels = {
        **_target(target),
        "feldera_instance": "prod",
        "pipeline": f"pipeline-{name}",
        "pipeline_name": name,
    }
    family = "feldera_pipeline"
    yield series(f"{family}_info", 1, team=team, tier="", expect="", **labels)
    yield series(f"{family}_deployment_has_error", int(bool(error)), **labels)
    if error:
        yield series(f"{family}_deployment_error_info", 1, error_code=error, **labels)
    for dimension, status, since, limit in statuses:
        for known in dimension.statuses:
            yield series(f"{family}_{dimension.name}", int(known == status), status=known, **labels)
        yield series(f"{family}_{dimension.name}_since_timestamp_seconds", since, **labels)
        bound = "Inf" if limit == float("inf") else f"{limit:g}"
        yield series(f"{family}_{dimension.name}_limit_seconds", bound + f"+0x{_SAMPLES}", **labels)


def problem(
    target: str, name: str, pipeline: str = "", since: float = NOW - 60, *, team: str = "", status: str = ""
) -> Series:
    """Return what an exporter says of a problem of a pipeline, or of `prod` itself, since an instant; 0 if it ended."""
    labels = {**_target(target), "feldera_instance": "prod", "problem": name}
    if not pipeline:
        return series("feldera_instance_problem_since_timestamp_seconds", since, feldera_service="", **labels)
    about = {"pipeline": f"pipeline-{pipeline}", "pipeline_name": pipeline, "status": status}
    tags = {"team": team, "tier": ""}
    return series("feldera_pipeline_problem_since_timestamp_seconds", since, **labels, **about, **tags)


def refused(folder: Path, recorded: Iterable[Series], expected: Mapping[str, Samples], **chosen: str) -> str:
    """Return what promtool says against what the queries at these places are to give; empty if nothing."""
    queries = {
        target.place: filled(target.expression, _VALUES | chosen)
        for target in targets()
        if target.place in expected
    }
    assert queries.keys() == expected.keys()
    tests = [
        {
            "expr": queries[place],
            "eval_time": f"{NOW}s",
            "exp_samples": [
                {"labels": f"{{{_listed(labels)}}}", "value": value} for labels, value in samples
            ],
        }
        for place, samples in expected.items()
    ]
    document = {
        "evaluation_interval": f"{EVERY}s",
        "tests": [
            {"interval": f"{EVERY}s", "input_series": list(recorded), "promql_expr_test": tests},
        ],
    }
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    done = subprocess.run(
        [tool("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _target(name: str) -> dict[str, str]:
    return {"job": "feldera-exporter", "instance": name}


def _listed(labels: Mapping[str, str]) -> str:
    return ", ".join(f'{label}="{value}"' for label, value in labels.items())
