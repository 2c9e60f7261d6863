"""Of two replicas one no longer sees Feldera: the boards show only what the other one exports."""

from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Final

from boards.recorded import NOW, Samples, Series, pipeline, problem, refused, replica
from feldera_exporter.feldera.statuses import DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, STORAGE

ORDERS: Final = {"feldera_instance": "prod", "pipeline": "pipeline-orders"}
NAMED: Final = {**ORDERS, "pipeline_name": "orders"}
CODES: Final = {status: code for code, status in enumerate(DEPLOYMENT.statuses)}
_ONE: Final = {"pipeline": "pipeline-orders"}


def _frozen_in_good_times() -> Iterator[Series]:
    """Yield a frozen replica that saw a bootstrap with a long limit, and one that sees the stuck provisioning after it."""
    yield from replica("frozen", NOW - 250, up=0)
    yield from pipeline(
        "frozen",
        "orders",
        [
            (DEPLOYMENT, "Bootstrapping", NOW - 900, 21_600),
            (DEPLOYMENT_DESIRED, "Paused", NOW - 2000, 86_400),
            (PROGRAM, "Success", 0, inf),
            (STORAGE, "InUse", 0, inf),
        ],
        team="old",
    )
    yield from replica("fresh", NOW - 5)
    yield from pipeline(
        "fresh",
        "orders",
        [
            (DEPLOYMENT, "Provisioning", NOW - 800, 600),
            (DEPLOYMENT_DESIRED, "Running", NOW - 850, inf),
            (PROGRAM, "RustError", NOW - 860, inf),
            (STORAGE, "Clearing", NOW - 100, 900),
        ],
        error="StartError",
        team="new",
    )
    yield problem("fresh", "StuckProvisioning", "orders", NOW - 200, team="new", status="Provisioning")
    yield problem("fresh", "FleetDegraded", since=NOW - 100)


def _frozen_in_bad_times() -> Iterator[Series]:
    """Yield a frozen replica that saw every trouble, and one that sees that all is well."""
    yield from replica("frozen", NOW - 250, up=0)
    yield from pipeline(
        "frozen",
        "orders",
        [
            (DEPLOYMENT, "AwaitingApproval", NOW - 2000, 900),
            (DEPLOYMENT_DESIRED, "Paused", NOW - 2000, 300),
            (PROGRAM, "CompilingRust", NOW - 5000, 3600),
            (STORAGE, "Clearing", NOW - 5000, 900),
        ],
        error="StartError",
    )
    yield problem("frozen", "AwaitingApproval", "orders", NOW - 1100, status="AwaitingApproval")
    yield problem("frozen", "FleetDegraded", since=NOW - 300)
    yield from replica("fresh", NOW - 5)
    yield problem("fresh", "AwaitingApproval", "orders", 0, status="AwaitingApproval")
    yield from pipeline(
        "fresh",
        "orders",
        [
            (DEPLOYMENT, "Running", NOW - 100, inf),
            (DEPLOYMENT_DESIRED, "Running", NOW - 2500, inf),
            (PROGRAM, "Success", NOW - 1500, inf),
            (STORAGE, "InUse", NOW - 200, inf),
        ],
    )


STUCK: Final = {**NAMED, "problem": "StuckProvisioning", "status": "Provisioning", "team": "new"}
PROD: Final = {"feldera_instance": "prod"}

IN_TROUBLE: Final[dict[str, Samples]] = {
    "fleet / Problems / critical": [({}, 2)],
    "fleet / Problems / warning": [({}, 0)],
    "fleet / Problems of pipelines / Severity": [(STUCK, 3)],
    "fleet / Problems of pipelines / For": [(STUCK, 200)],
    "fleet / Problems of Feldera itself / Severity": [({**PROD, "problem": "FleetDegraded"}, 3)],
    "fleet / Running / running": [({}, 0)],
    "fleet / Running / should run": [({}, 1)],
    "fleet / Pipelines by status / {{status}}": [({"status": "Provisioning"}, 1)],
    "fleet / Programs by status / {{status}}": [({"status": "RustError"}, 1)],
    "fleet / Deployment status / {{pipeline_name}} ({{feldera_instance}})": [(NAMED, CODES["Provisioning"])],
    "fleet / How long transient statuses last / Limit": [
        ({"status": "Provisioning"}, 600),
        ({"status": "Clearing"}, 900),
    ],
    "fleet / Data age / {{feldera_instance}}": [(PROD, 5)],
    "fleet / Feldera's API and services / {{feldera_instance}}: answers": [(PROD, 1)],
    "pipeline / Problems of pipelines / For": [(STUCK, 200)],
    "pipeline / Status / status": [(NAMED, CODES["Provisioning"])],
    "pipeline / Desired / desired": [(NAMED, CODES["Running"])],
    "pipeline / Error / {{error_code}}": [({**NAMED, "error_code": "StartError"}, 1)],
    "pipeline / In this status for / deployment": [(ORDERS, 800)],
    "pipeline / Share of the limit / deployment": [(ORDERS, 800 / 600)],
    "pipeline / Share of the limit / storage": [(ORDERS, 100 / 900)],
    "pipeline / Deployment / desired": [(NAMED, CODES["Running"])],
    "pipeline / Present status against its limit / {{status}}": [({**NAMED, "status": "Provisioning"}, 800)],
    "pipeline / Present status against its limit / limit": [(ORDERS, 600)],
    "pipeline / Deployment errors / set": [(ORDERS, 1)],
}

WELL: Final[dict[str, Samples]] = {
    "fleet / Problems / critical": [({}, 0)],
    "fleet / Problems / warning": [({}, 0)],
    "fleet / Problems of pipelines / Severity": [],
    "fleet / Problems of pipelines / For": [],
    "fleet / Problems of Feldera itself / Severity": [],
    "fleet / Running / running": [({}, 1)],
    "fleet / Running / should run": [({}, 1)],
    "fleet / Pipelines by status / {{status}}": [({"status": "Running"}, 1)],
    "fleet / How long transient statuses last / Limit": [],
    "pipeline / Problems of pipelines / For": [],
    "pipeline / Status / status": [(NAMED, CODES["Running"])],
    "pipeline / Desired / desired": [(NAMED, CODES["Running"])],
    "pipeline / Error / {{error_code}}": [],
    "pipeline / Share of the limit / deployment": [],
    "pipeline / Share of the limit / storage": [],
    "pipeline / Deployment errors / set": [],
    "pipeline / Present status against its limit / limit": [],
}


def test_a_frozen_replica_hides_no_trouble(tmp_path: Path) -> None:
    """Status, limit, error, tags and desired status of a frozen replica hide no problem."""
    assert refused(tmp_path, _frozen_in_good_times(), IN_TROUBLE, **_ONE) == ""


def test_a_frozen_replica_shows_no_trouble(tmp_path: Path) -> None:
    """A problem, error, status or limit of the frozen replica alone is not shown."""
    assert refused(tmp_path, _frozen_in_bad_times(), WELL, **_ONE) == ""


def test_the_chosen_team_is_the_one_of_now(tmp_path: Path) -> None:
    """A pipeline is not found under a tag that only the frozen replica has."""
    place = "fleet / Pipelines by status / {{status}}"
    assert refused(tmp_path, _frozen_in_good_times(), {place: []}, team="old") == ""
    found = {place: [({"status": "Provisioning"}, 1)]}
    assert refused(tmp_path, _frozen_in_good_times(), found, team="new") == ""


def test_the_last_known_state_is_shown_during_an_outage(tmp_path: Path) -> None:
    """If no replica reaches Feldera, the last state and problems of both are shown, but not the absence of problems."""

    def recorded() -> Iterator[Series]:
        for name in ("a", "b"):
            yield from replica(name, NOW - 100, up=0)
            yield from pipeline(name, "orders", [(DEPLOYMENT, "Stopping", NOW - 1000, 900)])
            yield problem(name, "StuckStopping", "orders", NOW - 100, status="Stopping")

    stuck = {**NAMED, "problem": "StuckStopping", "status": "Stopping"}
    expected: dict[str, Samples] = {
        "fleet / Problems of pipelines / Severity": [(stuck, 2)],
        "fleet / Problems / warning": [({}, 1)],
        "fleet / Problems / critical": [],
        "fleet / Pipelines by status / {{status}}": [({"status": "Stopping"}, 1)],
        "fleet / Running / running": [],
        "fleet / Data age / {{feldera_instance}}": [(PROD, 100)],
        "fleet / Feldera's API and services / {{feldera_instance}}: answers": [(PROD, 0)],
    }
    assert refused(tmp_path, recorded(), expected) == ""


def test_a_problem_lasts_while_one_that_sees_says_so(tmp_path: Path) -> None:
    """Of two replicas that see, a problem lasts until the later poll; while both have it, it counts once."""

    def recorded(of_a: float, of_b: float) -> Iterator[Series]:
        for name, since in (("a", of_a), ("b", of_b)):
            yield from replica(name, NOW - 5)
            yield problem(name, "Flapping", "orders", since)

    def expected(age: float) -> dict[str, Samples]:
        flapping = {**NAMED, "problem": "Flapping"}
        return {
            "fleet / Problems of pipelines / For": [(flapping, age)],
            "fleet / Problems / warning": [({}, 1)],
        }

    assert refused(tmp_path, recorded(NOW - 90, 0), expected(90)) == ""
    assert refused(tmp_path, recorded(NOW - 90, NOW - 90), expected(90)) == ""


def test_promtool_would_say_otherwise(tmp_path: Path) -> None:
    """With the samples of the frozen replica as expectations, promtool fails."""
    differing = [place for place in IN_TROUBLE.keys() & WELL.keys() if IN_TROUBLE[place] != WELL[place]]
    said = refused(tmp_path, _frozen_in_good_times(), {place: WELL[place] for place in differing}, **_ONE)
    assert said.count("exp:") == len(differing) > 10
