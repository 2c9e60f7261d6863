"""Two replicas, one of them frozen: the boards show what the other one says, in everything."""

from collections.abc import Iterator
from math import inf
from pathlib import Path
from typing import Final

from boards.documents import targets
from boards.recorded import NOW, Samples, Series, pipeline, refused, replica
from feldera_exporter.feldera.vocabulary import DEPLOYMENT, DEPLOYMENT_DESIRED, PROGRAM, STORAGE

ORDERS: Final = {"feldera_instance": "prod", "pipeline": "pipeline-orders"}
NAMED: Final = {**ORDERS, "pipeline_name": "orders"}
CODES: Final = {status: code for code, status in enumerate(DEPLOYMENT.statuses)}
_ONE: Final = {"pipeline": "pipeline-orders"}


def _frozen_in_good_times() -> Iterator[Series]:
    """Yield a frozen replica that saw a bootstrap with a long limit, and one that sees the stuck provisioning after it."""
    yield from replica("frozen", NOW - 250)
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


def _frozen_in_bad_times() -> Iterator[Series]:
    """Yield a frozen replica that saw every trouble, and one that sees that all is well."""
    yield from replica("frozen", NOW - 250)
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
    yield from replica("fresh", NOW - 5)
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


IN_TROUBLE: Final[dict[str, Samples]] = {
    "fleet / Stuck / stuck": [({}, 1)],
    "fleet / Failed / failed": [({}, 1)],
    "fleet / Running / running": [({}, 0)],
    "fleet / Running / meant to": [({}, 1)],
    "fleet / Pipelines by status / {{status}}": [({"status": "Provisioning"}, 1)],
    "fleet / Programs by status / {{status}}": [({"status": "RustError"}, 1)],
    "fleet / Deployment status / {{pipeline_name}} ({{feldera_instance}})": [(NAMED, CODES["Provisioning"])],
    "fleet / Pipelines in trouble / For": [({**NAMED, "dimension": "deployment"}, 800)],
    "fleet / Pipelines in trouble / Of limit": [({**NAMED, "dimension": "deployment"}, 800 / 600)],
    "fleet / Pipelines in trouble / Status": [
        ({**NAMED, "dimension": "deployment", "status": "Provisioning"}, 1)
    ],
    "fleet / Pipelines in trouble / Error": [({**NAMED, "error_code": "StartError"}, 1)],
    "fleet / Pipelines in trouble / Desired": [({**NAMED, "desired": "Running"}, 1)],
    "fleet / Pipelines in trouble / Program": [({**NAMED, "program": "RustError"}, 1)],
    "fleet / Pipelines in trouble / Tags": [({**NAMED, "team": "new"}, 1)],
    "fleet / How long transient statuses last / Limit": [
        ({"status": "Provisioning"}, 600),
        ({"status": "Clearing"}, 900),
    ],
    "fleet / Data age / {{feldera_instance}}": [({"feldera_instance": "prod"}, 5)],
    "pipeline / Status / status": [(NAMED, CODES["Provisioning"])],
    "pipeline / Desired / desired": [(NAMED, CODES["Running"])],
    "pipeline / Error / {{error_code}}": [({**NAMED, "error_code": "StartError"}, 1)],
    "pipeline / Failed / failed": [(NAMED, 1)],
    "pipeline / In this status for / deployment": [(ORDERS, 800)],
    "pipeline / Of the limit / {{dimension}}": [
        ({**ORDERS, "dimension": "deployment"}, 800 / 600),
        ({**ORDERS, "dimension": "storage"}, 100 / 900),
    ],
    "pipeline / Deployment / desired": [(NAMED, CODES["Running"])],
    "pipeline / Present status against its limit / {{status}}": [({**NAMED, "status": "Provisioning"}, 800)],
    "pipeline / Present status against its limit / limit": [(ORDERS, 600)],
    "pipeline / Deployment errors / set": [(ORDERS, 1)],
}

WELL: Final[dict[str, Samples]] = {
    "fleet / Stuck / stuck": [({}, 0)],
    "fleet / Failed / failed": [({}, 0)],
    "fleet / Need a person / waiting": [({}, 0)],
    "fleet / Running / running": [({}, 1)],
    "fleet / Running / meant to": [({}, 1)],
    "fleet / Pipelines in trouble / Status": [],
    "fleet / Pipelines in trouble / Of limit": [],
    "fleet / Pipelines in trouble / Error": [],
    "fleet / Pipelines in trouble / Desired": [],
    "pipeline / Status / status": [(NAMED, CODES["Running"])],
    "pipeline / Desired / desired": [(NAMED, CODES["Running"])],
    "pipeline / Error / {{error_code}}": [],
    "pipeline / Failed / failed": [(NAMED, 0)],
    "pipeline / Of the limit / {{dimension}}": [],
    "pipeline / Deployment errors / set": [],
    "pipeline / Present status against its limit / limit": [],
}


def test_a_frozen_replica_hides_no_trouble(tmp_path: Path) -> None:
    """Neither by its status nor by its limit, its error, its tags, or what was desired of it."""
    assert refused(tmp_path, _frozen_in_good_times(), IN_TROUBLE, **_ONE) == ""


def test_a_frozen_replica_shows_no_trouble(tmp_path: Path) -> None:
    """Nothing is stuck, failed, waiting or desired that only the frozen one says."""
    assert refused(tmp_path, _frozen_in_bad_times(), WELL, **_ONE) == ""


def test_the_chosen_team_is_the_one_of_now(tmp_path: Path) -> None:
    """A pipeline is not found under the tag that only the frozen replica knows."""
    place = "fleet / Pipelines by status / {{status}}"
    assert refused(tmp_path, _frozen_in_good_times(), {place: []}, team="old") == ""
    found = {place: [({"status": "Provisioning"}, 1)]}
    assert refused(tmp_path, _frozen_in_good_times(), found, team="new") == ""


def test_the_same_has_not_been_desired_for_longer_than_it_may_differ(tmp_path: Path) -> None:
    """A difference begins with the newest of the desired, the actual and the program's status."""

    def paused(since: float, program: float) -> Iterator[Series]:
        yield from replica("a", NOW - 5)
        statuses = [
            (DEPLOYMENT, "Paused", since, inf),
            (DEPLOYMENT_DESIRED, "Running", NOW - 5000, 1800),
            (PROGRAM, "Success", program, inf),
        ]
        yield from pipeline("a", "orders", statuses)

    labels = {**NAMED, "dimension": "desired"}
    late: dict[str, Samples] = {
        "fleet / Stuck / stuck": [({}, 1)],
        "fleet / Pipelines in trouble / For": [(labels, 2000)],
        "fleet / Pipelines in trouble / Status": [({**labels, "status": "not Running"}, 1)],
        "fleet / Pipelines in trouble / Of limit": [(labels, 2000 / 1800)],
    }
    assert refused(tmp_path, paused(NOW - 2000, 0), late) == ""
    for since, program in ((NOW - 1700, 0), (NOW - 2000, NOW - 1700)):
        assert refused(tmp_path, paused(since, program), {"fleet / Stuck / stuck": [({}, 0)]}) == ""


def test_a_deleted_pipeline_that_a_frozen_replica_still_has_goes(tmp_path: Path) -> None:
    """Once that replica is five minutes behind."""

    def recorded(heard: float) -> Iterator[Series]:
        yield from replica("frozen", heard)
        yield from pipeline("frozen", "orders", [(DEPLOYMENT, "Running", 0, inf)])
        yield from replica("fresh", NOW - 5)

    place = "fleet / Pipelines by status / {{status}}"
    assert refused(tmp_path, recorded(NOW - 310), {place: []}) == ""
    assert refused(tmp_path, recorded(NOW - 300), {place: [({"status": "Running"}, 1)]}) == ""


def test_promtool_would_say_otherwise(tmp_path: Path) -> None:
    """Each thing that the frozen replica says is refused as an answer."""
    differing = [place for place in IN_TROUBLE.keys() & WELL.keys() if IN_TROUBLE[place] != WELL[place]]
    said = refused(tmp_path, _frozen_in_good_times(), {place: WELL[place] for place in differing}, **_ONE)
    assert said.count("exp:") == len(differing) > 10


def test_every_place_is_one_of_the_boards() -> None:
    """No expectation is left out because nothing has its name."""
    assert IN_TROUBLE.keys() | WELL.keys() <= {target.place for target in targets()}
