"""Two replicas, one of them frozen: the boards show what the other one says."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import yaml

from boards.documents import filled, targets
from feldera_exporter.feldera.vocabulary import DEPLOYMENT
from tools import tool

NOW: Final = 600
"""When it is asked, in seconds: the pipeline has been Stopping for 100 seconds, which the frozen replica does not know."""
_SHARED: Final = 'feldera_instance="prod", pipeline="pipeline-1", pipeline_name="orders"'
_VALUES: Final = {
    "feldera_instance": ".+",
    "pipeline": ".+",
    "team": ".*",
    "tier": ".*",
    "__range": "5m",
    "__rate_interval": "1m",
}


def _series() -> Iterator[dict[str, str]]:
    for replica, status, since in (("a", "Running", 100), ("b", "Stopping", 500)):
        target = f'job="feldera-exporter", instance="{replica}", {_SHARED}'
        for name, more, value in (
            *(
                ("deployment_status", f', status="{known}"', int(known == status))
                for known in DEPLOYMENT.statuses
            ),
            ("deployment_status_since_timestamp_seconds", "", since),
            ("deployment_status_limit_seconds", "", 900),
            ("info", ', team="", tier=""', 1),
        ):
            yield {"series": f"feldera_pipeline_{name}{{{target}{more}}}", "values": f"{value}x80"}


def _check(folder: Path, expected: dict[str, list[dict[str, object]]]) -> str:
    """Return what promtool says of the queries at these places."""
    by_place = {
        target.place: filled(target.expression, _VALUES) for target in targets() if target.place in expected
    }
    tests = [
        {"expr": by_place[place], "eval_time": f"{NOW}s", "exp_samples": samples}
        for place, samples in expected.items()
    ]
    document = {
        "evaluation_interval": "15s",
        "tests": [{"interval": "15s", "input_series": list(_series()), "promql_expr_test": tests}],
    }
    file = folder / "test.yml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    done = subprocess.run(
        [tool("promtool"), "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_a_frozen_replica_is_not_shown(tmp_path: Path) -> None:
    """Neither in numbers, nor in timelines, nor in ages: the newest beginning of a status decides."""
    code = list(DEPLOYMENT.statuses).index("Stopping")
    said = _check(
        tmp_path,
        {
            "fleet / Pipelines by status / {{status}}": [{"labels": '{status="Stopping"}', "value": 1}],
            "fleet / Deployment status / {{pipeline_name}} ({{feldera_instance}})": [
                {"labels": f"{{{_SHARED}}}", "value": code}
            ],
            "pipeline / Present status against its limit / {{status}}": [
                {"labels": f'{{{_SHARED}, status="Stopping"}}', "value": 100}
            ],
            "pipeline / Of the limit / deployment": [
                {"labels": '{feldera_instance="prod", pipeline="pipeline-1"}', "value": 100 / 900}
            ],
        },
    )
    assert said == ""


def test_promtool_would_say_otherwise(tmp_path: Path) -> None:
    """The frozen replica's status is refused as an answer."""
    wrong = [{"labels": '{status="Running"}', "value": 1}]
    assert "exp:" in _check(tmp_path, {"fleet / Pipelines by status / {{status}}": wrong})
