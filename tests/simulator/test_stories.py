"""The demo's pipelines live as their plots say."""

import pytest

from feldera_exporter.simulator.clock import ManualClock
from feldera_exporter.simulator.feldera import Feldera
from feldera_exporter.simulator.stories import STORIES, tell_all
from feldera_exporter.simulator.truth import Life


@pytest.fixture(scope="module")
def feldera() -> Feldera:
    """The demo's world after a little more than three hours."""
    clock = ManualClock()
    world = Feldera(clock)
    tell_all(world)
    clock.advance(3 * 3600 + 600)
    world.settle()
    return world


def life(feldera: Feldera, name: str) -> Life:
    """Return the truth about a pipeline that lives."""
    return feldera.truth[feldera.get(name).id]


def test_every_story_has_its_pipeline(feldera: Feldera) -> None:
    """About twenty, with the plot as description."""
    assert 20 <= len(STORIES) <= 25
    for story in STORIES:
        if story.name != "ci-smoke":
            assert feldera.get(story.name).row.description == story.plot


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
def test_a_story_ends_where_it_should(feldera: Feldera, name: str, status: str) -> None:
    """By the combined status."""
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
def test_a_story_has_its_error(feldera: Feldera, name: str, code: str) -> None:
    """At least once."""
    assert code in {edge.code for edge in life(feldera, name).appeared}


@pytest.mark.parametrize(
    ("name", "dimension", "pair", "least"),
    [
        ("sensors", "deployment_runtime_status", ("Running", "Unavailable"), 50),
        ("edge-events", "deployment_runtime_status", ("Unavailable", "Initializing"), 50),
        ("sessions", "deployment_runtime_status", ("Running", "Unavailable"), 2),
        ("schema-change", "deployment_runtime_status", ("AwaitingApproval", "Bootstrapping"), 2),
        ("nightly-report", "deployment_resources_status", ("Stopped", "Provisioning"), 3),
        ("huge-program", "program_status", ("CompilingRust", "SqlCompiled"), 30),
        ("old-archive", "storage_status", ("InUse", "Clearing"), 1),
    ],
)
def test_a_story_has_its_turns(
    feldera: Feldera, name: str, dimension: str, pair: tuple[str, str], least: int
) -> None:
    """So often in three hours."""
    assert life(feldera, name).counts(dimension)[pair] >= least


def test_the_frozen_runner_leaves_its_row_as_it_was(feldera: Feldera) -> None:
    """No heartbeat after the tenth minute."""
    last = max(event.recorded_at for event in feldera.get("metrics-rollup").log)
    assert last - feldera.started_at < 601_000_000


def test_one_pipeline_is_created_again_and_again(feldera: Feldera) -> None:
    """Under the same name, with another id."""
    assert sum(one.names[0][1] == "ci-smoke" for one in feldera.truth.lives.values()) >= 6
