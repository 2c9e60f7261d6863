"""The tables of problems and the timelines: every problem of the table, the most severe first."""

from collections.abc import Iterator
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Final

import pytest

from boards.recorded import NOW, Samples, Series, pipeline, problem, refused, replica
from dashboards.colours import SEVERITIES
from feldera_exporter.feldera.statuses import DEPLOYMENT
from feldera_exporter.problems.model import SEVERITIES as KNOWN_SEVERITIES
from feldera_exporter.problems.table import INSTANCE_PROBLEMS, PIPELINE_PROBLEMS

OF_PIPELINES: Final = "fleet / Problems of pipelines / Severity"
OF_INSTANCES: Final = "fleet / Problems of Feldera itself / Severity"
TIMELINE: Final = "fleet / Deployment status / {{pipeline_name}} ({{feldera_instance}})"
PLACES: Final = {status: place for place, status in enumerate(DEPLOYMENT.statuses)}
_RANKS: Final = {name: rank for rank, (name, _) in SEVERITIES.items()}
_PROD: Final = {"feldera_instance": "prod"}


def _named(name: str) -> dict[str, str]:
    return {**_PROD, "pipeline": f"pipeline-{name}", "pipeline_name": name}


def test_the_boards_know_every_severity() -> None:
    """The boards know every severity; the most severe has the greatest number."""
    assert sorted(_RANKS, key=_RANKS.__getitem__, reverse=True) == list(KNOWN_SEVERITIES)


def test_every_problem_is_in_its_table_with_its_severity(tmp_path: Path) -> None:
    """Each problem is once in the table of its scope with its severity, and is counted by severity."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        for name in PIPELINE_PROBLEMS:
            yield problem("a", name, "orders")
        for name in INSTANCE_PROBLEMS:
            yield problem("a", name)

    severities = [row.severity for row in PIPELINE_PROBLEMS.values()]
    severities += [row.severity for row in INSTANCE_PROBLEMS.values()]
    expected: dict[str, Samples] = {
        OF_PIPELINES: [
            ({**_named("orders"), "problem": row.name}, _RANKS[row.severity])
            for row in PIPELINE_PROBLEMS.values()
        ],
        OF_INSTANCES: [
            ({**_PROD, "problem": row.name}, _RANKS[row.severity]) for row in INSTANCE_PROBLEMS.values()
        ],
        **{f"fleet / Problems / {name}": [({}, severities.count(name))] for name in _RANKS},
    }
    assert refused(tmp_path, recorded(), expected) == ""


def test_a_problem_that_the_boards_do_not_know_is_shown(tmp_path: Path) -> None:
    """A problem of a newer exporter that the boards do not know is shown without a severity."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        yield problem("a", "Dreaming", "orders")

    dreaming = {**_named("orders"), "problem": "Dreaming"}
    expected: dict[str, Samples] = {
        "fleet / Problems of pipelines / For": [(dreaming, 60)],
        "fleet / Problems of pipelines / Since": [(dreaming, 1000 * (NOW - 60))],
        OF_PIPELINES: [],
    }
    assert refused(tmp_path, recorded(), expected) == ""


def test_a_teams_choice_narrows_by_the_problems_tags(tmp_path: Path) -> None:
    """A team's choice narrows by the problems' tags, also during an outage; problems of the instance always stay."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 400, up=0)
        for name, team in (("orders", "shop"), ("clicks", "web"), ("unknown", "")):
            yield problem("a", "Flapping", name, team=team)
        yield problem("a", "LicenseExpiring")

    expected: dict[str, Samples] = {
        OF_PIPELINES: [({**_named("orders"), "problem": "Flapping", "team": "shop"}, 2)],
        OF_INSTANCES: [({**_PROD, "problem": "LicenseExpiring"}, 2)],
        "fleet / Problems / warning": [({}, 2)],
    }
    assert refused(tmp_path, recorded(), expected, team="shop") == ""


def test_timelines_begin_with_problems(tmp_path: Path) -> None:
    """A pipeline with a problem is among the twenty even if it never changes, before one that changed least."""

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        yield from pipeline("a", "stuck", [(DEPLOYMENT, "Stopping", 0.0, 900.0)])
        yield problem("a", "StuckStopping", "stuck", 900, status="Stopping")
        for number in range(30):
            name = f"p{number:02d}"
            yield problem("a", "Flapping", name, 0)
            for each in pipeline("a", name, [(DEPLOYMENT, "Running", 0, inf)]):
                if "deployment_status_since" in each["series"]:
                    each["values"] = f"0x{NOW // 15 - 60} " + " ".join(
                        str(min(step, number) + 1) for step in range(61)
                    )
                yield each

    expected: dict[str, Samples] = {
        TIMELINE: [
            (_named("stuck"), PLACES["Stopping"]),
            *((_named(f"p{number:02d}"), PLACES["Running"]) for number in range(11, 30)),
        ]
    }
    assert refused(tmp_path, recorded(), expected) == ""


@pytest.mark.parametrize(("severe", "lesser"), [*pairwise(KNOWN_SEVERITIES)])
def test_timelines_begin_with_the_most_severe_problems(tmp_path: Path, severe: str, lesser: str) -> None:
    """Of thirty pipelines with problems the twenty with the more severe ones are shown."""
    names = {row.severity: row.name for row in PIPELINE_PROBLEMS.values()}

    def recorded() -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        for number in range(30):
            name = f"p{number:02d}"
            yield from pipeline("a", name, [(DEPLOYMENT, "Running", 0, inf)])
            yield problem("a", names[severe if number % 3 else lesser], name)

    shown = [(_named(f"p{number:02d}"), PLACES["Running"]) for number in range(30) if number % 3]
    assert refused(tmp_path, recorded(), {TIMELINE: shown}) == ""
