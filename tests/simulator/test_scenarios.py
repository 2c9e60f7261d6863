"""The demo's pipelines follow their scenarios."""

import asyncio

import httpx
import pytest

from feldera_exporter.micros import SECOND
from feldera_exporter.simulator.scenarios import SCENARIOS, begin
from feldera_exporter.simulator.server import FelderaServer
from support.clocks import ManualClock
from support.ground_truth import Life, RecordedFeldera


@pytest.fixture(scope="module")
def feldera() -> RecordedFeldera:
    """The demo's fleet after a little more than three hours."""
    clock = ManualClock()
    fleet = RecordedFeldera(clock)
    for scenario in SCENARIOS:
        begin(fleet, scenario)
    clock.advance(3 * 3600 + 600)
    fleet.settle()
    return fleet


def life(feldera: RecordedFeldera, name: str) -> Life:
    """Return the truth about a pipeline that lives."""
    return feldera.truth[feldera.get(name).id]


def test_every_story_has_its_pipeline(feldera: RecordedFeldera) -> None:
    """There are about twenty, with a description."""
    assert 20 <= len(SCENARIOS) <= 25
    for scenario in SCENARIOS:
        if scenario.name != "ci-smoke":
            assert feldera.get(scenario.name).row.description == scenario.plot


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("orders", "Running"),
        ("payments", "Running"),
        ("inventory", "Running"),
        ("clickstream", "Running"),
        ("big-join", "Provisioning"),
        ("no-capacity", "Stopped"),
        ("new-report", "Stopped"),
        ("udf-model", "Stopped"),
        ("huge-program", "Stopped"),
        ("backfill-2025", "Bootstrapping"),
        ("recommendations", "Paused"),
        ("warehouse-sync", "Stopped"),
        ("old-stream", "Stopping"),
        ("metrics-rollup", "Running"),
    ],
)
def test_a_story_ends_where_it_should(feldera: RecordedFeldera, name: str, status: str) -> None:
    """Each scenario ends in its combined status."""
    assert feldera.get(name).row.status == status


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fraud-scores", "RuntimeError.WorkerPanic"),
        ("ledger", "InputTransportError"),
        ("no-capacity", "AutomatonProvisioningTimeout"),
        ("udf-model", "StartFailedDueToFailedCompilation"),
    ],
)
def test_a_story_has_its_error(feldera: RecordedFeldera, name: str, code: str) -> None:
    """Each scenario has its error at least once."""
    assert code in {edge.code for edge in life(feldera, name).appeared}


@pytest.mark.parametrize(
    ("name", "dimension", "pair", "least"),
    [
        ("sensors", "deployment_runtime_status", ("Running", "Unavailable"), 50),
        ("edge-events", "deployment_runtime_status", ("Unavailable", "Initializing"), 50),
        ("sessions", "deployment_runtime_status", ("Running", "Unavailable"), 2),
        ("schema-change", "deployment_runtime_status", ("AwaitingApproval", "Bootstrapping"), 2),
        ("nightly-report", "deployment_resources_status", ("Stopped", "Provisioning"), 30),
        ("search-index", "deployment_resources_status", ("Provisioning", "Provisioned"), 40),
        ("huge-program", "program_status", ("CompilingRust", "SqlCompiled"), 30),
        ("old-archive", "storage_status", ("InUse", "Clearing"), 1),
    ],
)
def test_a_story_has_its_turns(
    feldera: RecordedFeldera, name: str, dimension: str, pair: tuple[str, str], least: int
) -> None:
    """Each scenario repeats so often in three hours."""
    assert life(feldera, name).counts(dimension)[pair] >= least


def test_the_frozen_runner_leaves_its_row_as_it_was(feldera: RecordedFeldera) -> None:
    """There is no heartbeat after the tenth minute."""
    last = max(event.recorded_at for event in feldera.get("metrics-rollup").log)
    assert last - feldera.started_at < 601_000_000


def test_one_pipeline_is_created_again_and_again(feldera: RecordedFeldera) -> None:
    """It has the same name and another id; each is tried before it is deleted."""
    lives = [each for each in feldera.truth.lives.values() if each.names[0][1] == "ci-smoke"]
    assert len(lives) > 90
    ran = [each for each in lives if each.counts("deployment_status")["Initializing", "Running"]]
    assert len(ran) >= len(lives) - 1


def test_one_pipeline_waits_too_long_and_gets_what_it_waits_for(feldera: RecordedFeldera) -> None:
    """It is Provisioning for 65 seconds each time, of the 20 of the demo's limit."""
    stretches = life(feldera, "search-index").intervals(feldera.settle())
    waits = {round((end - begin) / SECOND) for status, begin, end in stretches if status == "Provisioning"}
    assert waits == {65}


def test_one_pipelines_errors_are_dismissed(feldera: RecordedFeldera) -> None:
    """Each is dismissed after 45 seconds, before the next start."""
    errors = life(feldera, "ledger").errors
    assert [edge.code for edge in errors[:4]] == ["InputTransportError", None] * 2
    pairs = zip(errors[:4:2], errors[1:4:2], strict=True)
    # The crash shows at the runner's next poll, up to 2.5 seconds later.
    assert {round((off.at - on.at) / SECOND) for on, off in pairs} <= {42, 43, 44, 45}


def test_users_cannot_break_a_scenario() -> None:
    """Whatever users do, even delete all pipelines, the list is answered and scenarios go on."""
    clock = ManualClock()
    fleet = RecordedFeldera(clock)
    for scenario in SCENARIOS:
        begin(fleet, scenario)
    clock.advance(150)
    names = [
        scenario.name
        for scenario in SCENARIOS
        if scenario.plan.stopping is not None and scenario.plan.clearing is not None
    ]

    async def use() -> list[int]:
        transport = httpx.ASGITransport(FelderaServer(fleet))
        async with httpx.AsyncClient(transport=transport, base_url="http://feldera") as client:
            for action in ("/stop?force=true", "/clear"):
                for name in names:
                    await client.post(f"/v0/pipelines/{name}{action}")
                clock.advance(20)
            deleted = [(await client.delete(f"/v0/pipelines/{name}")).status_code for name in names]
            assert deleted.count(200) > len(names) - 3
            answers = []
            for _ in range(1200):
                clock.advance(6)
                answers.append((await client.get("/v0/pipelines?selector=status")).status_code)
            await client.post("/v0/pipelines", json={"name": "sensors", "program_code": ""})
            clock.advance(60)
            await client.post("/v0/pipelines/sensors/start")
            clock.advance(600)
            return answers

    assert set(asyncio.run(use())) == {200}
    fleet.settle()
    assert life(fleet, "sensors").counts("deployment_runtime_status")["Running", "Unavailable"] >= 4
